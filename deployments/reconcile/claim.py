"""Which row is worked on by whom: leases on the database's clock, taken while the row and its cluster's are locked.

The database is the queue. A row is due when a newer Revision or a deletion was asked for, or when its time has come.
"""

import functools
import os
import socket
import threading
import uuid
from collections import Counter
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, DateTimeField, F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from deployments import metrics
from deployments.choices import REFUSING, Problem
from deployments.models import Cluster, ClusterStatus, Deployment

log = structlog.get_logger(__name__)
MAX_DEATHS = 3
FREE = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=Now())
WANTS = (
    Q(desired__gt=F("attempted"))
    | Q(asked__gt=F("answered"))
    | Q(deleted_at__isnull=False, deletion_started_at__isnull=True)
    | Q(next_attempt_at__lte=Now())
    | ~Q(lease_owner="")
)
# A parked row wakes up for a person's act, and once for its deletion.
ASLEEP = Q(Q(deleted_at__isnull=True) | Q(deletion_started_at__isnull=False)) & Q(
    problem=Problem.POISON, desired=F("attempted"), asked=F("answered"), lease_owner=""
)


class LeaseLost(Exception):
    """Another worker has taken the row; whatever we would write is late."""


def me() -> str:
    """This worker thread's name on its leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}:{uuid.uuid4().hex[:8]}"


def lease_until() -> object:
    """The database's now and a lease's length."""
    return Now() + timedelta(seconds=settings.LLMDASH["LEASE_SECONDS"])


def due() -> QuerySet[Deployment]:
    """Rows that want work and that nobody holds, the one served least lately first.

    A row whose lease ran out without being given back is due, whatever its other columns say.
    """
    return _due().all()


@functools.cache
def _due() -> QuerySet[Deployment]:
    """Kept, since Django takes longer to put it together than PostgreSQL to answer it."""
    rejected = ClusterStatus.objects.filter(connection__in=REFUSING)
    return (
        Deployment.objects.filter(WANTS, FREE, gone_at__isnull=True)
        .exclude(ASLEEP)
        .exclude(project__cluster__in=rejected.values("cluster"))
        .order_by(F("next_attempt_at").asc(nulls_first=True), "created_at")
    )


def claim(owner: str, served: dict[uuid.UUID, int] | None = None) -> Deployment | None:
    """Take one due row, or none: of the project with the fewest rows in work, served least lately.

    `served` tells each project's last turn and is kept up to date. A lease that ran out without being given back
    counts as a death of its worker.
    """
    turns = {} if served is None else served
    load, full = loads()
    waiting = due().exclude(project__cluster__in=full) if full else due()
    projects = set(waiting.order_by().values_list("project", "project__cluster").distinct())
    for project, cluster in sorted(projects, key=lambda one: (load[one[0]], turns.get(one[0], 0), one[0])):
        if row := first_of(project, cluster, owner):
            turns[project] = max(turns.values(), default=0) + 1
            return row
    return None


def loads() -> tuple[Counter[uuid.UUID], list[uuid.UUID]]:
    """How many rows of each project are in work now, and the clusters that have as many as they may."""
    load, of_cluster, most = Counter[uuid.UUID](), Counter[uuid.UUID](), dict[uuid.UUID, int]()
    held = Deployment.objects.held().order_by()
    columns = ("project", "project__cluster", "project__cluster__max_in_flight")
    for project, cluster, allowed, number in held.values_list(*columns).annotate(n=Count("pk")):
        load[project] += number
        of_cluster[cluster] += number
        most[cluster] = allowed
    return load, [cluster for cluster, number in of_cluster.items() if number >= most[cluster]]


@transaction.atomic
def first_of(project: uuid.UUID, cluster: uuid.UUID, owner: str) -> Deployment | None:
    """Lease the first due row of a project, unless its cluster has enough in work by now: whoever takes one there holds
    the cluster's row meanwhile. Rows that killed their workers are parked on the way."""
    locked = Cluster.objects.select_for_update(no_key=True).filter(pk=cluster)
    most = locked.values_list("max_in_flight", flat=True).first() or 0  # it may have been forgotten meanwhile
    if Deployment.objects.held().filter(project__cluster=cluster).count() >= most:
        return None
    rows = due().filter(project=project).select_related("project__cluster")
    while True:
        row = rows.select_for_update(skip_locked=True, of=("self",)).first()
        if row is None or take(row, owner):
            return row


def take(row: Deployment, owner: str) -> bool:
    """Lease a row that is locked, or park it.

    `next_attempt_at` is emptied, so that one set while the row is held is a wish to look again and is kept.
    """
    row.deaths = row.deaths + 1 if row.lease_owner else 0
    if row.deaths >= MAX_DEATHS:
        park(row)
        return False
    row.lease_owner, row.next_attempt_at = owner, None
    Deployment.objects.filter(pk=row.pk).update(
        lease_owner=owner, lease_expires_at=lease_until(), deaths=row.deaths, next_attempt_at=None
    )
    return True


def park(row: Deployment) -> None:
    """Set a row aside that killed its workers; a new Revision brings it back."""
    sentence = f"{row.deaths} workers died while applying this. It waits for an edit."
    Deployment.objects.filter(pk=row.pk).update(
        problem=Problem.POISON, last_error={"message": sentence, "reason": "Poison"}, attempted=F("desired"),
        answered=F("asked"), lease_owner="", lease_expires_at=None, next_attempt_at=None, deaths=0,
    )  # fmt: skip
    metrics.FAILED.labels(Problem.POISON.value).inc()
    log.error("a row killed its workers and is parked", deaths=row.deaths)


def renew(deployment: Deployment, owner: str) -> None:
    """Hold the row for another lease, even one that ran out while nobody wanted it. Raises LeaseLost when somebody
    else has it."""
    metrics.beat()
    mine = Deployment.objects.filter(pk=deployment.pk, lease_owner=owner)
    if not mine.update(lease_expires_at=lease_until()):
        raise LeaseLost(f"{deployment.name}: the lease is gone")


def release(deployment: Deployment, owner: str, *, after: float | None, **columns: object) -> None:
    """Give the row back with what came of it; `after` seconds from now it is due again, None for never by itself.

    Whoever asked meanwhile to look again is heard.
    """
    asked = F("next_attempt_at")
    due_at = asked if after is None else Coalesce(asked, Now() + timedelta(seconds=after), output_field=DateTimeField())
    Deployment.objects.filter(pk=deployment.pk, lease_owner=owner).update(
        lease_owner="", lease_expires_at=None, deaths=0, next_attempt_at=due_at, answered=deployment.asked, **columns
    )


def look_again(deployment_id: str) -> None:
    """Make a row due now, since its cluster differs from it."""
    Deployment.objects.filter(pk=deployment_id, gone_at__isnull=True).exclude(problem=Problem.POISON).update(
        next_attempt_at=Now()
    )
