"""Room on nodes: what each has, who holds it, what is free. Pure.

A pod's request is what the scheduler counts: the larger of its containers together (with sidecars) and each init
container (with the sidecars before it), plus overhead.
https://kubernetes.io/docs/concepts/scheduling-eviction/resource-management/
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from deployments import quantity
from monitoring.interning import ENCODER, KEPT
from monitoring.objects import Container, Node, Pod, condition

PARTS = msgspec.json.Decoder(tuple[list[Container], list[Container] | None, dict[str, str] | None])

GPU_VENDORS = ("nvidia.com", "amd.com", "gpu.intel.com")
PRODUCT_LABELS = {"nvidia.com": "nvidia.com/gpu.product", "amd.com": "amd.com/gpu.product-name"}
MEMORY_LABELS = {"nvidia.com": "nvidia.com/gpu.memory", "amd.com": "amd.com/gpu.vram"}


@dataclass
class Owner:
    """A pod that holds GPUs. `deployment` is our deployment's id, "" for other people's pods."""

    pod: str
    namespace: str
    count: int
    deployment: str


@dataclass
class Gpus:
    """The GPUs of one resource on one node; `memory_mib` is 0 when no label tells."""

    resource: str
    product: str
    memory_mib: int
    allocatable: int
    owners: list[Owner] = field(default_factory=list)

    @property
    def used(self) -> int:
        return sum(owner.count for owner in self.owners)


@dataclass
class Room:
    """One node. CPU in thousandths of a core, memory in bytes."""

    name: str
    ready: bool
    schedulable: bool
    message: str
    gpus: list[Gpus]
    cpu_millis: int
    memory_bytes: int
    cpu_millis_used: int = 0
    memory_bytes_used: int = 0
    pods: int = 0


def is_gpu(resource: str) -> bool:
    """Whether a resource name is a GPU or a part of one."""
    vendor, _, name = resource.partition("/")
    return vendor in GPU_VENDORS and (name.startswith(("gpu", "mig-", "i915", "xe")))


def amount(value: str | None) -> Decimal:
    """A quantity, 0 for none or for what cannot be read."""
    try:
        return quantity.parse(value or "0")
    except ValueError:
        return Decimal(0)


def requests(container: Container) -> dict[str, Decimal]:
    """What a container asks for; a limit without a request is also the request."""
    given = container.resources
    if given is None:
        return {}
    return {name: amount(value) for name, value in ((given.limits or {}) | (given.requests or {})).items()}


@dataclass(frozen=True)
class Demand:
    """What the scheduler sets aside for a pod: thousandths of a core, bytes, and GPUs by resource."""

    cpu_millis: int
    memory_bytes: int
    gpus: Mapping[str, int]


def demand(pod: Pod) -> Demand:
    """Of this pod. Pods of one template ask for the same, which is reckoned once."""
    spec = pod.spec
    return demand_of(ENCODER.encode((spec.containers, spec.init_containers, spec.overhead)))


@lru_cache(KEPT)
def demand_of(text: bytes) -> Demand:
    """The same, of the parts of a spec that it depends on, as JSON."""
    wanted = pod_requests(*PARTS.decode(text))
    return Demand(
        cpu_millis=int(wanted.get("cpu", 0) * 1000),
        memory_bytes=int(wanted.get("memory", 0)),
        gpus={name: int(count) for name, count in wanted.items() if is_gpu(name)},
    )


def pod_requests(
    containers: list[Container], init_containers: list[Container] | None, overhead: dict[str, str] | None
) -> dict[str, Decimal]:
    """By resource."""
    main: dict[str, Decimal] = defaultdict(Decimal)
    for container in containers:
        add(main, requests(container))
    sidecars: dict[str, Decimal] = defaultdict(Decimal)
    peak: dict[str, Decimal] = defaultdict(Decimal)
    for container in init_containers or []:
        if container.restart_policy == "Always":
            add(sidecars, requests(container))
            keep_largest(peak, sidecars)
        else:
            once = defaultdict(Decimal, sidecars)
            add(once, requests(container))
            keep_largest(peak, once)
    add(main, sidecars)
    keep_largest(main, peak)
    add(main, {name: amount(value) for name, value in (overhead or {}).items()})
    return dict(main)


def add(total: dict[str, Decimal], more: dict[str, Decimal]) -> None:
    for name, value in more.items():
        total[name] += value


def keep_largest(total: dict[str, Decimal], other: dict[str, Decimal]) -> None:
    for name, value in other.items():
        total[name] = max(total[name], value)


def room(node: Node) -> Room:
    """A node without its pods."""
    ready = condition(node.status.conditions, "Ready")
    has = node.status.allocatable or {}
    return Room(
        name=node.metadata.name,
        ready=bool(ready and ready.status == "True"),
        schedulable=not node.spec.unschedulable,
        message="" if ready is None or ready.status == "True" else ready.message or ready.reason,
        gpus=[gpus(node, resource, int(amount(value))) for resource, value in sorted(has.items()) if is_gpu(resource)],
        cpu_millis=int(amount(has.get("cpu")) * 1000),
        memory_bytes=int(amount(has.get("memory"))),
    )


def gpus(node: Node, resource: str, count: int) -> Gpus:
    """One resource of a node, named by the labels of its vendor's discovery; a MIG slice by its profile."""
    vendor, _, name = resource.partition("/")
    product = node.metadata.label(PRODUCT_LABELS.get(vendor, ""))
    memory = node.metadata.label(MEMORY_LABELS.get(vendor, ""))
    if name.startswith("mig-"):
        return Gpus(resource, f"{product} {name}".strip(), 0, count)
    return Gpus(resource, product or resource, mebibytes(memory), count)


