"""One object of a Revision on its way to the cluster: written; healed or contested when others changed it."""

from dataclasses import dataclass, field
from typing import Any, cast

from django.conf import settings
from django.db import transaction

from deployments import audit, fieldpath, kube
from deployments.choices import Action, DriftPolicy
from deployments.difference import change
from deployments.kube.errors import Cause
from deployments.models import AppliedObject, Deployment, Revision
from deployments.reconcile import drift, inventory
from deployments.reconcile.adopt import adopt
from deployments.reconcile.claim import renew
from deployments.reconcile.identity import identity

WHEN_REMOVED = {
    DriftPolicy.LEAVE: "the drift policy is to leave it.",
    DriftPolicy.ADOPT: "no revision can adopt that: take over to make it again, or delete the deployment.",
}


@dataclass
class Put:
    """One manifest on its way, with what is known of its object.

    `known` is its row before this act and `row` as it stands now. `force` takes fields from their owners, and `heals`
    where these had changed one; `over_quiet` those that were changed and have none. Each is a decision that was audited
    before.
    """

    connection: kube.Connection
    deployment: Deployment
    revision: Revision
    manifest: dict[str, Any]
    known: AppliedObject | None
    owner: str
    force: bool = False
    heals: bool = False
    over_quiet: bool = False
    removal_counted: bool = False
    row: AppliedObject | None = None
    live: dict[str, Any] = field(default_factory=dict)  # as it stood before the last try

    def __post_init__(self) -> None:
        self.row = self.known

    def send(self) -> kube.Applied:
        """Apply it, as the author; when healing, as llmdash."""
        actor = audit.LLMDASH if self.heals or self.over_quiet else self.revision.author_name
        fence = kube.Fence(
            installation=settings.LLMDASH["INSTALLATION"], deployment_id=str(self.deployment.pk),
            revision=self.revision.number, revision_id=str(self.revision.pk),
            known_uid=self.known.uid if self.known else "", known_version=self.standing_version(), force=self.force,
            adopt=drift.adoptable(self.deployment, self.manifest),
        )  # fmt: skip
        who = identity(self.deployment, actor)
        return kube.apply(self.connection, self.manifest, identity=who, fence=fence, before_write=self.prepare)

    def prepare(self, found: kube.Found) -> None:
        """Hold the row, and write down what is about to be written. Raises LeaseLost, QuietChange, Contested."""
        renew(self.deployment, self.owner)
        self.live = found.live
        if self.known and self.known.uid and (self.is_again or drift.is_contested(self.deployment, str(self.known))):
            self.look_at(self.known, found)
        self.row = inventory.intend(self.deployment, self.manifest, self.row, found)

    def look_at(self, known: AppliedObject, found: kube.Found) -> None:
        """What became of an object that was applied before. Raises QuietChange, Contested."""
        if found.uid == known.uid:
            if not self.over_quiet:
                drift.refuse_quiet_changes(known, self.manifest, found.live)
        elif not self.removal_counted:
            self.removal_counted = True
            settle_removal(self.deployment, self.manifest)

    @property
    def is_again(self) -> bool:
        """Whether this Revision of it was applied before: then nothing should differ."""
        return self.known is not None and self.known.revision == self.revision.number

    def standing_version(self) -> str:
        """The version that our last write left, when this one would end in the same; "" to write in any case."""
        known = self.known
        if known is None or self.force or self.over_quiet:
            return ""
        return known.resource_version if inventory.is_left_by(known, self.revision, self.manifest) else ""

    def decide(self, conflict: kube.FieldConflict) -> None:
        """What the drift policy says of a conflict: goes on when we may win. Raises KubeError, Contested, Adopted."""
        if not isinstance(conflict, drift.QuietChange):
            moved = drift.moved(self.known, self.live, conflict.causes)
            held = [cause for cause in conflict.causes if cause not in moved]
            if moved:
                self.contest(kube.FieldConflict(conflict.message, conflict.status, conflict.reason, moved))
            return self.take(held)
        return self.contest(conflict)

    def contest(self, conflict: kube.FieldConflict) -> None:
        """The same of fields that others changed."""
        if self.deployment.drift_policy == DriftPolicy.ADOPT and not drift.taken_over(self.deployment):
            adopt(self.connection, self.deployment, self.revision, self.manifest, conflict)
        settle(self.deployment, self.manifest, conflict, self.live)
        if isinstance(conflict, drift.QuietChange):
            self.over_quiet = True
        else:
            self.force = self.heals = True

    def take(self, causes: list[Cause]) -> None:
        """Take fields of those who hold them and did not change them."""
        for cause in causes:
            audit.record(
                None, Action.TAKE_FIELD, self.deployment, project=self.deployment.project, rival=cause.manager,
                field=cause.field, object=what(self.manifest),
            )  # fmt: skip
        self.force = True


