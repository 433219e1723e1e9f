"""From what the feeds brought to the rows of deployments: written when they differ, then told to every open page."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.utils import timezone

from deployments import doorbell, metrics, stream
from deployments.choices import DriftPolicy, Health, Problem
from deployments.manifests import labels
from deployments.models import AppliedObject, Deployment, DeploymentStatus, Revision, ServedRevision
from monitoring import capacity
from monitoring.drift import differences
from monitoring.objects import Loose, ReplicaSet
from monitoring.status import Intent, Seen, Status, status
from monitoring.watcher import kin, lease
from monitoring.watcher.storable import MAX_COUNT, storable
from monitoring.watcher.store import made

if TYPE_CHECKING:
    from monitoring.watcher.cluster import ClusterWatch

log = structlog.get_logger(__name__)
DRIFT_GRACE_SECONDS = 3.0  # an object that was just applied may not have come back by the watch yet
RING_SECONDS = 5.0  # until workers are told again of what they have not mended, then twice that, and so on
AT_ONCE = 100  # rows
COLUMNS = ["health", "health_rank", "sentence", "ready", "wanted", "gpus", "observed_revision", "rollout", "pods",
           "events", "drift", "endpoint", "changed_at", "seq"]  # fmt: skip


class DeploymentRows:
    """The DeploymentStatus rows of one cluster. Called by one thread only.

    `seen` is what our own rows looked like in the last round.
    """

    def __init__(self, watch: "ClusterWatch") -> None:
        self.watch = watch
        self.seen: dict[str, tuple[Any, ...]] = {}
        self.uids: dict[str, str] = {}  # ids of deployments by the uid of their Deployment object
        self.rung: dict[str, tuple[float, float]] = {}  # when workers were told of a row, and the pause until again
        self.awaited: dict[tuple[str, str], float] = {}  # since when an object is looked for, 0.0 for one that was met

    def moved_rows(self) -> set[str]:
        """Deployments whose own row changed since the last round."""
        columns = ("pk", "desired", "applied", "attempts", "problem", "deleted_at", "drift_policy", "last_error")
        rows = Deployment.objects.filter(project__cluster=self.watch.cluster, gone_at__isnull=True)
        now = {str(row[0]): (*row[1:-1], str(row[-1])) for row in rows.values_list(*columns)}
        moved = {pk for pk, row in now.items() if self.seen.get(pk) != row}
        self.seen = now
        self.uids = self.applied_uids()
        self.awaited = {key: since for key, since in self.awaited.items() if key[0] in now}
        return moved

    def applied_uids(self) -> dict[str, str]:
        """The Deployment objects that we applied: ids of deployments by uid."""
        applied = AppliedObject.objects.filter(kind="Deployment", deployment__project__cluster=self.watch.cluster)
        return {uid: str(pk) for uid, pk in applied.exclude(uid="").values_list("uid", "deployment")}

    def write(self, wanted: set[str]) -> None:
        """Judge these, and write those whose row differs, some at a time: a thousand at once would hold several times
        the memory that is needed ever after."""
        if not self.watch.has_begun():
            for pk in wanted:
                self.watch.look_again(pk)
            return
        lost = {node.metadata.name for node in self.watch.shelves["Node"].all() if not capacity.room(node).ready}
        ordered = sorted(wanted)
        for start in range(0, len(ordered), AT_ONCE):
            self.write_some(set(ordered[start : start + AT_ONCE]), lost)

    def write_some(self, wanted: set[str], lost: set[str]) -> None:
        """So few that one transaction holds them; `lost` are the nodes that are not ready."""
        rows = (
            Deployment.objects.filter(pk__in=wanted, project__cluster=self.watch.cluster, gone_at__isnull=True)
            .select_related("project", "status")
            .prefetch_related("inventory")
        )
        specs = self.specs(wanted)
        self.report_orphans(wanted - {str(row.pk) for row in rows})
        applied = {row.pk: row.applied if row.is_settled else 0 for row in rows}
        fresh = [row for deployment in rows if (row := self.guarded(deployment, specs, lost)) is not None]
        if not fresh:
            return
        served = [ServedRevision(deployment_id=row.deployment_id, number=row.observed_revision) for row in fresh
                  if serves_as_applied(row, applied[row.deployment_id])]  # fmt: skip
        with transaction.atomic():
            if not lease.still(self.watch.cluster):
                return  # another watcher has the cluster, and what it saw is newer
            for row in fresh:
                # One expression, and Django writes VALUES: of arrays for UNNEST psycopg escapes each quote in Python,
                # which is a fifth of a cold sync's time.
                row.rollout = Value(row.rollout)
            DeploymentStatus.objects.bulk_create(
                fresh, update_conflicts=True, unique_fields=["deployment"], update_fields=COLUMNS
            )
            if served:
                ServedRevision.objects.bulk_create(served, ignore_conflicts=True)
            stream.publish(stream.DEPLOYMENT, [row.deployment_id for row in fresh])
        metrics.WRITTEN.labels("deployments").inc(len(fresh))

    def report_orphans(self, unknown: set[str]) -> None:
        """Objects that stand there for a deployment that is gone were made by a late writer: tell the workers."""
        kinds = ("Deployment", "Service", "ConfigMap")
        standing = [pk for pk in unknown if any(self.watch.shelves[kind].of(pk) for kind in kinds)]
        if not standing:
            return
        tombstones = Deployment.objects.filter(
            pk__in=standing, project__cluster=self.watch.cluster, gone_at__isnull=False
        )
        for pk in tombstones.values_list("pk", flat=True):
            if self.may_ring(str(pk)):
                doorbell.remove_orphans(pk)
            self.watch.look_again(str(pk))

    def may_ring(self, pk: str) -> bool:
        """Whether the workers are told now: ever less often while nothing changes, so that their queue does not fill
        when none of them runs."""
        now, most = time.monotonic(), float(settings.LLMDASH["RECHECK_SECONDS"])
        at, pause = self.rung.get(pk, (-most, RING_SECONDS / 2))
        if now - at < pause:
            return False
        self.rung[pk] = (now, min(most, pause * 2))
        return True

    def specs(self, wanted: set[str]) -> dict[str, dict[str, Any]]:
        """The newest specs of these, as stored."""
        found = Revision.objects.filter(deployment__in=list(wanted), number=F("deployment__desired"))
        return {str(pk): spec for pk, spec in found.values_list("deployment", "spec_json")}

    def guarded(
        self, deployment: Deployment, specs: dict[str, dict[str, Any]], lost: set[str]
    ) -> DeploymentStatus | None:
        """As `judged`; what is so odd that it cannot be judged costs only itself."""
        try:
            return self.judged(deployment, specs, lost)
        except Exception:
            log.exception("a deployment cannot be judged", deployment=str(deployment.pk))
            return None

    def judged(
        self, deployment: Deployment, specs: dict[str, dict[str, Any]], lost: set[str]
    ) -> DeploymentStatus | None:
        """The row as it should be now; None when it is so already."""
        pk, live = str(deployment.pk), self.live("Deployment", deployment)
        sets = kin.replica_sets(self.watch, pk, live.metadata.uid) if live else []
        pods = kin.pods(self.watch, pk, sets)
        uids = [pod.metadata.uid for pod in pods] + [one.metadata.uid for one in sets]
        uids += [live.metadata.uid] if live else []
        makers = [made(deployment.project.namespace, one.metadata.name) for one in sets]
        seen = Seen(live, pods, current_hash(sets), self.watch.events.of(uids, makers), lost)
        drift = self.drift(deployment)
        row = self.row(deployment, status(intent(deployment, specs.get(pk, {})), seen), drift, live)
        if denied := self.watch.denied(deployment.project.namespace):
            row.health, row.health_rank, row.sentence = Health.UNKNOWN.value, Health.UNKNOWN.rank, storable(denied)
        else:
            self.heal(deployment, drift)
            self.report_newer(deployment, row.observed_revision)
        before = getattr(deployment, "status", None)
        if before and all(getattr(before, name) == getattr(row, name) for name in COLUMNS[:-2]):
            return None
        row.seq = (before.seq if before else 0) + 1
        row.changed_at = before.changed_at if before and before.health == row.health else timezone.now()
        return row

    def row(
        self, deployment: Deployment, found: Status, drift: list[dict[str, Any]], live: Loose | None
    ) -> DeploymentStatus:
        """The status as a row."""
        return DeploymentStatus(
            deployment_id=deployment.pk, health=found.health.value, health_rank=found.health.rank,
            sentence=storable(found.sentence), ready=found.ready, wanted=found.wanted,
            gpus=min(found.gpus, MAX_COUNT), rollout=found.rollout, pods=storable(found.pods),
            events=storable(found.events), drift=storable(drift), endpoint=storable(self.endpoint(deployment)),
            observed_revision=labels.number(live.metadata.annotation(labels.REVISION)) if live else 0,
        )  # fmt: skip

    def live(self, kind: str, deployment: Deployment) -> Loose | None:
        """The object that we applied, as it is now."""
        uid = next((item.uid for item in deployment.inventory.all() if item.kind == kind and item.uid), "")
        found: Loose | None = self.watch.shelves[kind].get(uid)
        return found

    def endpoint(self, deployment: Deployment) -> dict[str, Any]:
        """The Service's addresses: {"cluster_ip", "external", "ports"}."""
        service = self.live("Service", deployment)
        if service is None:
            return {}
        entries = (service.status.get("loadBalancer") or {}).get("ingress") or [{}]
        external = entries[0].get("ip") or entries[0].get("hostname") or ""
        ports = [{"port": p.get("port"), "node_port": p.get("nodePort")} for p in service.spec.get("ports") or []]
        return {"cluster_ip": service.spec.get("clusterIP", ""), "external": external, "ports": ports}

    def drift(self, deployment: Deployment) -> list[dict[str, Any]]:
        """Where the objects differ from what was applied; nothing while a worker is at it."""
        if not deployment.is_settled:
            return []
        pk, found = str(deployment.pk), list[dict[str, Any]]()
        for item in deployment.inventory.all():
            if item.kind not in ("Deployment", "Service", "ConfigMap"):
                continue
            live = self.watch.shelves[item.kind].get(item.uid)
            if live is not None:
                self.awaited[pk, item.uid] = 0.0
                if labels.number(live.metadata.annotation(labels.REVISION)) <= item.revision:
                    found += differences(item.manifest, live, item.rewritten)
            elif self.is_missing(pk, item.uid):
                found.append(gone(str(item)))
            else:
                self.watch.look_again(pk)
        return found

    def is_missing(self, pk: str, uid: str) -> bool:
        """Whether an object went away, or has been looked for long enough."""
        now = time.monotonic()
        return now - self.awaited.setdefault((pk, uid), now) >= DRIFT_GRACE_SECONDS

    def heal(self, deployment: Deployment, drift: list[dict[str, Any]]) -> None:
        """Tell the workers, when the policy is to put it back or to adopt it; what the API server rewrites as often as
        it is written is left as it is. A row with a problem has a next turn of its own, which nobody hastens."""
        pk = str(deployment.pk)
        if not drift:
            self.rung.pop(pk, None)
        if all(item["rewritten"] for item in drift) or deployment.drift_policy == DriftPolicy.LEAVE:
            return
        if deployment.problem:
            return
        if self.may_ring(pk):
            doorbell.look_again(deployment.pk)
        self.watch.look_again(pk)

    def report_newer(self, deployment: Deployment, live: int) -> None:
        """The cluster has a revision that the database does not know: the workers stop, and a person chooses."""
        known = deployment.problem in (Problem.NEWER, Problem.BACK_OFF, Problem.CLUSTER)
        if live > deployment.desired and not known and self.may_ring(str(deployment.pk)):
            doorbell.look_again(deployment.pk)


