"""The few objects that this folder's tests and the recording put into a plane."""

import datetime
from typing import Any

Manifest = dict[str, Any]
GPU = "nvidia.com/gpu"


def deployment(name: str, *, replicas: int = 1, pod: Manifest | None = None, **spec: Any) -> Manifest:
    """A Deployment of one container that no kubelet will run; `pod` adds to the pod's spec."""
    container: Manifest = {"name": "main", "image": "registry.example/app:1", **(pod or {}).get("container", {})}
    rest = {key: value for key, value in (pod or {}).items() if key != "container"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **rest}},
            **spec,
        },
    }


def config_map(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(name: str, node: str = "") -> Manifest:
    """A pod, put on a node past the scheduler when one is named."""
    spec: Manifest = {"containers": [{"name": "main", "image": "registry.example/app:1"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {**spec, "nodeName": node} if node else spec,
    }


def node(name: str, *, gpus: int = 0, labels: dict[str, str] | None = None, port: int = 10250) -> Manifest:
    """A node that says it is ready, with its kubelet on a port of loopback. Status is part of it."""
    resources = {"cpu": "16", "memory": "64Gi", "pods": "110", **({GPU: str(gpus)} if gpus else {})}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [ready()],
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        },
    }


def ready() -> Manifest:
    """The condition by which a kubelet says that its node is alive."""
    said = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
    return {**said, "lastHeartbeatTime": _now(), "lastTransitionTime": _now()}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def running(pod: Manifest) -> Manifest:
    """The status a kubelet reports of a pod that runs and is ready."""
    now = _now()
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": now}
        for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    containers = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": f"{container['image'].split(':')[0]}@sha256:{'0' * 64}",
            "containerID": f"containerd://{'0' * 64}",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": now}},
        }
        for container in pod["spec"]["containers"]
    ]
    return {
        "phase": "Running",
        "startTime": now,
        "hostIP": "127.0.0.1",
        "podIP": "10.244.0.5",
        "podIPs": [{"ip": "10.244.0.5"}],
        "conditions": conditions,
        "containerStatuses": containers,
    }
