"""The Node, its status and its Lease as a kubelet writes them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmdash.sandbox.hollow import images, names, times
from llmdash.sandbox.hollow.catalog import NodePlace

Json = dict[str, Any]
LEASE_SECONDS = 40
HOST_IP = "127.0.0.1"
"""Where the API server finds the log endpoint of every hollow node."""

_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def capacity(place: NodePlace) -> tuple[dict[str, str], dict[str, str]]:
    """Capacity and allocatable; what the system keeps for itself is taken off the second, as on managed clusters."""
    kind = place.kind
    devices = {resource: str(count) for resource, (_, count) in kind.devices.items()}
    whole = {
        "cpu": str(kind.cpu),
        "memory": f"{kind.memory_gib * 1024 * 1024}Ki",
        "ephemeral-storage": f"{kind.ephemeral_gib * 1024 * 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": str(kind.pods),
    }
    usable = whole | {
        "cpu": f"{kind.cpu * 1000 - 160}m",
        "memory": f"{int(kind.memory_gib * 0.97) * 1024 * 1024}Ki",
        "ephemeral-storage": f"{int(kind.ephemeral_gib * 0.9) * 1024**3}",
    }
    return whole | devices, usable | devices


def node_object(place: NodePlace, runtime: str) -> Json:
    """The Node to create; ``runtime`` is where its metrics answer (``host:port``)."""
    labels = {
        "kubernetes.io/hostname": place.name,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": place.kind.instance_type,
        "topology.kubernetes.io/zone": place.zone,
        "topology.kubernetes.io/region": place.zone[:-1],
        names.SIMULATED: "true",
    }
    spec: Json = {"providerID": f"hollow://{place.zone}/{place.name}"}
    if place.kind.taints:
        spec["taints"] = [dict(taint) for taint in place.kind.taints]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": place.name,
            "labels": labels | place.kind.labels,
            "annotations": {names.RUNTIME: runtime, "node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": spec,
    }


def node_status(place: NodePlace, *, port: int, version: str, held: Iterable[str], observed: Json, now: float) -> Json:
    """The status a kubelet posts; ``held`` are the images on the node, ``observed`` the status that stands there."""
    whole, usable = capacity(place)
    machine = images.digest(place.name)[:32]
    before = {one["type"]: one for one in observed.get("conditions") or []}
    conditions = []
    for kind, status, reason, message in _CONDITIONS:
        old = before.get(kind, {})
        same = old.get("status") == status and old.get("lastTransitionTime")
        conditions.append({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": times.text(now),
            "lastTransitionTime": old["lastTransitionTime"] if same else times.text(now),
        })  # fmt: skip
    return {
        "capacity": whole,
        "allocatable": usable,
        "conditions": conditions,
        "addresses": [{"type": "InternalIP", "address": HOST_IP}, {"type": "Hostname", "address": place.name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "nodeInfo": {
            "machineID": machine,
            "systemUUID": f"{machine[:8]}-{machine[8:12]}-{machine[12:16]}-{machine[16:20]}-{machine[20:32]}",
            "bootID": f"{machine[20:28]}-{machine[:4]}-{machine[4:8]}-{machine[8:12]}-{machine[12:24]}",
            "kernelVersion": "6.8.0-1029-hollow",
            "osImage": "Hollow Linux (simulated)",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kubeletVersion": version,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
        "images": [
            {"names": [images.image_id(image), image], "sizeBytes": images.size(image)} for image in sorted(held)[:50]
        ],
    }


def lease(name: str, now: float, owner_uid: str) -> Json:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": "kube-node-lease",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": owner_uid}],
        },
        "spec": {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": times.micro(now)},
    }
