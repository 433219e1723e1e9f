"""From what the feeds brought to the observed rows: written when they differ, then told to every open page."""

import time
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from deployments import doorbell, kube, stream
from deployments.choices import Connection, DriftPolicy, Problem
from deployments.manifests import labels
from deployments.models import ClusterStatus, Deployment, DeploymentStatus, NodeStatus, Project, Revision
from monitoring import capacity
from monitoring.drift import differences
from monitoring.objects import Loose, Node
from monitoring.status import Intent, Seen, Status, status
from monitoring.watcher import lease

if TYPE_CHECKING:
    from monitoring.watcher.cluster import ClusterWatch

SEEN_EVERY_SECONDS = 5.0
NODES_EVERY_SECONDS = 1.0
DRIFT_GRACE_SECONDS = 3.0  # an object that was just applied may not have come back by the watch yet
HEAL_EVERY_SECONDS = 5.0
DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision"
COLUMNS = ["health", "health_rank", "sentence", "ready", "wanted", "gpus", "observed_revision", "rollout", "pods",
           "events", "drift", "endpoint", "changed_at", "seq"]  # fmt: skip
NODE_COLUMNS = ["ready", "schedulable", "message", "gpus", "cpu_millis", "cpu_millis_used", "memory_bytes",
                "memory_bytes_used", "pods", "taints", "kubelet_version", "created_at", "seq"]  # fmt: skip


