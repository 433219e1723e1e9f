"""Clusters: those of the caller's projects with their connections, and for platform admins how they are reached.

Credentials can be written and never read. A cluster's settings have an entity tag of their own: how the connection is
changes every few seconds.
"""

import uuid

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import bodies, serializers, services, shapes
from deployments.api.base import Endpoint, only_platform_admins, paged
from deployments.api.described import operation
from deployments.api.parameters import orderings
from deployments.api.taken import unless_taken
from deployments.http import Invalid, Pages, answer, etag_of, idempotency_key, ordered, require_match
from deployments.models import Cluster

ORDERINGS = {"name": ["name"], "created": ["created_at"]}


class Clusters(Endpoint):
    """The clusters of the caller's projects, with the state of their connections. Platform admins register new ones."""

    parameters = ("page", "page_size", "search", "ordering")
    described = {"ordering": orderings(ORDERINGS)}

    @operation("List clusters", returns=shapes.Cluster, listed="pages")
    def get(self, request: Request) -> Response:
        rows = visible(self)
        if search := request.query_params.get("search", "").strip():
            rows = rows.filter(name__icontains=search)
        return paged(self, Pages(), ordered(rows, request, ORDERINGS), serializers.cluster)

    @operation(
        "Register a cluster",
        takes=bodies.RegisterCluster, returns=shapes.ClusterSettings, status=201, tagged=True, refuses=(409, 422),
        idempotent=True,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        only_platform_admins(self.user)
        body, key = self.body(bodies.RegisterCluster), idempotency_key(request)
        with unless_taken():
            made = services.register_cluster(values=body.model_dump(exclude_none=True), by=self.user, key=key)
        said = serializers.cluster_settings(made)
        location = reverse("api:cluster", args=[made.pk])
        return answer(request, said, status=201, tag=etag_of(said), location=location)


class OneCluster(Endpoint):
    """One cluster and the state of its connection."""

    @operation("Read a cluster", returns=shapes.Cluster, tagged=True)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        body = serializers.cluster(get_object_or_404(visible(self), pk=pk))
        return answer(request, body, tag=etag_of(body))


class Settings(Endpoint):
    """How a cluster is reached, what measures it and what it is open to. For platform admins."""

    @operation("Read the settings of a cluster", returns=shapes.ClusterSettings, tagged=True)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        said = serializers.cluster_settings(owned(self, pk))
        return answer(request, said, tag=etag_of(said))

    @operation(
        "Change the settings of a cluster",
        takes=bodies.ChangeCluster, returns=shapes.ClusterSettings, tagged=True, if_match="must",
        refuses=(409, 412, 428),
    )  # fmt: skip
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        found = owned(self, pk)
        body = self.body(bodies.ChangeCluster)
        with transaction.atomic(), unless_taken():
            require_match(request, etag_of(serializers.cluster_settings(services.lock_cluster(found))))
            values = body.model_dump(exclude_unset=True, exclude_none=True)
            made = services.change_cluster(cluster=found, values=values, by=self.user)
        said = serializers.cluster_settings(made)
        return answer(request, said, tag=etag_of(said))


class AcceptIdentity(Endpoint):
    """The cluster that answers now is the right one: it was built anew, or moved."""

    @operation(
        "Accept another cluster as this one",
        takes=bodies.AcceptIdentity, returns=shapes.ClusterSettings, tagged=True, refuses=(409,),
    )  # fmt: skip
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        found = owned(self, pk)
        body = self.body(bodies.AcceptIdentity)
        services.accept_identity(cluster=found, by=self.user, seen=body.identity)
        said = serializers.cluster_settings(owned(self, pk))
        return answer(request, said, tag=etag_of(said))


class Forget(Endpoint):
    """Remove a cluster from llmdash with its projects and deployments. Nothing is done in the cluster: the answer names
    what stays there."""

    @operation("Forget a cluster", takes=bodies.ForgetCluster, returns=shapes.Left, refuses=(409,))
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        found = owned(self, pk)
        if self.body(bodies.ForgetCluster).name != found.name:
            raise Invalid([(("name",), f"Give the name of the cluster, {found.name}.")])
        left = services.left_behind(found)
        services.forget_cluster(cluster=found, by=self.user)
        return answer(request, shapes.Left(left=left))


def visible(endpoint: Endpoint) -> QuerySet[Cluster]:
    """The clusters that the caller may see."""
    rows = Cluster.objects.visible_to(endpoint.user).select_related("status")
    return rows.defer("sealed_credentials", "sealed_prometheus", "ca_pem", "prometheus_ca_pem", "tested")


def owned(endpoint: Endpoint, pk: uuid.UUID) -> Cluster:
    """A cluster, for platform admins: who does not see it finds nothing, who does may not."""
    found = get_object_or_404(Cluster.objects.visible_to(endpoint.user), pk=pk)
    only_platform_admins(endpoint.user)
    return found
