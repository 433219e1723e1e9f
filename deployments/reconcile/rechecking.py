"""Look again at what is applied, many rows at once.

One list of metadata for each kind of a project's objects tells which of them stand as their last write left them. Rows
of which all do are put off until the next time and need no step of their own; whatever differs comes to its step.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from deployments import audit, choices, kube, metrics
from deployments.crypto import CannotOpen
from deployments.manifests import labels
from deployments.models import AppliedObject, Deployment, Project, Revision
from deployments.reconcile import building, inventory
from deployments.reconcile.claim import FREE
from deployments.reconcile.identity import operator
from deployments.reconcile.reach import reach

log = structlog.get_logger(__name__)
SOON = 0.5  # of the interval: rows whose turn comes by then are looked at together
BATCH = 200  # rows that are held at once
FORBIDDEN = 403
# A row that wants nothing but its turn, by columns of its own: those PostgreSQL reads again when somebody has changed
# the row meanwhile.
STANDS = FREE & Q(
    applied=F("desired"), attempted=F("desired"), answered=F("asked"), problem="", lease_owner="",
    deleted_at__isnull=True, gone_at__isnull=True,
)  # fmt: skip
Versions = dict[tuple[str, str], kube.Version]  # by kind and name
Turns = dict[uuid.UUID, datetime | None]  # of each row


def recheck() -> int:
    """Put off the rows that stand as they were left, in every cluster that answers; returns how many."""
    put_off = 0
    silent: set[uuid.UUID] = set()
    for project in Project.objects.filter(pk__in=soon().order_by().values("project")).select_related("cluster"):
        metrics.beat()
        if project.cluster_id in silent:
            continue
        try:
            put_off += of_project(project)
        except kube.KubeError as error:
            # Its rows come to their own steps, which say what is wrong.
            log.info("rows could not be looked at together", project=str(project.pk), message=str(error))
            if error.status != FORBIDDEN:
                silent.add(project.cluster_id)
    metrics.RECHECKED.inc(put_off)
    return put_off


def soon() -> QuerySet[Deployment]:
    """The rows whose turn comes soon, in clusters that answer."""
    by_then = Now() + timedelta(seconds=settings.LLMDASH["RECHECK_SECONDS"] * SOON)
    connected = Q(project__cluster__status__connection=choices.Connection.CONNECTED)
    return Deployment.objects.filter(STANDS, connected, next_attempt_at__lte=by_then)


def of_project(project: Project) -> int:
    """Put off the rows of one project that stand as they were left; returns how many. Raises KubeError."""
    try:
        connection = reach(project.cluster)
    except CannotOpen:
        return 0
    turns = dict(soon().filter(project=project).order_by("pk").values_list("pk", "next_attempt_at"))
    standing = listed(connection, project, turns)
    put_off, left = 0, iter(turns)
    while batch := list(islice(left, BATCH)):
        same = [row.pk for row, revision in loaded(batch) if stands(connection, row, revision, standing)]
        put_off += later({pk: turns[pk] for pk in same})
    return put_off


def listed(connection: kube.Connection, project: Project, rows: Turns) -> Versions:
    """The versions of all our objects of a namespace, but of no Secret: nobody may list those. Raises KubeError."""
    who = operator(project, audit.LLMDASH)
    selector = f"{labels.INSTALLATION}={settings.LLMDASH['INSTALLATION']}"
    kinds = AppliedObject.objects.filter(deployment__in=rows).exclude(kind="Secret").order_by()
    found: Versions = {}
    for kind in kinds.values_list("kind", flat=True).distinct():
        of_kind = kube.versions(connection, kind, project.namespace, label_selector=selector, identity=who)
        found |= {(kind, name): version for name, version in of_kind.items()}
    return found


def loaded(rows: list[uuid.UUID]) -> Iterator[tuple[Deployment, Revision]]:
    """Rows that still want nothing, with all that building them reads: three queries."""
    found = Deployment.objects.filter(STANDS, pk__in=rows).select_related("project__cluster")
    revisions = Revision.objects.filter(deployment__in=rows, number=F("deployment__desired"))
    newest = {revision.deployment_id: revision for revision in revisions}
    for row in found.prefetch_related("inventory"):
        yield row, newest[row.pk]


def stands(connection: kube.Connection, row: Deployment, revision: Revision, standing: Versions) -> bool:
    """Whether a step would find every object at the version that its last write left, and nothing to remove."""
    try:
        manifests = building.build(row, revision)
    except CannotOpen:
        return False
    known = {(item.kind, item.name): item for item in row.inventory.all()}
    if known.keys() != {(made["kind"], made["metadata"]["name"]) for made in manifests}:
        return False
    for made in manifests:
        item = known[made["kind"], made["metadata"]["name"]]
        if not inventory.is_left_by(item, revision, made):
            return False
        if (item.uid, item.resource_version) != version(connection, row, item, standing):
            return False
    return True


def version(
    connection: kube.Connection, row: Deployment, item: AppliedObject, standing: Versions
) -> kube.Version | None:
    """The version of an object that stands in the cluster: from the list, or of a Secret by a read of its own."""
    if item.kind != "Secret":
        return standing.get((item.kind, item.name))
    live = kube.metadata(
        connection, item.kind, item.namespace, item.name, identity=operator(row.project, audit.LLMDASH)
    )
    return (live["uid"], live["resourceVersion"]) if live else None


def later(turns: Turns) -> int:
    """Put rows off by the interval, unless somebody asked meanwhile to look at them; returns how many."""
    unasked = Deployment.objects.filter(STANDS, pk__in=turns, next_attempt_at__in=set(turns.values()))
    return unasked.update(next_attempt_at=Now() + timedelta(seconds=settings.LLMDASH["RECHECK_SECONDS"]))