class Projection:
    """One cluster's rows. Called by one thread only."""

    def __init__(self, watch: "ClusterWatch") -> None:
        self.watch = watch
        self.in_hand: set[str] = set()
        self.rows_seen: dict[str, tuple[Any, ...]] = {}
        self.healed_at: dict[str, float] = {}
        self.nodes_at = 0.0
        self.nodes_generation = (-1, -1)
        self.nodes_written: dict[str, dict[str, Any]] = {}
        self.cluster_written: dict[str, Any] = {}
        self.seen_at = 0.0
        self.primed = False

    def namespaces(self) -> set[str]:
        """The namespaces of the cluster's projects."""
        return set(Project.objects.filter(cluster=self.watch.cluster).values_list("namespace", flat=True))

    def write(self) -> None:
        """One round: our rows that moved, deployments that were touched, nodes, and the cluster itself."""
        self.follow_new_projects()
        self.in_hand = self.watch.take_dirty() | self.moved_rows()
        if self.in_hand:
            self.write_deployments(self.in_hand)
            self.in_hand = set()
        self.write_nodes()
        self.write_cluster()

    def follow_new_projects(self) -> None:
        """Projects may come while we watch."""
        if self.namespaces() - self.watch.event_namespaces:
            self.watch.follow_events(kube.connect(self.watch.cluster))

    def moved_rows(self) -> set[str]:
        """Deployments whose own row changed since the last round."""
        columns = ("pk", "desired", "applied", "attempts", "problem", "deleted_at", "drift_policy", "last_error")
        rows = Deployment.objects.filter(project__cluster=self.watch.cluster, gone_at__isnull=True)
        now = {str(row[0]): (*row[1:-1], str(row[-1])) for row in rows.values_list(*columns)}
        moved = {pk for pk, row in now.items() if self.rows_seen.get(pk) != row}
        self.rows_seen = now
        return moved

    # ---- deployments

    def write_deployments(self, wanted: set[str]) -> None:
        """Judge these, and write those whose row differs."""
        if self.watch.age() is None:
            self.watch.touch(wanted)  # before every feed has listed once, absence means nothing
            self.watch.wake.clear()
            return
        rows = (
            Deployment.objects.filter(pk__in=wanted, project__cluster=self.watch.cluster, gone_at__isnull=True)
            .select_related("project", "status")
            .prefetch_related("inventory")
        )
        specs = self.specs(wanted)
        lost = {name for name, node in self.nodes().items() if not capacity.room(node).ready}
        fresh = [row for deployment in rows if (row := self.judged(deployment, specs, lost)) is not None]
        if not fresh:
            return
        with transaction.atomic():
            DeploymentStatus.objects.bulk_create(
                fresh, update_conflicts=True, unique_fields=["deployment"], update_fields=COLUMNS
            )
            stream.publish(stream.DEPLOYMENT, [row.deployment_id for row in fresh])

    def specs(self, wanted: set[str]) -> dict[str, dict[str, Any]]:
        """The newest specs of these, as stored."""
        found = Revision.objects.filter(deployment__in=list(wanted)).order_by("deployment", "number")
        return {str(pk): spec for pk, spec in found.values_list("deployment", "spec_json")}

    def judged(
        self, deployment: Deployment, specs: dict[str, dict[str, Any]], lost: set[str]
    ) -> DeploymentStatus | None:
        """The row as it should be now; None when it is so already."""
        pk = str(deployment.pk)
        live = next(iter(self.watch.shelves["Deployment"].of(pk)), None)
        pods = self.watch.shelves["Pod"].of(pk)
        uids = [pod.metadata.uid for pod in pods] + ([live.metadata.uid] if live else [])
        seen = Seen(live, pods, self.current_hash(pk), self.watch.events.of(uids), lost)
        drift = self.drift(deployment)
        row = self.row(deployment, status(intent(deployment, specs.get(pk, {})), seen), drift, live)
        self.heal(deployment, drift)
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
        observed = live.metadata.annotation(labels.REVISION) if live else ""
        return DeploymentStatus(
            deployment_id=deployment.pk, health=found.health.value, health_rank=found.health.rank, sentence=found.sentence,
            ready=found.ready, wanted=found.wanted, gpus=found.gpus, rollout=found.rollout, pods=found.pods,
            events=found.events, drift=drift, endpoint=self.endpoint(str(deployment.pk)),
            observed_revision=int(observed) if observed.isdigit() else 0,
        )  # fmt: skip

    def current_hash(self, pk: str) -> str:
        """The template hash of the newest ReplicaSet."""
        sets = self.watch.shelves["ReplicaSet"].of(pk)
        newest = max(sets, key=lambda one: number(one.metadata.annotation(DEPLOYMENT_REVISION)), default=None)
        return str(newest.metadata.label("pod-template-hash")) if newest else ""

    def endpoint(self, pk: str) -> dict[str, Any]:
        """The Service's addresses: {"cluster_ip", "external", "ports"}."""
        service = next(iter(self.watch.shelves["Service"].of(pk)), None)
        if service is None:
            return {}
        entries = (service.status.get("loadBalancer") or {}).get("ingress") or [{}]
        external = entries[0].get("ip") or entries[0].get("hostname") or ""
        ports = [{"port": p.get("port"), "node_port": p.get("nodePort")} for p in service.spec.get("ports") or []]
        return {"cluster_ip": service.spec.get("clusterIP", ""), "external": external, "ports": ports}

    # ---- drift

    def drift(self, deployment: Deployment) -> list[dict[str, Any]]:
        """Where the objects differ from what was applied; nothing while a worker is at it."""
        if not deployment.is_settled:
            return []
        settled = timezone.now() - timedelta(seconds=DRIFT_GRACE_SECONDS)
        found: list[dict[str, Any]] = []
        for item in deployment.inventory.all():
            if item.kind not in ("Deployment", "Service", "ConfigMap"):
                continue
            live = self.watch.shelves[item.kind].get(item.uid)
            if live is None:
                if item.applied_at < settled:
                    found.append(gone(str(item)))
            elif number(live.metadata.annotation(labels.REVISION)) <= item.revision:
                found += differences(item.manifest, live)
        return found

    def heal(self, deployment: Deployment, drift: list[dict[str, Any]]) -> None:
        """Tell the workers, when the policy is to put it back; not more often than they can."""
        hopeless = deployment.problem in (Problem.CONTESTED, Problem.POISON, Problem.WAIT)
        if not drift or deployment.drift_policy != DriftPolicy.HEAL or hopeless:
            return
        pk, now = str(deployment.pk), time.monotonic()
        if now - self.healed_at.get(pk, -HEAL_EVERY_SECONDS) >= HEAL_EVERY_SECONDS:
            self.healed_at[pk] = now
            doorbell.look_again(deployment.pk)
        self.watch.dirty.add(pk)

    # ---- nodes and the cluster

    def nodes(self) -> dict[str, Node]:
        """Every node by name."""
        return {node.metadata.name: node for node in self.watch.shelves["Node"].all()}

    def write_nodes(self) -> None:
        """Nodes and capacity, at most once a second, when nodes or pods changed."""
        generation = (self.watch.shelves["Node"].generation, self.watch.shelves["Pod"].generation)
        if generation == self.nodes_generation or time.monotonic() - self.nodes_at < NODES_EVERY_SECONDS:
            return
        if not {"Node", "Pod"} <= self.watch.listed:
            return
        self.nodes_generation, self.nodes_at = generation, time.monotonic()
        nodes = self.nodes()
        rows = {place.name: node_row(nodes[place.name], place) for place in self.rooms()}
        changed = {name: row for name, row in rows.items() if self.nodes_written.get(name) != row}
        with transaction.atomic():
            NodeStatus.objects.bulk_create(
                [NodeStatus(cluster=self.watch.cluster, name=name, seq=1, **row) for name, row in changed.items()],
                update_conflicts=True, unique_fields=["cluster", "name"], update_fields=NODE_COLUMNS,
            )  # fmt: skip
            NodeStatus.objects.filter(cluster=self.watch.cluster).exclude(name__in=rows).delete()
            if changed or rows.keys() != self.nodes_written.keys():
                stream.publish(stream.CLUSTER, [self.watch.cluster.pk])
        if {n for n in rows if rows[n]["ready"]} != {n for n, row in self.nodes_written.items() if row["ready"]}:
            self.watch.touch(self.rows_seen)
        self.nodes_written = rows

    def rooms(self) -> list[capacity.Room]:
        """Every node with what runs on it."""
        return capacity.rooms(self.watch.shelves["Node"].all(), self.watch.shelves["Pod"].all())

    def write_cluster(self) -> None:
        """The connection, its age and the capacity; the age every few seconds, the rest when it changed."""
        word, message = self.watch.connection()
        row: dict[str, Any] = {
            "connection": word.value,
            "message": message,
            "kubernetes_version": self.watch.version,
            "nodes_known": "Node" in self.watch.listed,
            "capacity": {"gpus": capacity.summary(self.rooms())} if "Node" in self.watch.listed else {},
            "pending": self.pending(),
            "notes": self.watch.notes,
        }
        changed = row != self.cluster_written
        age = self.watch.age()
        if not changed and (age is None or time.monotonic() - self.seen_at < SEEN_EVERY_SECONDS):
            return
        columns = row if age is None else row | {"seen_at": timezone.now() - timedelta(seconds=age)}
        if self.cluster_written.get("connection") != row["connection"]:
            columns = columns | {"since": timezone.now()}
        with transaction.atomic():
            held = ClusterStatus.objects.filter(cluster=self.watch.cluster, lease_owner=lease.ME)
            if held.update(**columns) and changed:
                stream.publish(stream.CLUSTER, [self.watch.cluster.pk])
                if word == Connection.CONNECTED and self.cluster_written.get("connection") != word.value:
                    stream.publish(stream.DEPLOYMENT, self.rows_seen)
        self.cluster_written, self.seen_at = row, time.monotonic()

    def pending(self) -> list[dict[str, Any]]:
        """Pods that wait for GPUs, anybody's: {"name", "namespace", "deployment", "gpus", "reason"}."""
        found = []
        for pod in self.watch.shelves["Pod"].all():
            if pod.spec.node_name or pod.status.phase != "Pending":
                continue
            wanted = sum(int(n) for name, n in capacity.pod_requests(pod).items() if capacity.is_gpu(name))
            said = next((c.message for c in pod.status.conditions or [] if c.type == "PodScheduled"), "")
            row = {"name": pod.metadata.name, "namespace": pod.metadata.namespace, "gpus": wanted, "reason": said}
            found.append(row | {"deployment": pod.metadata.label(labels.DEPLOYMENT_ID)})
        return sorted(found, key=lambda row: (row["namespace"], row["name"]))[:200]


