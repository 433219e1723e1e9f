"""The inventory: what stands in the cluster because of us.

A row is written before its object is, so that a worker that dies in between leaves nothing that nobody knows, and
never takes a stranger's object for one that we made.
"""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from deployments import comparison, kube
from deployments.manifests import labels
from deployments.manifests.secret import without_values
from deployments.models import AppliedObject, Deployment, Revision
from deployments.reconcile.claim import renew
from deployments.reconcile.identity import identity


def known(deployment: Deployment) -> dict[tuple[str, str], AppliedObject]:
    """The rows by kind and name."""
    return {(row.kind, row.name): row for row in deployment.inventory.all()}


def intend(
    deployment: Deployment, manifest: dict[str, Any], row: AppliedObject | None, found: kube.Found
) -> AppliedObject:
    """Write down what is about to be written, and whether we make it or adopt it: the row as it is then. A row without
    a uid stands for an object that we may have made and never saw."""
    if found.adopted:
        ours = {"uid": found.uid, "created_by_us": False}
    elif row is None:
        ours = {"uid": found.uid, "created_by_us": True}
    elif not found.uid and not row.created_by_us:  # what we had adopted is gone; the next one is made by us
        ours = {"created_by_us": True}
    else:
        return row
    meta = manifest["metadata"]
    key = {"deployment": deployment, "kind": manifest["kind"], "namespace": meta["namespace"], "name": meta["name"]}
    unseen = {"api_version": manifest["apiVersion"], "revision": 0, "applied_at": timezone.now()} | ours
    if row is None:
        with suppress(IntegrityError):  # whoever held the lease before us was here meanwhile
            return AppliedObject.objects.create(**key, **unseen)
    return AppliedObject.objects.update_or_create(**key, defaults=ours, create_defaults=unseen)[0]


def is_left_by(row: AppliedObject, revision: Revision, manifest: dict[str, Any]) -> bool:
    """Whether the last write of this object was of the same manifest for the same Revision: one that still has the
    version which that left needs none. What a policy rewrote is written in any case. The values of a Secret stand in no
    row, and are fixed by its Revision."""
    as_before = row.revision == revision.number and not row.rewritten
    return as_before and bool(row.manifest == without_values(manifest))


def news(row: AppliedObject, revision: Revision, manifest: dict[str, Any], applied: kube.Applied) -> dict[str, Any]:
    """The columns of a row that differ now that the API server has answered; nothing when it wrote nothing."""
    now = {
        "api_version": manifest["apiVersion"],
        "uid": applied.uid,
        "resource_version": applied.resource_version,
        "created_by_us": row.created_by_us or (row.uid != applied.uid and not applied.adopted),
        "revision": revision.number,
        "manifest": without_values(manifest),
        "rewritten": [] if manifest["kind"] == "Secret" else comparison.differences(manifest, applied.answer),
    }
    return {name: value for name, value in now.items() if value != getattr(row, name)}


def remember(row: AppliedObject, news: dict[str, Any]) -> None:
    """Write down what was written, and what the API server made of it."""
    AppliedObject.objects.filter(pk=row.pk).update(**news, applied_at=timezone.now())


def prune(
    connection: kube.Connection, deployment: Deployment, revision: Revision, *, keep: list[dict[str, Any]], owner: str
) -> None:
    """Remove what earlier Revisions made and this one does not have; adopted objects stay."""
    kept = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in keep}
    for item in deployment.inventory.all():
        if (item.kind, item.name) in kept:
            continue
        renew(deployment, owner)
        if not remove(connection, item, identity(deployment, revision.author_name)):
            raise kube.KubeError(f"{item} is still being removed.", 409, "BeingDeleted")


def remove(connection: kube.Connection, item: AppliedObject, who: kube.Identity) -> bool:
    """Delete an object that we created, or let one go that we adopted; true when it is struck off the inventory.

    What stands there under the name is ours by the inventory's uid, or by our owner labels when its maker died
    before the uid was written down. Anything else is somebody's.
    """
    where = (item.kind, item.namespace, item.name)
    live = kube.metadata(connection, *where, identity=who)
    if live is not None and not item.created_by_us:
        kube.disown(connection, *where, uid=item.uid, identity=who)
    ours = live if live is not None and item.created_by_us and is_ours(item, live) else None
    if ours and not kube.delete(connection, *where, uid=ours["uid"], identity=who):
        return False
    item.delete()
    return True


def is_ours(item: AppliedObject, live: dict[str, Any]) -> bool:
    """Whether the object that stands there is the one of this row."""
    installation = settings.LLMDASH["INSTALLATION"]
    return bool(live["uid"] == item.uid or labels.ours(live, installation, str(item.deployment_id)))