def intent(deployment: Deployment, spec: dict[str, Any]) -> Intent:
    """What the rows say was asked for."""
    return Intent(
        wanted=spec.get("replicas", 0) if spec.get("running", True) else 0,
        gpus=spec.get("gpus", 0),
        gpu_name=spec.get("gpu_type") or spec.get("gpu_resource", ""),
        loads=spec.get("runtime") != "custom",
        desired=deployment.desired,
        applied=deployment.applied,
        problem=deployment.hindrance,
        problem_message=deployment.last_error.get("message", ""),
        being_deleted=deployment.deleted_at is not None,
        objects_left=len(deployment.inventory.all()),
    )


def serves_as_applied(row: DeploymentStatus, applied: int) -> bool:
    """Whether it serves on all replicas what the worker applied for its newest revision, and nobody changed that."""
    is_it = bool(applied) and row.observed_revision == applied and not row.drift
    return is_it and row.health == Health.SERVING and row.rollout == "complete" and row.wanted > 0


def gone(name: str) -> dict[str, Any]:
    """The drift of an object that is not there any more."""
    return {"object": name, "field": "", "wanted": "present", "live": "gone", "rival": "", "rewritten": False}


def current_hash(sets: Iterable[ReplicaSet]) -> str:
    """The template hash of the newest ReplicaSet."""
    newest = max(sets, key=lambda one: labels.number(one.metadata.revision), default=None)
    return newest.metadata.template_hash if newest else ""
