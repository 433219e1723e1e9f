"""Acts of platform admins on clusters: register, change, accept another identity, forget."""

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db import transaction

from deployments import audit, doorbell, stream
from deployments.choices import Action, Problem
from deployments.difference import change
from deployments.models import AppliedObject, Cluster, ClusterStatus, Deployment, Project
from deployments.services.idempotency import once, sealed
from deployments.services.reach import SECRETS, TAKEN, fill, stored
from deployments.services.refusals import InUse, NothingChanged, Stale
from deployments.services.saving import save

if TYPE_CHECKING:
    from llmdash.accounts.models import User

HIDDEN = "(not shown)"
MOST_LEFT = 200  # objects that the audit names one by one


def register_cluster(*, values: dict[str, Any], by: "User", key: str = "") -> Cluster:
    """Make a cluster known; `values` as `reach.fill` takes them. Raises ValidationError by field."""

    def make() -> Cluster:
        made = Cluster()
        fill(made, values)
        save(made, TAKEN, force_insert=True)
        audit.record(by, Action.REGISTER, made, changes=differences({}, made, values))
        tell(made)
        return made

    with transaction.atomic():
        wanted = ["register cluster", sealed(values) if key else ""]
        return once(Cluster, make, by=by, key=key, fingerprint=wanted)


def change_cluster(*, cluster: Cluster, values: dict[str, Any], by: "User", seen: str = "") -> Cluster:
    """Change what `values` name; `seen` is the stamp of what the person saw. Raises ValidationError by field,
    NothingChanged, Stale."""
    with transaction.atomic():
        locked = lock_cluster(cluster)
        if seen and seen != stamp_of(locked):
            raise Stale("Somebody changed this cluster while this form was open. Open it again to see what stands.")
        before = stored(locked)
        fill(locked, values)
        found = differences(before, locked, values)
        if not found:
            raise NothingChanged("Nothing was changed.")
        save(locked, TAKEN)
        audit.record(by, Action.CHANGE_CLUSTER, locked, changes=found)
        tell(locked)
    return locked


def keep_report(*, cluster: Cluster, report: dict[str, Any]) -> None:
    """Remember what a connection test found, when it was made with what is stored."""
    Cluster.objects.filter(pk=cluster.pk).update(tested=report)
    stream.publish(stream.CLUSTER, [cluster.pk])


def accept_identity(*, cluster: Cluster, by: "User", seen: str = "") -> str:
    """From now on the cluster that answers is the right one: it was built anew, or moved. `seen` is the identity that
    the person was shown. Raises NothingChanged, Stale."""
    with transaction.atomic():
        locked = lock_cluster(cluster)
        answering = ClusterStatus.objects.filter(cluster=locked).values_list("answering", flat=True).first()
        before = ClusterStatus.identity_of(locked)
        if not answering or answering == before:
            raise NothingChanged("The cluster that answers is the one that is known.")
        if seen and seen != answering:
            raise Stale(f"Yet another cluster answers now: {answering}.")
        locked.identity = answering
        locked.save(update_fields=["identity"])
        audit.record(by, Action.ACCEPT, locked, before=before, after=answering)
        tell(locked)
    return answering


def forget_cluster(*, cluster: Cluster, by: "User") -> None:
    """Remove a cluster from llmdash with all that was asked for on it. Nothing is done in the cluster: what stands
    there stays, and the audit names it. Raises InUse while a worker is at work there."""
    with transaction.atomic():
        locked = lock_cluster(cluster)
        rows = Deployment.objects.filter(project__cluster=locked)
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        if rows.held().exists():
            raise InUse("A worker is at work on this cluster just now. Try again in some seconds.")
        projects = sorted(locked.projects.values_list("name", flat=True))
        living = sorted(rows.filter(gone_at__isnull=True).values_list("name", flat=True))
        left = left_behind(locked)
        audit.record(
            by, Action.FORGET, locked, projects=projects, deployments=living, left=left[:MOST_LEFT],
            left_count=len(left),
        )  # fmt: skip
        rows.delete()
        Project.objects.filter(cluster=locked).delete()
        stream.publish(stream.CLUSTER, [locked.pk])
        locked.delete()


def stamp_of(cluster: Cluster) -> str:
    """Another text as soon as anything of a cluster that people write has changed."""
    told = json.dumps([stored(cluster), str(cluster.credentials_changed_at)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def left_behind(cluster: Cluster) -> list[str]:
    """The objects that stay in a cluster which is forgotten: "Deployment team/qwen"."""
    found = AppliedObject.objects.filter(deployment__project__cluster=cluster, deployment__gone_at__isnull=True)
    rows = found.order_by("namespace", "kind", "name").values_list("kind", "namespace", "name")
    return [f"{kind} {namespace}/{name}" for kind, namespace, name in rows]


def by_kind(objects: list[str]) -> list[tuple[str, int]]:
    """How many there are of each kind."""
    return sorted(Counter(one.partition(" ")[0] for one in objects).items())


def lock_cluster(cluster: Cluster) -> Cluster:
    """The row, held until the end of the transaction."""
    return Cluster.objects.select_for_update().get(pk=cluster.pk)


def differences(before: dict[str, Any], cluster: Cluster, values: dict[str, Any]) -> list[dict[str, Any]]:
    """What changed, in the shape of `difference.changes`; secrets without their values."""
    after = stored(cluster)
    found = [
        change(name, before.get(name), value)
        for name, value in after.items()
        if (before.get(name) or None) != (value or None)
    ]
    return found + [change(name, None, HIDDEN) for name in SECRETS if str(values.get(name) or "").strip()]


def tell(cluster: Cluster) -> None:
    """After the commit: open pages show it, and the workers that waited for it go on."""
    stream.publish(stream.CLUSTER, [cluster.pk])
    paused = Deployment.objects.filter(project__cluster=cluster, problem=Problem.CLUSTER, gone_at__isnull=True)
    for pk in paused.values_list("pk", flat=True):
        doorbell.look_again(pk)