def mebibytes(label: str) -> int:
    """NVIDIA's label is a plain number of MiB, AMD's ends with a letter: 192G."""
    if label.isdigit():
        return int(label)
    return int(amount(label.rstrip("i") + "i") / 2**20) if label[:-1].isdigit() else 0


def rooms(nodes: Iterable[Node], pods: Iterable[Pod], whose: Callable[[Pod], str] = lambda pod: "") -> list[Room]:
    """Every node with what runs on it. Pods that ended hold nothing. `whose` tells the id of our deployment that a pod
    is of, "" for other people's."""
    found = {node.metadata.name: room(node) for node in nodes}
    for pod in pods:
        place = found.get(pod.spec.node_name)
        if place is None or pod.status.phase in ("Succeeded", "Failed"):
            continue
        wanted = demand(pod)
        place.pods += 1
        place.cpu_millis_used += wanted.cpu_millis
        place.memory_bytes_used += wanted.memory_bytes
        for kind in place.gpus:
            if count := wanted.gpus.get(kind.resource, 0):
                kind.owners.append(Owner(pod.metadata.name, pod.metadata.namespace, count, whose(pod)))
    return sorted(found.values(), key=lambda place: place.name)


def summary(places: Iterable[Room], *, all_pods: bool = True) -> list[dict[str, Any]]:
    """GPUs by resource and product: {"resource", "product", "total", "used", "free", "largest_free", "nodes"}.

    `largest_free` is the most on one node. A node that is not ready or takes no pods offers nothing free. Where not
    `all_pods` of the cluster are known nobody knows what is free: both are None, and `used` is the least.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for place in places:
        for kind in place.gpus:
            empty = {"total": 0, "used": 0, "free": 0, "largest_free": 0, "nodes": 0}
            row = found.setdefault(
                (kind.resource, kind.product), {"resource": kind.resource, "product": kind.product} | empty
            )
            free = max(0, kind.allocatable - kind.used) if place.ready and place.schedulable else 0
            row["total"] += kind.allocatable
            row["used"] += kind.used
            row["free"] += free
            row["largest_free"] = max(row["largest_free"], free)
            row["nodes"] += 1
    unknown = {} if all_pods else {"free": None, "largest_free": None}
    return sorted((row | unknown for row in found.values()), key=lambda row: (-row["total"], row["product"]))
