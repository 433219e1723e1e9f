"""Kinds that are served in two shapes and stored in one: events of `events.k8s.io`, autoscalers of `autoscaling/v1`."""

from __future__ import annotations

from typing import Any

from llmdash.sandbox.paths import Resource

Json = dict[str, Any]
EVENTS = "events.k8s.io"
# events.k8s.io/v1 -> v1; https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
RENAMED = {
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}


def is_stored(resource: Resource) -> bool:
    """Whether objects are stored in the shape of this version."""
    return resource.group != EVENTS and resource.group_version != "autoscaling/v1"


def outward(resource: Resource, found: Json) -> Json:
    """A stored object in the shape of the version that was asked for."""
    if found.get("apiVersion") == resource.group_version:
        return found
    if resource.group == EVENTS:
        back = {core: new for new, core in RENAMED.items()}
        found = {back.get(name, name): value for name, value in found.items()}
    elif resource.kind == "HorizontalPodAutoscaler" and resource.version == "v1":
        spec = dict(found.get("spec") or {})
        metrics = spec.pop("metrics", [])
        for one in metrics:
            target = (one.get("resource") or {}).get("target") or {}
            if (one.get("resource") or {}).get("name") == "cpu" and "averageUtilization" in target:
                spec["targetCPUUtilizationPercentage"] = target["averageUtilization"]
        found = found | {"spec": spec}
    return found | {"apiVersion": resource.group_version}


def inward(resource: Resource, found: Json) -> Json:
    """An object in the shape in which it is stored."""
    if resource.group == EVENTS:
        found = {RENAMED.get(name, name): value for name, value in found.items()}
        found.setdefault("source", {})
        for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
            found.setdefault(name, None)
        return found | {"apiVersion": "v1"}
    if resource.kind == "Event":
        found = dict(found)
        found.setdefault("source", {})
        for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
            found.setdefault(name, None)
        for name in ("reportingComponent", "reportingInstance"):
            found.setdefault(name, "")
        return found
    if resource.kind == "HorizontalPodAutoscaler" and resource.version == "v1":
        spec = dict(found.get("spec") or {})
        percent = spec.pop("targetCPUUtilizationPercentage", None)
        if percent is not None:
            target = {"type": "Utilization", "averageUtilization": percent}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        return found | {"spec": spec, "apiVersion": "autoscaling/v2"}
    return found
