"""The request side: every act of a person on a Deployment. Rows only, one transaction each, audited.

Edit, scale, stop, start, restart and roll back are one thing: a new Revision.
"""

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from deployments import audit, bounds, revisions
from deployments import spec as specs
from deployments.choices import REFUSING, Action, DriftPolicy, Problem
from deployments.models import ClusterStatus, Deployment, IdempotencyKey, Project, Revision, SecretValue
from deployments.services.idempotency import of_key
from deployments.services.projects import lock as lock_project
from deployments.services.refusals import (
    BeingDeleted,
    ClusterIsNewer,
    Conflict,
    NothingChanged,
    Refused,
    SpecRefused,
)
from deployments.services.saving import clean, save
from deployments.services.specs import read_spec
from deployments.spec import Spec

if TYPE_CHECKING:
    from llmdash.accounts.models import User

TAKEN = {"name": "A deployment of this name stands in the project already."}


def create(
    *, project: Project, name: str, spec: Spec, by: "User", reason: str = "", key: str = "",
    drift_policy: DriftPolicy = DriftPolicy.HEAL,
) -> Deployment:  # fmt: skip
    """Make a Deployment with its first Revision. Raises ValidationError for the name, SpecRefused for the spec."""
    with transaction.atomic():
        keep_secrets(spec, project)
        check(spec, project)
        fingerprint = ["create", str(project.pk), name, specs.dump(spec), str(drift_policy)]
        if (seen := of_key(by, key, fingerprint)) and seen.deployment:
            return seen.deployment
        deployment = Deployment(project=project, name=name, drift_policy=drift_policy)
        clean(deployment, TAKEN)
        save(deployment, TAKEN, force_insert=True)
        _add_revision(deployment, spec, by=by, reason=reason, action=Action.CREATE, seen=seen)
    return deployment


def revise(
    *, deployment: Deployment, spec: Spec, by: "User", reason: str = "", if_revision: int | None = None,
    key: str = "", action: Action = Action.REVISE, asked: Any = None,
) -> Revision:  # fmt: skip
    """Make `spec` the newest Revision.

    `if_revision` is the number that the person saw; `asked` is what they sent, where the spec says more than that
    (the hour of a restart). Raises Conflict when another is the newest, NothingChanged, BeingDeleted, SpecRefused.
    """
    with transaction.atomic():
        keep_secrets(spec, deployment.project)
        check(spec, deployment.project, kept=deployment.revisions.get(number=deployment.desired).spec_json)
        locked = lock(deployment, even_deleted=True)
        fingerprint = [str(action), str(deployment.pk), asked or specs.dump(spec), if_revision]
        if (seen := of_key(by, key, fingerprint)) and seen.revision:
            return locked.revisions.get(number=seen.revision)
        refuse_deleted(locked)
        newest = locked.revisions.get(number=locked.desired)
        if if_revision is not None and if_revision != newest.number:
            raise Conflict(newest)
        if locked.problem == Problem.NEWER and locked.attempted == locked.desired:
            raise ClusterIsNewer("The cluster is newer than the database: choose first what holds.")
        if spec == newest.spec:
            raise NothingChanged("This changes nothing, so no revision was made.")
        return _add_revision(locked, spec, by=by, reason=reason, action=action, seen=seen)


def change(*, deployment: Deployment, action: Action, by: "User", fields: dict[str, Any], **more: Any) -> Revision:
    """Revise the newest spec in some fields: the short way for scale, stop, start and restart.

    The row is locked before its spec is read, so that two people's changes of different fields both stand.
    """
    with transaction.atomic():
        locked = lock(deployment)
        newest = locked.revisions.get(number=locked.desired)
        spec = read_spec(specs.dump(newest.spec) | fields)
        return revise(deployment=locked, spec=spec, by=by, action=action, **{"asked": fields} | more)


def scale(*, deployment: Deployment, replicas: int, by: "User", **more: Any) -> Revision:
    """Ask for another number of replicas. Raises SpecRefused for an impossible number."""
    return change(deployment=deployment, action=Action.SCALE, by=by, fields={"replicas": replicas}, **more)


def stop(*, deployment: Deployment, by: "User", **more: Any) -> Revision:
    """Take all replicas away and remember how many there were."""
    return change(deployment=deployment, action=Action.STOP, by=by, fields={"running": False}, **more)


def start(*, deployment: Deployment, by: "User", **more: Any) -> Revision:
    """Bring the remembered replicas back."""
    return change(deployment=deployment, action=Action.START, by=by, fields={"running": True}, **more)


def restart(*, deployment: Deployment, by: "User", **more: Any) -> Revision:
    """Replace every pod, one after the other."""
    now = timezone.now().replace(microsecond=0).isoformat()
    return change(
        deployment=deployment, action=Action.RESTART, by=by, fields={"restarted_at": now}, asked="restart", **more
    )