def put(
    connection: kube.Connection, deployment: Deployment, revision: Revision, manifest: dict[str, Any],
    known: AppliedObject | None, *, owner: str,
) -> None:  # fmt: skip
    """Apply one object and write it into the inventory, where `known` is its row. Raises KubeError, Contested, Adopted,
    LeaseLost."""
    act = Put(connection, deployment, revision, manifest, known, owner)
    if known and act.is_again:
        refuse_to_bring_back(connection, deployment, known)
    applied = sent(act)
    row = cast(AppliedObject, act.row)  # written down before the write
    news = inventory.news(row, revision, manifest, applied)
    if not news and not applied.adopted:
        return
    with transaction.atomic():
        renew(deployment, owner)  # holds the row's lock: who lost the lease meanwhile writes nothing down
        if applied.adopted:
            audit.record(None, Action.ADOPT_OBJECT, deployment, project=deployment.project, object=what(manifest))
        elif known and known.uid not in ("", applied.uid):
            audit.record(None, Action.HEAL, deployment, project=deployment.project, object=str(known), was="removed")
        inventory.remember(row, news)


def sent(act: Put) -> kube.Applied:
    """The write, after at most one decision about quiet changes and one about fields of others."""
    while True:
        try:
            return act.send()
        except kube.FieldConflict as conflict:
            act.decide(conflict)


def refuse_to_bring_back(connection: kube.Connection, deployment: Deployment, known: AppliedObject) -> None:
    """Raise when an object of this Revision was removed behind our back and the policy is to leave it so."""
    if deployment.drift_policy == DriftPolicy.HEAL or drift.taken_over(deployment):
        return
    who = identity(deployment, audit.LLMDASH)
    if kube.metadata(connection, known.kind, known.namespace, known.name, identity=who) is None:
        policy = DriftPolicy(deployment.drift_policy)
        raise kube.KubeError(f"{known} was removed from the cluster, and {WHEN_REMOVED[policy]}", 404, "Removed")


def settle_removal(deployment: Deployment, manifest: dict[str, Any]) -> None:
    """Count that an object was removed: returns when it may be made again. Raises Contested."""
    if drift.taken_over(deployment):
        return drift.write(deployment, [])
    cause = Cause("", 'conflict with "somebody" who removed it', "Removed")
    if drift.note_win(deployment, manifest, [cause]):
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        audit.record(None, Action.CONTEST, deployment, project=deployment.project, rivals=["somebody"], object=name)
        raise drift.Contested(f"Somebody keeps removing {name}.", 409, "Contested", [cause])


def settle(
    deployment: Deployment, manifest: dict[str, Any], conflict: kube.FieldConflict, live: dict[str, Any]
) -> None:  # fmt: skip
    """Decide a field conflict: returns when we may force, raises when we may not. `live` is what stands there."""
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
            object=what(manifest), **set_back(manifest, live, cause.field),
        )  # fmt: skip


def set_back(manifest: dict[str, Any], live: dict[str, Any], field: str) -> dict[str, Any]:
    """From what a field is set back to what, for the audit, where that is one word or number. Never of a Secret."""
    before, after = fieldpath.value(live, field), fieldpath.value(manifest, field)
    if manifest["kind"] == "Secret" or not all(isinstance(value, str | int | bool) for value in (before, after)):
        return {}
    return {"changes": [change(field.removeprefix("."), before, after)]}


def what(manifest: dict[str, Any]) -> str:
    """An object by kind and name."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
