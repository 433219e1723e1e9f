"""The API of what is seen of a deployment, from what the watcher saw last and Prometheus measured.

Each answer about a deployment says when the cluster was last heard of (`seen_at`); older than LLMDASH_STALE_SECONDS is
`stale`, and a stale status is never shown as healthy.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import glance
from deployments.api.base import Endpoint
from deployments.api.described import operation
from deployments.api.parameters import BILLION, text, whole
from deployments.glance import Glance
from deployments.http import answer, etag_of
from deployments.http.lists import size_of
from deployments.models import Deployment, DeploymentStatus
from monitoring import services, shapes
from monitoring.api.base import chosen


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