def roll_back(*, deployment: Deployment, number: int, by: "User", reason: str = "", **more: Any) -> Revision:
    """Make the spec of an earlier Revision the newest one again."""
    earlier = deployment.revisions.get(number=number)
    reason = reason or f"Back to revision {number}"
    return revise(deployment=deployment, spec=earlier.spec, by=by, action=Action.ROLL_BACK, reason=reason, **more)


def delete(*, deployment: Deployment, by: "User", if_revision: int | None = None, reason: str = "") -> None:
    """Ask for the removal of every object; a second call changes nothing. Raises Conflict."""
    with transaction.atomic():
        locked = lock(deployment, even_deleted=True)
        if locked.deleted_at:
            return
        if if_revision is not None and if_revision != locked.desired:
            raise Conflict(locked.revisions.get(number=locked.desired))
        locked.deleted_at = timezone.now()
        locked.save(update_fields=["deleted_at"])
        why = {"reason": reason} if reason else {}
        audit.record(by, Action.DELETE, locked, project=locked.project, revision=locked.desired, **why)
        revisions.tell(locked)


def take_over(*, deployment: Deployment, by: "User") -> None:
    """Let llmdash win a contested row once more, or adopt a stranger's object of the same name."""
    with transaction.atomic():
        locked = lock(deployment)
        locked.taken_over_at = timezone.now()
        locked.asked += 1
        locked.save(update_fields=["taken_over_at", "asked"])
        audit.record(by, Action.TAKE_OVER, locked, project=locked.project, last_error=locked.last_error)
        revisions.tell(locked)


def try_again(*, deployment: Deployment, by: "User") -> None:
    """Make the row due now, whatever it waits for. Raises NothingChanged when it waits for nothing."""
    with transaction.atomic():
        locked = lock(deployment, even_deleted=True)
        if not locked.hindrance:
            raise NothingChanged("Nothing failed, so there is nothing to try again.")
        if ClusterStatus.objects.filter(cluster=locked.project.cluster_id, connection__in=REFUSING).exists():
            raise Refused("The cluster refuses llmdash: a platform admin has to mend that first.")
        locked.asked += 1
        locked.save(update_fields=["asked"])
        audit.record(by, Action.TRY_AGAIN, locked, project=locked.project, problem=locked.problem)
        revisions.tell(locked)


def set_drift_policy(*, deployment: Deployment, policy: DriftPolicy, by: "User") -> None:
    """Choose what happens when others change the objects."""
    with transaction.atomic():
        locked = lock(deployment)
        before, locked.drift_policy = locked.drift_policy, policy
        locked.asked += 1
        locked.save(update_fields=["drift_policy", "asked"])
        audit.record(by, Action.POLICY, locked, project=locked.project, before=before, after=str(policy))
        revisions.tell(locked)


def lock(deployment: Deployment, *, even_deleted: bool = False) -> Deployment:
    """The row for this transaction alone. Raises BeingDeleted."""
    locked = Deployment.objects.select_for_update(of=("self",)).select_related("project").get(pk=deployment.pk)
    if not even_deleted:
        refuse_deleted(locked)
    return locked


def refuse_deleted(locked: Deployment) -> None:
    """Raise BeingDeleted."""
    if locked.deleted_at:
        raise BeingDeleted("This deployment is being deleted.")


def _add_revision(
    deployment: Deployment, spec: Spec, *, by: "User", reason: str, action: Action, seen: IdempotencyKey | None
) -> Revision:
    revision = revisions.add(deployment, spec, by=by, reason=reason, action=action)
    if seen:
        seen.deployment, seen.revision = deployment, revision.number
        seen.save(update_fields=["deployment", "revision"])
    return revision


def keep_secrets(spec: Spec, project: Project) -> None:
    """Until the end of the transaction no secret of the project is removed, where this spec names one."""
    if any(var.secret for var in spec.env):
        lock_project(project)


def check(spec: Spec, project: Project, kept: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Raise SpecRefused. What exceeds a limit that was lowered since may stay as it is: `kept`."""
    problems = bounds.problems(specs.dump(spec), revisions.limits(), kept)
    wanted: dict[uuid.UUID, int] = {var.secret: place for place, var in enumerate(spec.env) if var.secret}
    known = set(SecretValue.objects.filter(project=project, pk__in=wanted).values_list("pk", flat=True))
    problems += [
        (("env", place, "secret"), f"The secret of {spec.env[place].name} is none of this project, or was removed.")
        for pk, place in wanted.items()
        if pk not in known
    ]
    if problems:
        raise SpecRefused(problems)
