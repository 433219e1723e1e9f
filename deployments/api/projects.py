"""Projects and what they use. Platform admins make them."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import bodies, serializers, services, shapes
from deployments.access import ROLE_CAN
from deployments.api.base import Endpoint, by_name_or_id, only_platform_admins
from deployments.api.described import operation
from deployments.api.parameters import orderings, text
from deployments.api.taken import unless_taken
from deployments.choices import Role
from deployments.http import Invalid, Pages, answer, etag_of, idempotency_key, ordered, require_match
from deployments.models import Cluster, Membership, Project
from deployments.projects import SORTS, counted, holding


class Projects(Endpoint):
    """The projects that the caller may see, with their role there. Platform admins make new ones."""

    parameters = ("page", "page_size", "search", "cluster", "ordering")
    described = {
        "cluster": text("Only on this cluster, by name or id."),
        "search": text("Rows whose name, namespace or cluster holds this."),
        "ordering": orderings(SORTS),
    }

    @operation("List projects", returns=shapes.ProjectLine, listed="pages")
    def get(self, request: Request) -> Response:
        rows = counted(Project.objects.visible_to(self.user))
        if search := request.query_params.get("search", "").strip():
            rows = holding(rows, search)
        if cluster := request.query_params.get("cluster"):
            rows = rows.filter(by_name_or_id(cluster, "cluster__"))
        pages = Pages()
        page: Iterable[Any] = pages.paginate_queryset(ordered(rows, request, SORTS), request, self) or []
        roles = Membership.objects.roles(self.user, [row.pk for row in page])
        return pages.get_paginated_response([{**project(row, roles[row.pk]), **serializers.use(row)} for row in page])

    @operation(
        "Make a project",
        takes=bodies.CreateProject, returns=shapes.Project, status=201, tagged=True, refuses=(409, 422),
        idempotent=True,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        only_platform_admins(self.user)
        body = self.body(bodies.CreateProject)
        cluster = Cluster.objects.visible_to(self.user).filter(by_name_or_id(body.cluster)).first()
        if cluster is None:
            raise Invalid([(("cluster",), "There is no cluster of this name or id.")])
        with unless_taken():
            made = services.create_project(
                name=body.name, cluster=cluster, namespace=body.namespace, by=self.user,
                create_namespace=body.create_namespace, key=idempotency_key(request),
            )  # fmt: skip
        said = project(made, made.role_of(self.user))
        location = reverse("api:project", args=[made.pk])
        return answer(request, said, status=201, tag=etag_of(said), location=location)


class OneProject(Endpoint):
    """One project and what the caller may do there. Platform admins rename and remove it."""

    @operation("Read a project", returns=shapes.Project, tagged=True)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        found = self.project(pk)
        body = project(found, found.role_of(self.user))
        return answer(request, body, tag=etag_of(body))

    @operation(
        "Rename a project",
        takes=bodies.RenameProject, returns=shapes.Project, tagged=True, if_match="must", refuses=(409, 412, 428),
    )  # fmt: skip
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        found = self.project(pk)
        only_platform_admins(self.user)
        body = self.body(bodies.RenameProject)
        with transaction.atomic(), unless_taken():
            self.as_seen(request, found)
            made = services.rename_project(project=found, name=body.name, by=self.user)
        said = project(made, made.role_of(self.user))
        return answer(request, said, tag=etag_of(said))

    @operation("Remove a project that holds nothing", status=204, if_match="must", refuses=(409, 412, 428))
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        found = self.project(pk)
        only_platform_admins(self.user)
        self.body(bodies.Nothing)
        with transaction.atomic():
            self.as_seen(request, found)
            services.remove_project(project=found, by=self.user)
        return Response(status=204)

    def as_seen(self, request: Request, found: Project) -> None:
        """Hold the row, which must be as the caller saw it."""
        held = services.lock_project(found)
        require_match(request, etag_of(project(held, held.role_of(self.user))))


class Use(Endpoint):
    """What a project holds: its deployments, the GPUs that the cluster gives them, and its members."""

    @operation("Read what a project uses", returns=shapes.Use)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        found = counted(Project.objects.visible_to(self.user))
        return answer(request, serializers.use(get_object_or_404(found, pk=pk)))


def project(row: Project, role: Role | None) -> shapes.Project:
    """A project with the caller's role and, from it, what they may do."""
    may = sorted(ROLE_CAN[role]) if role else []
    return serializers.project(row, role.value if role else "", [can.value for can in may])
