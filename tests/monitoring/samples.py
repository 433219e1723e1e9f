"""Objects in the shape of `kubectl get -o json`, decoded as the watcher decodes them."""

from typing import Any

import msgspec

from llmdash.sandbox import recording
from monitoring.objects import Event, Loose, Node, Pod

Json = dict[str, Any]
CREATED = "2026-07-01T10:00:00Z"
HASH = "7d9f8b6c54"
GPU_NODE = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}


def said_by_the_scheduler(name: str) -> str:
    """A message of the real scheduler, see llmdash/sandbox/recorded."""
    found: str = recording.load("messages")["scheduling"][name]["condition"]["message"]
    return found


def last_status(name: str) -> Json:
    """The last status that the real Deployment controller gave a recorded Deployment."""
    found: Json = recording.load("messages")["histories"][name][-1]["status"]
    return found


def condition(kind: str, status: str = "True", reason: str = "", message: str = "", at: str = CREATED) -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at}


def container(requests: Json | None = None, limits: Json | None = None, **more: Any) -> Json:
    resources = {"requests": requests} if requests else {}
    resources |= {"limits": limits} if limits else {}
    return {"name": "main", "image": "example/llm:1", "resources": resources} | more


def pod_json(
    name: str = "qwen-1", *, node: str = "gpu-1", gpus: int = 1, spec: Json | None = None, **status: Any
) -> Json:
    """A pod of the newest template; `status` in Kubernetes' own spelling."""
    holds = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    return {
        "metadata": {
            "name": name, "namespace": "team", "uid": f"uid-{name}", "creationTimestamp": CREATED,
            "labels": {"pod-template-hash": HASH},
        },
        "spec": {"nodeName": node, "containers": [container(limits=holds)]} | (spec or {}),
        "status": {"phase": "Running" if node else "Pending"} | status,
    }  # fmt: skip


def pod(name: str = "qwen-1", **more: Any) -> Pod:
    return as_pod(pod_json(name, **more))


def as_pod(found: Json) -> Pod:
    return msgspec.json.decode(msgspec.json.encode(found), type=Pod)


def running(started: str = "2026-07-01T10:02:00Z", **more: Any) -> Json:
    return {"name": "main", "started": True, "state": {"running": {"startedAt": started}}} | more


def waits(reason: str, message: str = "", **more: Any) -> Json:
    return {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}} | more


def ready_pod(name: str = "qwen-1", **more: Any) -> Pod:
    conditions = [condition("PodScheduled"), condition("Ready", at="2026-07-01T10:03:00Z")]
    return pod(name, conditions=conditions, containerStatuses=[running(ready=True)], podIP="10.0.0.9", **more)


def pending_pod(name: str = "qwen-1", message: str = "", reason: str = "Unschedulable") -> Pod:
    return pod(name, node="", conditions=[condition("PodScheduled", "False", reason, message)])


def failing_pod(name: str = "qwen-1", reason: str = "ImagePullBackOff", message: str = "Back-off pulling image") -> Pod:
    return pod(name, conditions=[condition("PodScheduled")], containerStatuses=[waits(reason, message)])


def loading_pod(name: str = "qwen-1") -> Pod:
    conditions = [condition("PodScheduled"), condition("Ready", "False")]
    return pod(name, conditions=conditions, containerStatuses=[running(ready=False)])


def stopping_pod(name: str = "qwen-1") -> Pod:
    found = pod_json(name)
    return as_pod(found | {"metadata": found["metadata"] | {"deletionTimestamp": "2026-07-01T11:00:00Z"}})


def node(name: str = "gpu-1", *, ready: bool = True, labels: Json | None = None, **allocatable: str) -> Node:
    found = {
        "metadata": {"name": name, "labels": GPU_NODE if labels is None else labels},
        "status": {
            "allocatable": {"cpu": "64", "memory": "512Gi"} | allocatable,
            "conditions": [
                condition("Ready", "True" if ready else "False", message="" if ready else "Kubelet stopped.")
            ],
        },
    }
    return as_node(found)


def as_node(found: Json) -> Node:
    return msgspec.json.decode(msgspec.json.encode(found), type=Node)


def loose(kind: str = "Deployment", name: str = "qwen", **parts: Any) -> Loose:
    """A live object of ours; `managed` are the managedFields."""
    managed = parts.pop("managed", [])
    labels = parts.pop("labels", {})
    found = {"kind": kind, "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels, "managedFields": managed}}
    return msgspec.json.decode(msgspec.json.encode(found | parts), type=Loose)


def rolled(reason: str, **counts: int) -> Loose:
    """A Deployment that wants three replicas, of which all are up unless `counts` say otherwise."""
    up = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3} | counts
    return loose(spec={"replicas": 3}, status=up | {"conditions": [condition("Progressing", reason=reason)]})


def event(reason: str, at: str, about: str = "uid-qwen-1", **more: Any) -> Event:
    found = {
        "metadata": {"name": f"{reason}.{at}", "namespace": "team", "uid": f"{reason}{at}"},
        "involvedObject": {"kind": "Pod", "name": "qwen-1", "uid": about}, "type": "Normal", "reason": reason,
        "message": f"{reason}.", "firstTimestamp": at, "lastTimestamp": at, "count": 1,
    } | more  # fmt: skip
    return msgspec.json.decode(msgspec.json.encode(found), type=Event)
