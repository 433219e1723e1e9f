"""The step that the endless loop repeats: one claimed row, until its newest Revision is applied or refused."""

import random
import time
import uuid
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections

from deployments import kube, metrics, stream
from deployments.crypto import CannotOpen
from deployments.models import Deployment, Revision
from deployments.reconcile import building, drift, inventory, objects, orphans, provision, removal
from deployments.reconcile.adopt import Adopted
from deployments.reconcile.claim import LeaseLost, claim, look_again, me, release, renew
from deployments.reconcile.outcome import Progress, give_back_failed, record_refusal, record_success
from deployments.reconcile.reach import reach

log = structlog.get_logger(__name__)


def drain(limit: int = 1000) -> int:
    """Work until nothing is due; returns how many rows were worked on."""
    worked = 0
    served: dict[uuid.UUID, int] = {}  # each project's last turn
    try:
        while worked < limit:
            metrics.beat()
            close_old_connections()
            owner = me()
            deployment = claim(owner, served)
            if deployment is None:
                break
            work(deployment, owner)
            worked += 1
    finally:
        metrics.rest()  # an outage of the database makes no loop stuck
    return worked


def work(deployment: Deployment, owner: str) -> None:
    """Bring one claimed row as far as it goes and give it back."""
    began = time.perf_counter()
    metrics.CLAIMED.inc()
    with structlog.contextvars.bound_contextvars(deployment=str(deployment.pk), name=deployment.name):
        try:
            if deployment.deleted_at:
                removal.step(deployment, owner)
            else:
                apply_newest(deployment, owner)
        except LeaseLost:
            log.warning("the lease was lost; another worker goes on")
            look_again(str(deployment.pk))  # what we wrote late may stand where another has written
            clean_up_late(deployment)
        except Exception as error:
            # One row's surprise must not stop the others; it is tried again like a failure of the cluster.
            log.exception("a row could not be worked on")
            give_back_failed(
                deployment, owner, kube.KubeError(f"{type(error).__name__} in llmdash; see its log.", 0, "Internal")
            )
    metrics.ROW_SECONDS.observe(time.perf_counter() - began)
    stream.publish(stream.DEPLOYMENT, [deployment.pk])


def clean_up_late(deployment: Deployment) -> None:
    """What we wrote after the row was deleted by the worker that took it from us. Nobody watches Secrets, so nobody
    else would find that one."""
    deployment.refresh_from_db(fields=["gone_at"])
    try:
        orphans.remove(deployment)
    except (kube.KubeError, CannotOpen):
        log.exception("what was written late could not be removed")


def apply_newest(deployment: Deployment, owner: str) -> None:
    """Apply the newest Revision; when another came meanwhile, go on with that."""
    while True:
        revision = deployment.revisions.get(number=deployment.desired)
        progress = Progress()
        try:
            apply_revision(deployment, revision, owner, progress)
        except Adopted:
            deployment.refresh_from_db(fields=["desired", "deleted_at"])
            if deployment.deleted_at:
                return release(deployment, owner, after=0)
            continue
        except kube.KubeError as error:
            return refused(deployment, revision, owner, error, progress)
        except CannotOpen as error:
            return refused(deployment, revision, owner, kube.KubeError(str(error), 403, "CannotOpen"), progress)
        record_success(revision, progress)
        deployment.refresh_from_db(fields=["desired", "deleted_at"])
        if deployment.desired == revision.number:
            metrics.APPLIED.inc()
            return release(
                deployment, owner, after=settings.LLMDASH["RECHECK_SECONDS"] * random.uniform(0.9, 1.1),  # noqa: S311
                applied=revision.number, attempted=revision.number, attempts=0, problem="", last_error={},
                heals=drift.settled(deployment),
            )  # fmt: skip


def refused(
    deployment: Deployment, revision: Revision, owner: str, error: kube.KubeError, progress: Progress
) -> None:  # fmt: skip
    """Write down why not, as long as the row is ours. Raises LeaseLost: what refuses a late writer is no news of the
    Revision."""
    renew(deployment, owner)
    record_refusal(revision, error, progress)
    give_back_failed(deployment, owner, error, progress)


def apply_revision(deployment: Deployment, revision: Revision, owner: str, progress: Progress) -> None:
    """Every object in order, then the removal of what the Revision no longer has."""
    connection = reach(deployment.project.cluster)
    hold = partial(renew, deployment, owner)
    provision.ensure(deployment.project, connection, hold)
    manifests = building.build(deployment, revision)
    progress.total = len(manifests)
    try:
        put_all(connection, deployment, revision, manifests, owner, progress)
    except kube.KubeError as error:
        if error.status != 403 or not provision.again(deployment.project, connection, hold):
            raise
        put_all(connection, deployment, revision, manifests, owner, progress)


def put_all(
    connection: kube.Connection, deployment: Deployment, revision: Revision, manifests: list[dict[str, Any]],
    owner: str, progress: Progress,
) -> None:  # fmt: skip
    """Put the objects and prune; `progress` tells how far it came."""
    progress.done.clear()
    known = inventory.known(deployment)
    for manifest in manifests:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        objects.put(connection, deployment, revision, manifest, known.get((kind, name)), owner=owner)
        progress.done.append(f"{kind}/{name}")
    inventory.prune(connection, deployment, revision, keep=manifests, owner=owner)
