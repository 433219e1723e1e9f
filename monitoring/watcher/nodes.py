"""From what the feeds brought to the rows of nodes and of the cluster itself."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from deployments import metrics, stream
from deployments.choices import Connection
from deployments.models import ClusterStatus, NodeStatus
from monitoring import capacity
from monitoring.objects import Node, Pod
from monitoring.watcher import kin, lease
from monitoring.watcher.storable import storable
from monitoring.watcher.unknown import Unknown

if TYPE_CHECKING:
    from monitoring.watcher.cluster import ClusterWatch
    from monitoring.watcher.deployments import DeploymentRows

SEEN_EVERY_SECONDS = 5.0
NODES_EVERY_SECONDS = 1.0
PENDING_KEPT = 200
COUNTED = ("Node", "Pod", "ReplicaSet")
SIMULATED = "llmdash.io/simulated"
NODE_COLUMNS = ["ready", "schedulable", "message", "gpus", "cpu_millis", "cpu_millis_used", "memory_bytes",
                "memory_bytes_used", "pods", "taints", "kubelet_version", "created_at", "seq"]  # fmt: skip


class ClusterRows:
    """The NodeStatus rows and the ClusterStatus row of one cluster. Called by one thread only.

    `deployments` knows which are ours; they are looked at again when a node is lost.
    """

    def __init__(self, watch: "ClusterWatch", deployments: "DeploymentRows") -> None:
        self.watch = watch
        self.deployments = deployments
        self.unknown = Unknown(watch)
        self.counted_at = 0.0
        self.generation: tuple[object, ...] = ()
        self.nodes: dict[str, dict[str, Any]] = {}
        self.capacity: dict[str, Any] = {}
        self.pending: list[dict[str, Any]] = []
        self.row: dict[str, Any] = {}
        self.seen_at = 0.0

    def whose(self, pod: Pod) -> str:
        """The id of our deployment that a pod is of."""
        return kin.deployment_of(self.watch, pod, self.deployments.uids)

    def write_nodes(self) -> None:
        """Nodes and capacity, at most once a second, when nodes or pods changed."""
        generation = (*(self.watch.shelves[kind].generation for kind in COUNTED), self.deployments.uids)
        if generation == self.generation or time.monotonic() - self.counted_at < NODES_EVERY_SECONDS:
            return
        if not (self.watch.has_listed("Node") and self.watch.has_listed("Pod")):
            return
        self.counted_at = time.monotonic()
        nodes = {node.metadata.name: node for node in self.watch.shelves["Node"].all()}
        pods = self.watch.shelves["Pod"].all()
        places = capacity.rooms(nodes.values(), pods, self.whose)
        gpus = capacity.summary(places, all_pods="Pod" in self.watch.alive)
        self.capacity, self.pending = {"gpus": storable(gpus)}, storable(waiting(pods, self.whose))
        rows = {place.name: node_row(nodes[place.name], place) for place in places}
        changed = {name: row for name, row in rows.items() if self.nodes.get(name) != row}
        with transaction.atomic():
            if not lease.still(self.watch.cluster):
                return
            NodeStatus.objects.bulk_create(
                [NodeStatus(cluster=self.watch.cluster, name=name, seq=1, **row) for name, row in changed.items()],
                update_conflicts=True, unique_fields=["cluster", "name"], update_fields=NODE_COLUMNS,
            )  # fmt: skip
            metrics.WRITTEN.labels("nodes").inc(len(changed))
            NodeStatus.objects.filter(cluster=self.watch.cluster).exclude(name__in=rows).delete()
            if changed or rows.keys() != self.nodes.keys():
                stream.publish(stream.CLUSTER, [self.watch.cluster.pk])
        if ready(rows) != ready(self.nodes):
            self.watch.touch(self.deployments.seen)  # a lost node changes what its pods mean
        self.nodes, self.generation = rows, generation

    def simulated(self) -> list[str]:
        """A note when nodes are simulated, however the cluster was registered."""
        count = sum(is_simulated(node) for node in self.watch.shelves["Node"].all())
        return [f"{count} of its nodes are simulated: no LLM runs on them."] if count else []

    def write_cluster(self) -> None:
        """The connection, its age and the capacity; the age every few seconds, the rest when it changed."""
        word, message = self.watch.connection()
        row: dict[str, Any] = {"connection": word.value, "message": storable(message), "notes": self.watch.notes}
        if self.watch.version:
            row["kubernetes_version"] = self.watch.version[:60]
            row["answering"] = storable(self.watch.identity)[:64]
            if not self.watch.expected:
                row["identity"] = row["answering"]
        counted = self.counted_at > 0 or "Node" not in self.watch.alive
        if self.watch.age() is not None and counted:  # before every feed has listed once, absence means nothing
            known = {"nodes_known": "Node" in self.watch.listed, "capacity": self.capacity, "pending": self.pending}
            row |= known | {"unknown": self.unknown.look(set(self.deployments.seen))}
        elif word == Connection.NEVER:
            return
        changed = row != self.row
        age = self.watch.age()
        if not changed and (age is None or time.monotonic() - self.seen_at < SEEN_EVERY_SECONDS):
            return
        columns = row if age is None else row | {"seen_at": Now() - timedelta(seconds=age)}  # the database's clock
        if self.row.get("connection") != row["connection"]:
            columns = columns | {"since": timezone.now()}
        with transaction.atomic():
            held = ClusterStatus.objects.filter(cluster=self.watch.cluster, lease_owner=lease.ME)
            if held.update(**columns) and changed:
                metrics.WRITTEN.labels("clusters").inc()
                stream.publish(stream.CLUSTER, [self.watch.cluster.pk])
                if word == Connection.CONNECTED and self.row.get("connection") != word.value:
                    stream.publish(stream.DEPLOYMENT, self.deployments.seen)
        self.row, self.seen_at = row, time.monotonic()


def is_simulated(node: Node) -> bool:
    """Whether a node says of itself that nothing real runs on it."""
    return node.metadata.label(SIMULATED) == "true"


def ready(rows: dict[str, dict[str, Any]]) -> set[str]:
    """The names of the nodes that are ready."""
    return {name for name, row in rows.items() if row["ready"]}


def waiting(pods: Iterable[Pod], whose: Callable[[Pod], str]) -> list[dict[str, Any]]:
    """Pods without a node, anybody's: {"name", "namespace", "deployment", "gpus", "reason"}."""
    found = []
    for pod in pods:
        if pod.spec.node_name or pod.status.phase != "Pending":
            continue
        wanted = sum(capacity.demand(pod).gpus.values())
        said = next((c.message for c in pod.status.conditions or [] if c.type == "PodScheduled"), "")
        row = {"name": pod.metadata.name, "namespace": pod.metadata.namespace, "gpus": wanted, "reason": said}
        found.append(row | {"deployment": whose(pod)})
    return sorted(found, key=lambda row: (row["namespace"], row["name"]))[:PENDING_KEPT]


def node_row(node: Node, place: capacity.Room) -> dict[str, Any]:
    """A node as its row keeps it."""
    taints = [f"{t.key}={t.value}:{t.effect}" if t.value else f"{t.key}:{t.effect}" for t in node.spec.taints or []]
    row = {
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
        "kubelet_version": node.status.node_info.kubelet_version[:60],
    }
    return {name: storable(value) for name, value in row.items()} | {"created_at": node.metadata.creation_timestamp}
