"""Is everything serving, and what needs a person? The parts of the first page."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, Value, When
from django.urls import reverse

from deployments import advice, glance
from deployments.choices import BY_OTHERS, Connection, DriftPolicy, Health, Problem, Shown, Sign
from deployments.models import Cluster, ClusterStatus
from monitoring import conditions

PAGES = {"deployment": "deployments:detail", "cluster": "monitoring:cluster"}
MOST = 12  # things that need a person; the list of deployments shows the rest
NEEDS_ONE = (Health.FAILING, Health.DEGRADED, Health.WAITING)
# What is worst comes first: what fails, what was given up, what waits for a person, what half serves.
URGENCY = [
    When(problem=Problem.POISON, then=Value(1)),
    When(problem__in=[Problem.CONTESTED, Problem.NEWER], then=Value(2)),
    When(health_now=Health.FAILING, then=Value(0)),
    When(problem=Problem.WAIT, then=Value(3)),
    When(health_now=Health.DEGRADED, then=Value(4)),
    When(health_now=Health.WAITING, then=Value(5)),
]


@dataclass(frozen=True)
class Matter:
    """Something that needs a person: what, why, and what to do."""

    look: Shown
    kind: str  # "deployment" or "cluster"
    id: uuid.UUID
    name: str
    where: str
    sentence: str
    step: str
    since: datetime | None

    @property
    def url(self) -> str:
        """Its page."""
        return reverse(PAGES[self.kind], args=[self.id])


def matters(deployments: Any, clusters: list[Cluster]) -> tuple[list[Matter], int]:
    """What needs a person, the worst first, at most MOST of them, out of rows as `glance.listed` gives them; and how
    many there are in all.

    Clusters come first: a silent one is the cause of every unknown deployment on it, which are not listed again.
    """
    found = [matter for cluster in clusters for matter in of_cluster(cluster)]
    rows = deployments.filter(
        Q(health_now__in=NEEDS_ONE)
        | Q(problem__in=[Problem.POISON, Problem.CONTESTED, Problem.WAIT])
        | Q(problem=Problem.NEWER) & ~Q(drift_policy=DriftPolicy.LEAVE)
    )
    left = Q(drift_policy=DriftPolicy.LEAVE, applied=F("desired"), last_error__reason__in=BY_OTHERS)
    rows = rows.exclude(left, problem=Problem.WAIT, health_now__in=[Health.SERVING, Health.STOPPED])
    # A problem from before a deletion says nothing of it until its first try.
    rows = rows.exclude(deleted_at__isnull=False, deletion_started_at__isnull=True)
    rows = rows.annotate(urgency=Case(*URGENCY, default=Value(9), output_field=IntegerField()))
    total = len(found) + rows.count()
    found += [of_deployment(row) for row in rows.order_by("urgency", "name")[:MOST]]
    return found[:MOST], total


def of_cluster(cluster: Cluster) -> Iterator[Matter]:
    """What is not well with a cluster: its connection, or else what will end it or hinders its use."""
    status = getattr(cluster, "status", None) or ClusterStatus()
    word, it = Connection(status.connection), ("cluster", cluster.pk, cluster.name, "cluster")
    if word != Connection.CONNECTED or status.is_stale:
        said = status.message or ("Not heard of lately." if status.seen_at else "Not connected yet.")
        yield Matter(word, *it, said, advice.BY_CONNECTION[word], status.seen_at or status.since or cluster.created_at)
        return
    for condition in (
        conditions.credentials(cluster, status),
        conditions.rights(cluster),
        conditions.prometheus(cluster),
    ):
        if condition.sign == Sign.BAD or (condition.sign == Sign.WARNING and condition.name == "Credentials"):
            said = f"{condition.name}: {condition.sentence}"
            yield Matter(condition.sign, *it, said, condition.step, condition.at)
    if status.unknown:
        known = conditions.known(status)
        yield Matter(Problem.NEWER, *it, known.sentence, known.step, None)


def of_deployment(row: Any) -> Matter:
    """A deployment that does not serve as it should."""
    seen = glance.of(row)
    kind = Problem(row.hindrance) if row.hindrance else None
    if kind and (kind != Problem.BACK_OFF):
        look: Shown = kind
        step = advice.of_problem(kind, row.last_error, deleting=row.deleted_at is not None)
        sentence = row.last_error.get("message") or seen.sentence
    else:
        look, sentence, step = seen.health, seen.sentence, advice.of_health(seen.health, seen.pods)
    where = f"{row.project.name}, {row.project.cluster.name}"
    return Matter(look, "deployment", row.pk, row.name, where, sentence, step, seen.changed_at)


def by_health(deployments: Any) -> tuple[list[dict[str, Any]], int]:
    """How many deployments are how, worst knowledge first; and how many differ from what was applied and are left so on
    purpose."""
    drifts = Q(drift_policy=DriftPolicy.LEAVE, status__isnull=False) & ~Q(status__drift=[])
    counted = deployments.order_by().values("health_now").annotate(n=Count("pk"))
    rows = {row["health_now"]: row for row in counted.annotate(drifting=Count("pk", filter=drifts))}
    healths = [{"choice": health, "count": rows[health]["n"] if health in rows else 0} for health in Health]
    return healths, sum(row["drifting"] for row in rows.values())


def gpus(clusters: list[Cluster]) -> list[dict[str, Any]]:
    """GPUs by type and cluster, as `capacity.summary` counts them, with the cluster and whether it is stale."""
    found, counted = list[dict[str, Any]](), set[str]()
    for cluster in sorted(clusters, key=lambda one: one.created_at):
        status = getattr(cluster, "status", None) or ClusterStatus()
        identity = cluster.identity or status.identity
        if identity and identity in counted:
            continue  # the same cluster, registered twice
        counted.add(identity)
        found += [row | {"cluster": cluster, "stale": status.is_stale} for row in status.capacity.get("gpus", [])]
    return sorted(found, key=lambda row: (row["product"] or row["resource"], row["cluster"].name))


def totals(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All whole GPUs together, and how many slices there are beside them; `free` is None when it is not known of one
    of them."""
    whole = [row for row in rows if not is_slice(row)]
    free = [None if row["stale"] else row["free"] for row in whole]
    return {
        "total": sum(row["total"] for row in whole),
        "used": sum(row["used"] for row in whole),
        "free": None if None in free else sum(number for number in free if number is not None),
        "slices": sum(row["total"] for row in rows if is_slice(row)),
    }


def is_slice(row: dict[str, Any]) -> bool:
    """Whether a row of capacity counts MIG slices, which are parts of a GPU."""
    return "/mig-" in row["resource"]
