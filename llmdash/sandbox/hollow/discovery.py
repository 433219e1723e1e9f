"""Lists our pods and nodes for Prometheus' ``http_sd``, with the labels that its Kubernetes discovery would give. Pure.

Prometheus builds without Kubernetes discovery (Debian's is one) can so use the very same relabelling rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmdash.sandbox.hollow import names
from llmdash.sandbox.hollow.keeper import Keeper
from llmdash.sandbox.hollow.nodes import Machine

Json = dict[str, Any]
META = "__meta_kubernetes"
ANNOTATION = "annotation_sandbox_llmdash_io_runtime"


def pods(keepers: Iterable[Keeper]) -> list[Json]:
    """A target group for each pod that carries the annotation and runs."""
    groups: list[Json] = []
    for keeper in keepers:
        address = (keeper.pod["metadata"].get("annotations") or {}).get(names.RUNTIME)
        status = keeper.pod.get("status") or {}
        if not address or status.get("phase") != "Running":
            continue
        labels = {
            f"{META}_namespace": keeper.namespace,
            f"{META}_pod_name": keeper.name,
            f"{META}_pod_node_name": keeper.machine.place.name,
            f"{META}_pod_ip": str(status.get("podIP") or ""),
            f"{META}_pod_phase": "Running",
            f"{META}_pod_uid": keeper.uid,
            f"{META}_pod_{ANNOTATION}": address,
        }
        groups.append({"targets": [address], "labels": labels})
    return groups


def nodes(machines: Iterable[Machine]) -> list[Json]:
    """A target group for each registered node."""
    return [
        {
            "targets": [machine.runtime],
            "labels": {f"{META}_node_name": machine.place.name, f"{META}_node_{ANNOTATION}": machine.runtime},
        }
        for machine in machines
        if machine.uid
    ]
