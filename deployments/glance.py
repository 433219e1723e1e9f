"""A Deployment at a glance: what lists and pages show of a row, joined with what the watcher saw.

A status never outlives its cluster's connection: when the cluster was last heard of too long ago the health is
unknown, whatever the row says.
"""

import functools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Case, CharField, F, OuterRef, Q, SmallIntegerField, Subquery, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone

from deployments.choices import Health, Problem
from deployments.models import ClusterStatus, Deployment, DeploymentStatus, Revision
from deployments.models.deployment import DeploymentQuerySet
from deployments.models.observed import too_old
from deployments.runtimes import RUNTIMES

T = TypeVar("T")
SORTS = {
    "name": ["name"],
    "health": ["health_rank_now", "name"],
    "ready": ["status__ready", "name"],
    "llm": ["llm", "name"],
    "runtime": ["runtime", "name"],
    "project": ["project__name", "name"],
    "gpus": ["status__gpus", "name"],
    "revision": ["desired", "name"],
    "changed": ["status__changed_at", "name"],
}


@dataclass(frozen=True)
class Glance:
    """`health` is unknown while `stale`; `seen_at` is when the cluster last proved that its watches live."""

    health: Health
    sentence: str
    ready: int
    wanted: int
    gpus: int
    stale: bool
    seen_at: datetime | None
    changed_at: datetime | None
    runtime: str
    pods: list[dict[str, Any]] = field(default_factory=list)


def listed() -> Any:  # a DeploymentQuerySet with columns of which its stubs know nothing
    """All rows with everything that a glance needs, in one query; to be narrowed by the caller."""
    limit = timezone.now() - timedelta(seconds=settings.LLMDASH["STALE_SECONDS"])
    fresh = Q(project__cluster__status__seen_at__gt=limit, status__isnull=False)
    return described().annotate(
        health_now=Case(
            When(fresh, then=F("status__health")), default=Value(Health.UNKNOWN.value), output_field=CharField()
        ),
        health_rank_now=Case(
            When(fresh, then=F("status__health_rank")), default=Value(0), output_field=SmallIntegerField()
        ),
    )


@functools.cache
def described() -> DeploymentQuerySet:
    """The part that is always the same. Django takes longer to put it together than PostgreSQL to answer it."""
    newest = Revision.objects.filter(deployment=OuterRef("pk"), number=OuterRef("desired"))

    def of_newest(key: str) -> Coalesce:
        value = Subquery(newest.values_list(KT(f"spec_json__{key}"))[:1])
        return Coalesce(value, Value(""), output_field=CharField())

    rows = Deployment.objects.select_related("project__cluster__status", "status")
    return rows.annotate(llm=of_newest("llm"), runtime=of_newest("runtime"))


def of(deployment: Deployment) -> Glance:
    """The glance of a row that `listed` fetched."""
    cluster = related(deployment.project.cluster, "status", ClusterStatus)
    status = related(deployment, "status", DeploymentStatus)
    stale = cluster is None or cluster.is_stale
    seen = status or DeploymentStatus()
    unknown = stale or status is None
    name, problem = deployment.project.cluster.name, deployment.problem
    heard = (cluster.seen_at, cluster.message) if cluster else (None, "")
    said = why_unknown(name, *heard, problem=problem, written=status is not None) if unknown else seen.sentence
    return Glance(
        health=Health.UNKNOWN if unknown else Health(seen.health),
        sentence=said,
        ready=seen.ready,
        wanted=seen.wanted,
        gpus=seen.gpus,
        stale=stale,
        seen_at=cluster.seen_at if cluster else None,
        changed_at=seen.changed_at,
        runtime=runtime_label(getattr(deployment, "runtime", "")),
        pods=seen.pods,
    )


def runtime_label(name: str) -> str:
    """The runtime's own name, as people write it."""
    return RUNTIMES[name].label if name in RUNTIMES else name


def related(row: Any, name: str, kind: type[T]) -> T | None:
    """The other side of a one-to-one relation, None when there is none."""
    found = getattr(row, name, None)
    return found if isinstance(found, kind) else None


def why_unknown(name: str, seen_at: datetime | None, message: str | None, *, problem: str, written: bool) -> str:
    """Why we cannot say how a deployment is. The cluster of this name was last heard of then, with this message; a
    status is `written` or not."""
    if seen_at is None:
        return f"Cluster {name} has not been reached yet{f': {message}' if message else '.'}"
    if too_old(seen_at):
        return f"Cluster {name} is not heard of: {message or 'its watches are silent'}"
    if not written and problem != Problem.POISON:
        return "Saved; not seen in the cluster yet."
    return "Not seen in the cluster yet."
