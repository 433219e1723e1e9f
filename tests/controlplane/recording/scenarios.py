"""What happens to workloads in a cluster: scheduling that fails, rollouts, scaling, refusals of pods.

Each scenario makes its own Deployment, waits for what it is about, and leaves its objects to the tables.
"""

import re
from typing import Any

from tests.controlplane import manifests
from tests.controlplane.manifests import GPU, Manifest
from tests.controlplane.recording import kubelet, workloads
from tests.controlplane.recording.cluster import APPS, CORE, NODES, Cluster

TAINT = {"key": GPU, "value": "present", "effect": "NoSchedule"}
TOLERATION = {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}
L4 = {"accelerator": "l4"}
# name -> what the pod asks for beyond one container; every one of them stays Pending on four nodes.
UNSCHEDULABLE: dict[str, Manifest] = {
    "too-many-gpus": {"container": workloads.resources(GPU, "8"), "tolerations": [TOLERATION]},
    "gpus-behind-a-taint": {"container": workloads.resources(GPU, "1")},
    "unknown-accelerator": {"nodeSelector": {"accelerator": "h100"}, "tolerations": [TOLERATION]},
    "gpus-and-selector": {"container": workloads.resources(GPU, "4"), "nodeSelector": L4, "tolerations": [TOLERATION]},
    "selector-and-taint": {"nodeSelector": L4},
    "too-much-cpu": {"container": workloads.resources("cpu", "64"), "tolerations": [TOLERATION]},
    "too-much-memory": {"container": workloads.resources("memory", "1Ti"), "tolerations": [TOLERATION]},
    "claim-absent": {"volumes": [{"name": "cache", "persistentVolumeClaim": {"claimName": "absent"}}]},
    "claim-unbound": {"volumes": [{"name": "cache", "persistentVolumeClaim": {"claimName": "cache"}}]},
    "gated": {"schedulingGates": [{"name": "example.com/queue"}]},
}


def play(cluster: Cluster) -> dict[str, Any]:
    """Play everything and give the messages of it all."""
    scheduling = {"no-nodes": _unschedulable(cluster, "no-nodes", {}), **_play_scheduling(cluster)}
    workloads.play(cluster)
    statuses = workloads.statuses(cluster)
    return {
        "events": _one_of_each(_events(cluster)),
        "scheduling": scheduling,
        "histories": cluster.histories,
        "statuses": statuses,
        "kubelet": kubelet.messages(),
    }


def _play_scheduling(cluster: Cluster) -> dict[str, Any]:
    cluster.delete(f"{APPS}/deployments/no-nodes")
    for number in range(NODES):
        has_gpu = number < 2
        node = manifests.node(f"node-{number}", gpus=2 if has_gpu else 0, labels=L4 if has_gpu else {})
        if has_gpu:
            node["spec"] = {"taints": [TAINT]}
        cluster.create("/api/v1/nodes", node)
    cluster.wait(lambda: all(_is_usable(node) for node in cluster.items("/api/v1/nodes")))
    cluster.create(f"{CORE}/persistentvolumeclaims", workloads.claim("cache"))
    found = {name: _unschedulable(cluster, name, pod) for name, pod in UNSCHEDULABLE.items()}
    cluster.patch("/api/v1/nodes/node-3", {"spec": {"unschedulable": True}})
    found["one-cordoned"] = _unschedulable(cluster, "one-cordoned", UNSCHEDULABLE["gpus-behind-a-taint"])
    cluster.patch("/api/v1/nodes/node-3", {"spec": {"unschedulable": None}})
    cluster.wait(lambda: all(_is_usable(node) for node in cluster.items("/api/v1/nodes")))
    return found


def _is_usable(node: Any) -> bool:
    """A node is tainted until the controller manager has seen that it is ready."""
    return not any(taint["key"].startswith("node.kubernetes.io/") for taint in node["spec"].get("taints", ()))


def _unschedulable(cluster: Cluster, name: str, pod: Manifest) -> Any:
    """What the PodScheduled condition says, and the request that brought it about."""
    cluster.create(f"{APPS}/deployments", manifests.deployment(name, pod=pod))

    def condition() -> Any:
        for found in cluster.pods(name, "Pending"):
            for entry in found["status"].get("conditions", ()):
                if entry["type"] == "PodScheduled" and entry.get("message"):
                    return entry
        return None

    said = cluster.wait(condition)
    return {"pod": pod, "condition": {key: said[key] for key in ("type", "status", "reason", "message")}}


def _events(cluster: Cluster) -> list[Any]:
    """Those of the namespace, and those about nodes, which go to `default`."""
    return cluster.items(f"{CORE}/events") + cluster.items("/api/v1/namespaces/default/events")


def _one_of_each(events: list[Any]) -> list[Any]:
    """One Event of each reason, kind of object and wording; wordings that differ in names and numbers are alike."""
    found: dict[tuple[str, str, str], Any] = {}
    for event in events:
        wording = re.sub(r"[a-z0-9]+(-[a-z0-9]+)+|\d+", "*", event["message"])
        if event["reason"] == "FailedScheduling":
            wording = event["message"]
        found.setdefault((event["reason"], event["involvedObject"]["kind"], wording), _plain(event))
    return [found[key] for key in sorted(found)]


def _plain(event: Any) -> Any:
    """Without managedFields, which nobody shows."""
    event["metadata"].pop("managedFields", None)
    return event
