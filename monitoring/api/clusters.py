"""The API of what is seen of clusters: conditions, nodes, connection tests, and what the database does not know."""

import uuid
from collections.abc import Mapping
from typing import cast

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import glance
from deployments.api.base import ACCEPTED, Endpoint, accepted, newest_of, only_platform_admins, paged
from deployments.api.described import operation
from deployments.bodies import AdoptUnknown, Nothing
from deployments.http import Pages, answer
from deployments.models import Cluster, ClusterStatus, Deployment, NodeStatus
from monitoring import conditions, connections, shapes, unknown
from monitoring.api.base import chosen


class Conditions(Endpoint):
    """What is well with a cluster and what is not, each in a sentence with the next step."""

    @operation("Read the conditions of a cluster", returns=shapes.Conditions)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        row = get_object_or_404(Cluster.objects.visible_to(self.user).select_related("status"), pk=pk)
        status = glance.related(row, "status", ClusterStatus) or ClusterStatus()
        found: list[shapes.Condition] = [
            {"name": one.name, "sign": one.sign.value, "sentence": one.sentence, "step": one.step, "at": one.at}
            for one in conditions.of(row, status)
        ]
        return answer(request, shapes.Conditions(results=found))


class Test(Endpoint):
    """Connect to a cluster with its stored credentials, and ask what they allow and whether its Prometheus answers. The
    report is kept. For platform admins."""

    @operation("Test the connection to a cluster", takes=Nothing, returns=shapes.Report)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        row = get_object_or_404(Cluster.objects.visible_to(self.user), pk=pk)
        only_platform_admins(self.user)
        self.body(Nothing)
        return answer(request, connections.test_and_keep(row))


class Unknown(Endpoint):
    """Deployments that stand in a cluster by llmdash's labels and that the database does not know, as after a restore
    from an older backup. They are left alone until a platform admin adopts them."""

    @operation("List what the database does not know", returns=shapes.Unknown)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        status = glance.related(self.cluster(pk), "status", ClusterStatus) or ClusterStatus()
        return answer(request, shapes.Unknown(results=[chosen(row, shapes.UnknownOne) for row in status.unknown]))

    @operation("Adopt a deployment that the database does not know", takes=AdoptUnknown, **ACCEPTED, refuses=(409,))
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        cluster, wanted = self.cluster(pk), self.body(AdoptUnknown).deployment
        made = unknown.adopt(cluster, wanted, self.user)
        return accepted(request, made, newest_of(made))

    def cluster(self, pk: uuid.UUID) -> Cluster:
        """The cluster, for platform admins: who does not see it finds nothing, who does may not."""
        found = get_object_or_404(Cluster.objects.visible_to(self.user).select_related("status"), pk=pk)
        only_platform_admins(self.user)
        return found


class Nodes(Endpoint):
    """The nodes of a cluster by name, with their GPUs and those deployments of the caller that hold them."""

    parameters = ("page", "page_size", "search")

    @operation("List the nodes of a cluster", returns=shapes.Node, listed="pages")
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        row = get_object_or_404(Cluster.objects.visible_to(self.user).select_related("status"), pk=pk)
        mine = Deployment.objects.visible_to(self.user).filter(project__cluster=row).values_list("pk", "name")
        names = {str(key): name for key, name in mine}
        status = glance.related(row, "status", ClusterStatus) or ClusterStatus()
        all_listed = all(kind.get("free") is not None for kind in status.capacity.get("gpus", []))
        search = request.query_params.get("search", "").strip()
        rows = row.nodes.filter(name__icontains=search).order_by("name", "pk")
        return paged(self, Pages(), rows, lambda one: node(one, names, all_listed=all_listed))


def node(row: NodeStatus, names: Mapping[str, str], *, all_listed: bool) -> shapes.Node:
    """One node. `all_listed`: every pod of the cluster may be listed, so that what nobody is seen to hold is free."""
    return {
        **cast(shapes.NodeFacts, {key: getattr(row, key) for key in shapes.NodeFacts.__annotations__}),
        "gpus": [
            {
                **chosen(kind, shapes.GpuFacts),
                "free": max(0, kind["allocatable"] - kind["used"]) if all_listed else None,
                "holders": [
                    {**chosen(one, shapes.HolderFacts), "name": names[one["deployment"]]}
                    for one in kind["owners"]
                    if one["deployment"] in names
                ],
            }
            for kind in row.gpus
        ],
    }
