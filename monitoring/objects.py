"""Kubernetes objects as typed structs with the fields that we use. Pure.

Decoding 10,000 pods into these takes 0.1 s where the official client's classes take 7. Field names are Kubernetes'
own. Everything has a default, since a malformed object must cost only itself.
"""

from datetime import datetime
from typing import Any

import msgspec


class Struct(msgspec.Struct, rename="camel", gc=False):
    """Names in Python's spelling, in JSON Kubernetes'."""


class OwnerReference(Struct):
    uid: str = ""


class Metadata(Struct):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    generation: int = 0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None

    def label(self, key: str) -> str:
        return (self.labels or {}).get(key, "")

    def annotation(self, key: str) -> str:
        return (self.annotations or {}).get(key, "")


class Condition(Struct):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class Resources(Struct):
    requests: dict[str, str] | None = None
    limits: dict[str, str] | None = None


class Container(Struct):
    name: str = ""
    image: str = ""
    resources: Resources | None = None
    restart_policy: str = ""


class PodSpec(Struct):
    node_name: str = ""
    containers: list[Container] = []
    init_containers: list[Container] | None = None
    overhead: dict[str, str] | None = None


class Waiting(Struct):
    reason: str = ""
    message: str = ""


class Running(Struct):
    started_at: datetime | None = None


class Terminated(Struct):
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    finished_at: datetime | None = None
    started_at: datetime | None = None


class State(Struct):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Struct):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: State | None = None
    last_state: State | None = None
    started: bool | None = None


class PodStatus(Struct):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    start_time: datetime | None = None
    pod_ip: str = msgspec.field(name="podIP", default="")


class Pod(Struct):
    metadata: Metadata
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)


class NodeInfo(Struct):
    kubelet_version: str = ""


class NodeStatus(Struct):
    capacity: dict[str, str] | None = None
    allocatable: dict[str, str] | None = None
    conditions: list[Condition] | None = None
    node_info: NodeInfo = msgspec.field(default_factory=NodeInfo)


class Taint(Struct):
    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Struct):
    unschedulable: bool = False
    taints: list[Taint] | None = None


class Node(Struct):
    metadata: Metadata
    spec: NodeSpec = msgspec.field(default_factory=NodeSpec)
    status: NodeStatus = msgspec.field(default_factory=NodeStatus)


class Manager(Struct):
    """One entry of managedFields: who owns which fields. `fields_v1` nests {"f:spec": {"f:replicas": {}}}."""

    manager: str = ""
    fields_v1: dict[str, Any] | None = msgspec.field(name="fieldsV1", default=None)


class ManagedMetadata(Metadata):
    managed_fields: list[Manager] | None = None


class Loose(Struct):
    """An object of which we compare whatever we applied: its parts stay plain values."""

    metadata: ManagedMetadata
    kind: str = ""
    spec: dict[str, Any] = {}
    data: dict[str, Any] | None = None
    status: dict[str, Any] = {}


class ReplicaSet(Struct):
    metadata: Metadata


class EventObject(Struct):
    kind: str = ""
    name: str = ""
    uid: str = ""


class EventSeries(Struct):
    count: int = 0
    last_observed_time: datetime | None = None


class Event(Struct):
    metadata: Metadata
    involved_object: EventObject = msgspec.field(default_factory=EventObject)
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None

    @property
    def at(self) -> datetime | None:
        """When it was last seen: core and events.k8s.io writers fill different fields."""
        series = self.series.last_observed_time if self.series else None
        return series or self.last_timestamp or self.event_time or self.metadata.creation_timestamp


def condition(conditions: list[Condition] | None, kind: str) -> Condition | None:
    """The condition of that type."""
    return next((found for found in conditions or [] if found.type == kind), None)