def intent(deployment: Deployment, spec: dict[str, Any]) -> Intent:
    """What the rows say was asked for."""
    return Intent(
        wanted=spec.get("replicas", 0) if spec.get("running", True) else 0,
        gpus=spec.get("gpus", 0),
        gpu_name=spec.get("gpu_type") or spec.get("gpu_resource", ""),
        loads=spec.get("runtime") != "custom",
        desired=deployment.desired,
        applied=deployment.applied,
        problem=deployment.problem,
        problem_message=deployment.last_error.get("message", ""),
        being_deleted=deployment.deleted_at is not None,
        objects_left=len(deployment.inventory.all()),
    )


def node_row(node: Node, place: capacity.Room) -> dict[str, Any]:
    """A node as its row keeps it."""
    taints = [f"{t.key}={t.value}:{t.effect}" if t.value else f"{t.key}:{t.effect}" for t in node.spec.taints or []]
    return {
        "ready": place.ready,
        "schedulable": place.schedulable,
        "message": place.message,
        "gpus": [asdict(kind) | {"used": kind.used} for kind in place.gpus],
        "cpu_millis": place.cpu_millis,
        "cpu_millis_used": place.cpu_millis_used,
        "memory_bytes": place.memory_bytes,
        "memory_bytes_used": place.memory_bytes_used,
        "pods": place.pods,
        "taints": taints,
        "kubelet_version": node.status.node_info.kubelet_version,
        "created_at": node.metadata.creation_timestamp,
    }


def gone(name: str) -> dict[str, Any]:
    """The drift of an object that is not there any more."""
    return {"object": name, "field": "", "wanted": "present", "live": "gone", "rival": ""}


def number(text: str) -> int:
    """A revision annotation, 0 when it is none."""
    return int(text) if text.isdigit() else 0
