"""What differs between kinds when they are written: who may set the status, what counts generations, how they end.

After k8s.io/kubernetes/pkg/registry/*/strategy.go.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox.paths import Resource

Json = dict[str, Any]
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
COUNTED = frozenset({
    "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "PodDisruptionBudget", "NetworkPolicy",
    "Ingress", "IngressClass", "PriorityClass", "Pod", "ReplicationController", "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration", "CustomResourceDefinition", "EndpointSlice", "FlowSchema",
    "PriorityLevelConfiguration", "ValidatingAdmissionPolicy",
})  # fmt: skip
# Kinds whose creator may set the status.
BRINGS_STATUS = frozenset({"Node", "PersistentVolume", "CSIStorageCapacity"})
# Of these an empty status is shown; others have none until somebody writes it.
FIRST: dict[str, Json] = {
    "Deployment": {}, "StatefulSet": {"replicas": 0}, "DaemonSet": {}, "Job": {}, "CronJob": {},
    "Service": {"loadBalancer": {}}, "Namespace": {"phase": "Active"}, "PersistentVolumeClaim": {"phase": "Pending"},
    "ReplicaSet": {"replicas": 0}, "ResourceQuota": {}, "Ingress": {"loadBalancer": {}},
}  # fmt: skip
ORDER = ("kind", "apiVersion", "metadata", "spec", "data", "status")


def counted(resource: Resource) -> bool:
    """Whether its objects have a generation."""
    return resource.kind in COUNTED


def has_status(resource: Resource) -> bool:
    return "status" in resource.subresources


def prepare_create(resource: Resource, found: Json) -> None:
    """Nobody creates an object with a status of their own, nodes excepted."""
    if has_status(resource) and resource.kind not in BRINGS_STATUS:
        found.pop("status", None)
    if resource.kind == "Node":
        status = found.setdefault("status", {})
        status.setdefault("daemonEndpoints", {"kubeletEndpoint": {"Port": 0}})
        status.setdefault("nodeInfo", {})


def first_status(resource: Resource, found: Json) -> None:
    """What the API server itself says of a new object."""
    if resource.kind in FIRST:
        found["status"] = dict(FIRST[resource.kind])


def prepare_update(resource: Resource, new: Json, live: Json, subresource: str) -> Json:
    """The part of a write that its door lets through: the status, or everything else."""
    if subresource == "status":
        kept = {key: value for key, value in live.items() if key != "status"}
        meta = dict(live["metadata"])
        for name in ("annotations", "finalizers", "uid"):
            if name in new["metadata"]:
                meta[name] = new["metadata"][name]
            elif name in meta and name != "uid":
                del meta[name]
        return kept | {"metadata": meta} | ({"status": new["status"]} if "status" in new else {})
    if has_status(resource) and "status" in live:
        return new | {"status": live["status"]}
    return new


def moved(resource: Resource, live: Json, new: Json, subresource: str) -> bool:
    """Whether a change asks for something new. Annotations of a Deployment do."""
    if subresource == "status":
        return False
    skipped = {"metadata", "status", "kind", "apiVersion"}
    if {k: v for k, v in live.items() if k not in skipped} != {k: v for k, v in new.items() if k not in skipped}:
        return True
    annotations = live["metadata"].get("annotations"), new["metadata"].get("annotations")
    return resource.kind == "Deployment" and (annotations[0] or {}) != (annotations[1] or {})


def held(resource: Resource, found: Json) -> bool:
    """A namespace ends when its own finalizers are gone."""
    return resource.kind == "Namespace" and bool((found.get("spec") or {}).get("finalizers"))


def on_delete(resource: Resource, live: Json, propagation: str, grace: int | None) -> tuple[list[str], int]:
    """The finalizers with which an object is marked, and the seconds that it may take to stop."""
    finalizers = [one for one in live["metadata"].get("finalizers", []) if one not in (FOREGROUND, ORPHAN)]
    held_before = [one for one in live["metadata"].get("finalizers", []) if one in (FOREGROUND, ORPHAN)]
    if propagation == "Foreground":
        finalizers.append(FOREGROUND)
    elif propagation == "Orphan":
        finalizers.append(ORPHAN)
    elif not propagation:
        finalizers += held_before
    return finalizers, _grace(resource, live, grace)


def _grace(resource: Resource, live: Json, asked: int | None) -> int:
    """Only pods take time: those that a node runs, and that have not ended."""
    if resource.kind != "Pod":
        return 0
    meta, spec = live["metadata"], live["spec"]
    ended = live.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if not spec.get("nodeName") or ended:
        return 0
    if meta.get("deletionTimestamp"):
        standing: int = meta.get("deletionGracePeriodSeconds", 0)
        return min(standing, asked) if asked is not None else standing
    own: int = spec.get("terminationGracePeriodSeconds", 30)
    return asked if asked is not None else own


def mark_deleted(resource: Resource, found: Json) -> Json:
    """A namespace says that it is ending."""
    if resource.kind == "Namespace":
        return found | {"status": (found.get("status") or {}) | {"phase": "Terminating"}}
    return found


def tidy(meta: Json) -> Json:
    """Metadata without what is empty, which Go does not write."""
    return {key: value for key, value in meta.items() if value not in (None, "", {}, [])}


def ordered(found: Json) -> Json:
    """Members in the order in which people expect to read them."""
    return {key: found[key] for key in ORDER if key in found} | {k: v for k, v in found.items() if k not in ORDER}


def share(wanted: Any, whole: int, *, up: bool) -> int:
    """A count, or a percentage of the whole: surges round up, unavailable pods down."""
    if isinstance(wanted, str) and wanted.endswith("%"):
        exact = int(wanted[:-1]) * whole
        return -(-exact // 100) if up else exact // 100
    return int(wanted)
