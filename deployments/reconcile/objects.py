"""One object of a Revision: build, put, remember in the inventory, remove when it is no longer wanted."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from deployments import audit, kube
from deployments.choices import Action, DriftPolicy
from deployments.manifests import Workload
from deployments.manifests import build as build_manifests
from deployments.manifests.secret import without_values
from deployments.models import AppliedObject, Deployment, Revision, SecretValue
from deployments.models.secret import keyring
from deployments.reconcile import drift
from deployments.reconcile.adopt import adopt
from deployments.reconcile.claim import renew
from deployments.reconcile.identity import identity


def build(deployment: Deployment, revision: Revision) -> list[dict[str, Any]]:
    """The manifests of a Revision, secrets opened. Raises CannotOpen."""
    spec = revision.spec
    values = SecretValue.objects.in_bulk([var.secret for var in spec.env if var.secret])
    secrets = {var.name: values[var.secret].open() for var in spec.env if var.secret}
    digest = keyring().checksum(f"secret:{deployment.pk}", repr(sorted(secrets.items())).encode()) if secrets else ""
    return build_manifests(
        Workload(
            installation=settings.LLMDASH["INSTALLATION"],
            deployment_id=str(deployment.pk),
            name=deployment.name,
            namespace=deployment.project.namespace,
            project=deployment.project.name,
            revision=revision.number,
            spec=spec,
            secrets=secrets,
            secret_checksum=digest,
        )
    )


@dataclass(frozen=True)
class Put:
    """One manifest on its way, with what is known of its object."""

    connection: kube.Connection
    deployment: Deployment
    revision: Revision
    manifest: dict[str, Any]
    known: AppliedObject | None
    owner: str

    def send(self, *, force: bool) -> kube.Applied:
        """Apply it, as the author; when healing, as llmdash."""
        actor = audit.LLMDASH if force else self.revision.author_name
        taken = self.deployment.taken_over_at
        adopt = taken is not None and taken >= self.revision.created_at and self.known is None
        fence = kube.Fence(
            installation=settings.LLMDASH["INSTALLATION"], deployment_id=str(self.deployment.pk),
            revision=self.revision.number, known_uid=self.known.uid if self.known else "", adopt=adopt,
            force=force or adopt,
        )  # fmt: skip
        who = identity(self.deployment, actor)
        hold = partial(renew, self.deployment, self.owner)
        return kube.apply(self.connection, self.manifest, identity=who, fence=fence, before_write=hold)


def put(
    connection: kube.Connection, deployment: Deployment, revision: Revision, manifest: dict[str, Any], *, owner: str
) -> None:
    """Apply one object and write it into the inventory. Raises KubeError, Contested, Adopted, LeaseLost."""
    renew(deployment, owner)
    known = deployment.inventory.filter(kind=manifest["kind"], name=manifest["metadata"]["name"]).first()
    act = Put(connection, deployment, revision, manifest, known, owner)
    if known and known.revision == revision.number:
        refuse_to_bring_back(connection, deployment, known)
    try:
        if known and known.revision == revision.number:
            drift.refuse_quiet_scaling(connection, manifest, identity(deployment, revision.author_name))
        applied = act.send(force=False)
    except kube.FieldConflict as conflict:
        if deployment.drift_policy == DriftPolicy.ADOPT and not drift.taken_over(deployment):
            adopt(connection, deployment, revision, manifest, conflict)
        settle(deployment, manifest, conflict)
        renew(deployment, owner)
        applied = act.send(force=True)
    if known and known.uid != applied.uid:
        audit.record(None, Action.HEAL, deployment, project=deployment.project, object=str(known), was="removed")
    remember(deployment, revision, manifest, applied, known)


def refuse_to_bring_back(connection: kube.Connection, deployment: Deployment, known: AppliedObject) -> None:
    """Raise when an object of this Revision was removed behind our back and the policy is to leave it so."""
    if deployment.drift_policy == DriftPolicy.HEAL or drift.taken_over(deployment):
        return
    who = identity(deployment, audit.LLMDASH)
    if kube.metadata(connection, known.kind, known.namespace, known.name, identity=who) is None:
        raise kube.KubeError(
            f"{known} was removed from the cluster, and the drift policy is to leave it.", 404, "Removed"
        )


def settle(deployment: Deployment, manifest: dict[str, Any], conflict: kube.FieldConflict) -> None:
    """Decide a field conflict: returns when we may force, raises when we may not."""
    taken = drift.taken_over(deployment)
    if deployment.drift_policy != DriftPolicy.HEAL and not taken:
        raise kube.KubeError(conflict.message, 409, "FieldConflict", conflict.causes)
    if taken:
        drift.write(deployment, [])
    elif rivals := drift.note_win(deployment, manifest, conflict.causes):
        audit.record(None, Action.CONTEST, deployment, project=deployment.project, rivals=rivals)
        fields = ", ".join(cause.field for cause in conflict.causes)
        raise drift.Contested(
            f"{' and '.join(rivals)} keeps changing {fields} of {manifest['kind']} {manifest['metadata']['name']}.",
            409, "Contested", conflict.causes,
        )  # fmt: skip
    for cause in conflict.causes:
        audit.record(
            None, Action.HEAL, deployment, project=deployment.project, rival=cause.manager, field=cause.field,
            object=f"{manifest['kind']}/{manifest['metadata']['name']}",
        )  # fmt: skip


def remember(
    deployment: Deployment, revision: Revision, manifest: dict[str, Any], applied: kube.Applied,
    known: AppliedObject | None,
) -> None:  # fmt: skip
    """Write the inventory. An object that stood there before our first apply is not ours to delete."""
    AppliedObject.objects.update_or_create(
        deployment=deployment, kind=manifest["kind"], namespace=manifest["metadata"]["namespace"],
        name=manifest["metadata"]["name"],
        defaults={
            "api_version": manifest["apiVersion"],
            "uid": applied.uid,
            "resource_version": applied.resource_version,
            "created_by_us": known.created_by_us if known and known.uid == applied.uid else not applied.adopted,
            "revision": revision.number,
            "manifest": without_values(manifest),
            "applied_at": timezone.now(),
        },
    )  # fmt: skip


def prune(
    connection: kube.Connection, deployment: Deployment, revision: Revision, *, keep: list[dict[str, Any]], owner: str
) -> None:
    """Remove what earlier Revisions made and this one does not have, by the inventory's uid; adopted ones stay."""
    kept = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in keep}
    for item in deployment.inventory.all():
        if (item.kind, item.name) in kept:
            continue
        renew(deployment, owner)
        if not remove(connection, item, identity(deployment, revision.author_name)):
            raise kube.KubeError(f"{item} is still being removed.", 409, "BeingDeleted")


def remove(connection: kube.Connection, item: AppliedObject, who: kube.Identity) -> bool:
    """Delete an object that we created, or let one go that we adopted; true when it is struck off the inventory."""
    where = (item.kind, item.namespace, item.name)
    if not item.created_by_us:
        kube.disown(connection, *where, uid=item.uid, identity=who)
    elif not kube.delete(connection, *where, uid=item.uid, identity=who):
        return False
    item.delete()
    return True
