"""Deletion: in reverse order, by uid, until the last object is gone."""

from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from deployments import kube
from deployments.models import AppliedObject, Deployment
from deployments.reconcile import objects
from deployments.reconcile.claim import release, renew
from deployments.reconcile.outcome import give_back_failed

LOOK_AGAIN_SECONDS = 1.0


def step(deployment: Deployment, owner: str) -> None:
    """Ask for the removal of each object, wait, and make the row a tombstone when nothing is left.

    Only objects that we created go; adopted ones stay and leave the inventory.
    """
    Deployment.objects.filter(pk=deployment.pk, deletion_started_at=None).update(deletion_started_at=Now())
    try:
        left = [item for item in deployment.inventory.order_by("-id") if not removed(deployment, item, owner)]
    except kube.KubeError as error:
        return give_back_failed(deployment, owner, error)
    if left:
        return release(deployment, owner, after=LOOK_AGAIN_SECONDS, **fine(deployment))
    release(deployment, owner, after=None, gone_at=timezone.now(), **fine(deployment))


def fine(deployment: Deployment) -> dict[str, Any]:
    """The columns of a row that goes well."""
    return {"attempts": 0, "problem": "", "last_error": {}, "attempted": deployment.desired}


def removed(deployment: Deployment, item: AppliedObject, owner: str) -> bool:
    """Delete one object; True when it is gone and struck off the inventory."""
    renew(deployment, owner)
    connection = kube.connect(deployment.project.cluster)
    who = objects.identity(deployment, "llmdash")
    if item.created_by_us and not kube.delete(
        connection, item.kind, item.namespace, item.name, uid=item.uid, identity=who
    ):
        return False
    item.delete()
    return True
