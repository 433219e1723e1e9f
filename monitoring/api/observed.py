"""The API of what is really happening, from what the watcher saw last and Prometheus measured.

Each answer about a deployment says when the cluster was last heard of (`seen_at`); older than LLMDASH_STALE_SECONDS is
`stale`, and a stale status is never shown as healthy.
"""

import uuid
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import glance
from deployments.api.base import ACCEPTED, Endpoint, accepted, newest_of, only_platform_admins, paged, route
from deployments.api.described import operation
from deployments.api.parameters import BILLION, text, whole
from deployments.glance import Glance
from deployments.http import Pages, answer, etag_of
from deployments.http.lists import size_of
from deployments.models import Cluster, ClusterStatus, Deployment, DeploymentStatus, NodeStatus
from deployments.serializers import AdoptUnknown, Nothing
from monitoring import conditions, connections, services, shapes, unknown

Shape = TypeVar("Shape", bound=Mapping[str, Any])


class Observed(Endpoint):
    """Something observed of a deployment, with an entity tag of its own."""

    returns: type[Mapping[str, Any]]

    @operation(tagged=True)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk)
        status = glance.related(deployment, "status", DeploymentStatus) or DeploymentStatus()
        seen = glance.of(deployment)
        body = self.say(deployment, status, seen)
        return answer(request, body, tag=etag_of(body, deployment.desired, status.seq))

    def say(self, deployment: Deployment, status: DeploymentStatus, seen: Glance) -> Mapping[str, Any]:
        raise NotImplementedError


class Status(Observed):
    """How it is: health with its cause in words, how far the newest revision came, and what drifted."""

    returns = shapes.Status

    def say(self, deployment: Deployment, status: DeploymentStatus, seen: Glance) -> shapes.Status:
        return {
            **age(seen),
            "health": seen.health.value,
            "sentence": seen.sentence,
            "ready": seen.ready,
            "wanted": seen.wanted,
            "gpus": seen.gpus,
            "revision": deployment.desired,
            "applied": deployment.applied,
            "observed_revision": status.observed_revision,
            "settled": deployment.is_settled,
            "rollout": status.rollout,
            "problem": deployment.problem,
            "last_error": chosen(deployment.last_error, shapes.LastError) if deployment.last_error else None,
            "next_attempt_at": deployment.next_attempt_at,
            "drift_policy": deployment.drift_policy,
            "drift": [chosen(item, shapes.Drift) for item in status.drift],
            "endpoint": status.endpoint,
            "changed_at": status.changed_at,
            "deleted_at": deployment.deleted_at,
        }


class Pods(Observed):
    """The pods with their stages."""

    returns = shapes.Pods

    def say(self, deployment: Deployment, status: DeploymentStatus, seen: Glance) -> shapes.Pods:
        return {**age(seen), "results": [chosen(pod, shapes.Pod) for pod in status.pods]}


class Events(Observed):
    """The events of its objects, newest first. `?limit` and `?cursor` go through them."""

    returns = shapes.Events
    parameters = ("limit", "cursor")
    described = {"cursor": whole("How many events to leave out.", minimum=0, maximum=BILLION)}

    def say(self, deployment: Deployment, status: DeploymentStatus, seen: Glance) -> shapes.Events:
        first, limit = self.whole("cursor", 0, most=1_000_000), size_of(self.request, "limit")
        last = first + limit
        more = f"{reverse('api:events', args=[deployment.pk])}?limit={limit}&cursor={last}"
        return {
            **age(seen),
            "next": more if last < len(status.events) else None,
            "results": [chosen(event, shapes.Event) for event in status.events[first:last]],
        }

    def whole(self, name: str, default: int, *, most: int) -> int:
        """A whole number of the query."""
        text = self.request.query_params.get(name, str(default))
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            raise ParseError(f"The query parameter {name!r} must be a whole number.")
        return min(int(text), most)


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


class Metrics(Endpoint):
    """What Prometheus measured of a deployment in the last minutes: the series of its charts, or why there are none."""

    parameters = ("minutes",)
    described = {"minutes": text("How far back.", enum=list(services.RANGES))}

    @operation("Read the metrics of a deployment", returns=shapes.Metrics)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        found, minutes = self.deployment(pk), request.query_params.get("minutes", "30")
        if minutes not in services.RANGES:
            raise ParseError(f"The query parameter 'minutes' must be one of {', '.join(services.RANGES)}.")
        said = services.charts(found, int(minutes))
        series = [{**chosen(one, shapes.SeriesFacts), "points": points(one["json"])} for one in said["charts"]]
        return answer(request, {**chosen(said, shapes.MetricsFacts), "series": series})


def points(drawing: dict[str, Any]) -> list[shapes.Point]:
    """The measurements of a chart, which draws one series."""
    [series] = drawing["series"]
    return [{"at": at, "value": value} for at, value in zip(drawing["x"], series["values"], strict=True)]


def age(seen: Glance) -> shapes.Seen:
    """How old the knowledge is."""
    return {"stale": seen.stale, "seen_at": seen.seen_at}


def chosen(item: dict[str, Any], shape: type[Shape]) -> Shape:
    """The shape's keys of a stored dict, None where one is absent; nothing else leaves."""
    return cast(Shape, {key: item.get(key) for key in shape.__annotations__})


urlpatterns: list[URLPattern] = [
    *route("clusters/<uuid:pk>/unknown", Unknown, "cluster-unknown"),
    *route("clusters/<uuid:pk>/nodes", Nodes, "cluster-nodes"),
    *route("deployments/<uuid:pk>/metrics", Metrics, "metrics"),
    *route("clusters/<uuid:pk>/conditions", Conditions, "conditions"),
    *route("clusters/<uuid:pk>/test", Test, "cluster-test"),
    *route("deployments/<uuid:pk>/status", Status, "status"),
    *route("deployments/<uuid:pk>/pods", Pods, "pods"),
    *route("deployments/<uuid:pk>/events", Events, "events"),
]
