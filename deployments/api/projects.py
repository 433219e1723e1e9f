"""Projects with their secrets, and clusters: read here, written in the admin site. Secrets are written only."""

import uuid
from collections.abc import Iterable

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import serializers, services, shapes
from deployments.access import ROLE_CAN, Can
from deployments.api.base import Endpoint, by_name_or_id, paged
from deployments.api.described import operation
from deployments.api.parameters import text
from deployments.choices import Role
from deployments.http import Pages, answer, etag_of
from deployments.models import Cluster, Membership, Project


class Projects(Endpoint):
    """The projects that the caller may see, with their role there."""

    parameters = ("page", "page_size", "search", "cluster")
    described = {"cluster": text("Only on this cluster, by name or id.")}

    @operation("List projects", returns=shapes.Project, listed="pages")
    def get(self, request: Request) -> Response:
        rows = Project.objects.visible_to(self.user).select_related("cluster")
        if search := request.query_params.get("search", "").strip():
            rows = rows.filter(name__icontains=search)
        if cluster := request.query_params.get("cluster"):
            rows = rows.filter(by_name_or_id(cluster, "cluster__"))
        pages = Pages()
        page: Iterable[Project] = pages.paginate_queryset(rows, request, self) or []
        roles = Membership.objects.roles(self.user, [row.pk for row in page])
        return pages.get_paginated_response([project(row, roles[row.pk]) for row in page])


class OneProject(Endpoint):
    """One project and what the caller may do there."""

    @operation("Read a project", returns=shapes.Project, tagged=True)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        found = self.project(pk)
        body = project(found, found.role_of(self.user))
        return answer(request, body, tag=etag_of(body))


class Secrets(Endpoint):
    """The secrets of a project: names and versions. A value can be written and never read again."""

    parameters = ("page", "page_size", "name")

    @operation("List the secrets of a project", returns=shapes.Secret, listed="pages")
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        rows = self.project(pk).secrets.defer("sealed")
        if name := request.query_params.get("name"):
            rows = rows.filter(name=name)
        return paged(self, Pages(), rows, serializers.secret)

    @operation("Write a secret", takes=serializers.StoreSecret, returns=shapes.Secret, status=201)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        found = self.project(pk, Can.DEPLOY)
        body = self.body(serializers.StoreSecret)
        made = services.store_secret(project=found, name=body.name, value=body.value, by=self.user)
        return answer(request, serializers.secret(made), status=201)


class Clusters(Endpoint):
    """The clusters of the caller's projects, with the state of their connections."""

    parameters = ("page", "page_size")

    @operation("List clusters", returns=shapes.Cluster, listed="pages")
    def get(self, request: Request) -> Response:
        rows = Cluster.objects.visible_to(self.user).select_related("status").defer("sealed_credentials", "ca_pem")
        return paged(self, Pages(), rows, serializers.cluster)


class OneCluster(Endpoint):
    """One cluster and the state of its connection."""

    @operation("Read a cluster", returns=shapes.Cluster, tagged=True)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        rows = Cluster.objects.visible_to(self.user).select_related("status").defer("sealed_credentials", "ca_pem")
        body = serializers.cluster(get_object_or_404(rows, pk=pk))
        return answer(request, body, tag=etag_of(body))


def project(row: Project, role: Role | None) -> shapes.Project:
    """A project with the caller's role and, from it, what they may do."""
    may = sorted(ROLE_CAN[role]) if role else []
    return serializers.project(row, role.value if role else "", [can.value for can in may])
