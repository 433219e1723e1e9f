"""Deletion: in reverse order, by uid, until the last object is gone."""

from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from deployments import audit, kube
from deployments.crypto import CannotOpen
from deployments.models import AppliedObject, Deployment
from deployments.reconcile import inventory, provision
from deployments.reconcile.claim import release, renew
from deployments.reconcile.identity import identity
from deployments.reconcile.outcome import give_back_failed
from deployments.reconcile.reach import reach

LOOK_AGAIN_SECONDS = 1.0


def step(deployment: Deployment, owner: str) -> None:
    """Ask for the removal of each object, wait, and make the row a tombstone when nothing is left.

    Only objects that we created go; adopted ones stay and leave the inventory. A namespace that was removed took our
    objects and roles along; when it was made anew, the roles have to be made anew before anything can be asked.
    """
    Deployment.objects.filter(pk=deployment.pk, deletion_started_at=None).update(deletion_started_at=Now())
    try:
        left = [item for item in deployment.inventory.order_by("-id") if not removed(deployment, item, owner)]
    except CannotOpen as error:
        return give_back_failed(deployment, owner, kube.KubeError(str(error), 403, "CannotOpen"))
    except kube.KubeError as error:
        if error.status == 403 and namespace_is_gone(deployment):
            deployment.inventory.all().delete()
            left = []
        elif error.status == 403 and roles_made_again(deployment, owner):
            return release(deployment, owner, after=0)
        else:
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
    connection = reach(deployment.project.cluster)
    return inventory.remove(connection, item, identity(deployment, audit.LLMDASH))


def roles_made_again(deployment: Deployment, owner: str) -> bool:
    """Whether the project's roles were gone and stand again."""
    connection = reach(deployment.project.cluster)
    try:
        return provision.again(deployment.project, connection, lambda: renew(deployment, owner))
    except kube.KubeError:
        return False


def namespace_is_gone(deployment: Deployment) -> bool:
    """Whether the API server says so. The project's roles went with it, so deleting in it is forbidden for ever."""
    connection = reach(deployment.project.cluster)
    try:
        return kube.metadata(connection, "Namespace", "", deployment.project.namespace, identity=kube.ITSELF) is None
    except kube.KubeError:
        return False
