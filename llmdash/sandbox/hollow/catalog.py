"""The kinds of nodes that the sandbox offers, as data.

Label names and values follow NVIDIA's GPU feature discovery (``nvidia.com/gpu.product``, ``nvidia.com/gpu.memory`` in
MiB) and AMD's node labeller (``amd.com/gpu.product-name``). Memory figures are what ``nvidia-smi`` prints for the card.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NVIDIA = "nvidia.com/gpu"
AMD = "amd.com/gpu"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One kind of accelerator (or MIG slice): ``memory_mib`` is physical memory, power in watts."""

    product: str
    model: str
    memory_mib: int
    idle_watts: float
    peak_watts: float


H100 = Gpu("NVIDIA-H100-80GB-HBM3", "NVIDIA H100 80GB HBM3", 81559, 72.0, 690.0)
A100 = Gpu("NVIDIA-A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB", 81920, 61.0, 395.0)
L4 = Gpu("NVIDIA-L4", "NVIDIA L4", 23034, 13.0, 71.0)
MI300X = Gpu("AMD_Instinct_MI300X_OAM", "AMD Instinct MI300X", 196592, 140.0, 740.0)
MIG_10 = Gpu("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", "NVIDIA A100-SXM4-80GB", 9728, 9.0, 56.0)
MIG_40 = Gpu("NVIDIA-A100-SXM4-80GB-MIG-3g.40gb", "NVIDIA A100-SXM4-80GB", 40192, 28.0, 180.0)


@dataclass(frozen=True, slots=True)
class NodeKind:
    """One machine shape; ``devices`` maps an extended resource to what it holds and how many of them."""

    prefix: str
    instance_type: str
    cpu: int
    memory_gib: int
    ephemeral_gib: int
    pods: int = 110
    devices: dict[str, tuple[Gpu, int]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NodePlace:
    """One machine to make: its kind, its name and where it stands."""

    name: str
    kind: NodeKind
    zone: str


def _nvidia(gpu: Gpu, count: int, family: str, *, compute: str) -> dict[str, str]:
    major, minor = compute.split(".")
    return {
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": gpu.product,
        "nvidia.com/gpu.memory": str(gpu.memory_mib),
        "nvidia.com/gpu.count": str(count),
        "nvidia.com/gpu.replicas": "1",
        "nvidia.com/gpu.family": family,
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": minor,
        "nvidia.com/cuda.driver-version.full": "580.95.05",
        "nvidia.com/cuda.runtime-version.full": "13.0",
        "nvidia.com/mig.capable": "false" if family == "ada-lovelace" else "true",
        "nvidia.com/mig.strategy": "single",
    }


def _mig(slices: dict[str, tuple[Gpu, int]]) -> dict[str, str]:
    labels = _nvidia(A100, 2, "ampere", compute="8.0")
    labels["nvidia.com/mig.strategy"] = "mixed"
    for resource, (gpu, count) in slices.items():
        labels |= {
            f"{resource}.product": gpu.product,
            f"{resource}.memory": str(gpu.memory_mib),
            f"{resource}.count": str(count),
        }
    return labels


_SLICES = {"nvidia.com/mig-1g.10gb": (MIG_10, 7), "nvidia.com/mig-3g.40gb": (MIG_40, 2)}
_ONLY_GPU_PODS = {"key": NVIDIA, "value": "present", "effect": "NoSchedule"}

H100_NODE = NodeKind(
    "h100",
    "p5.48xlarge",
    192,
    2048,
    3500,
    devices={NVIDIA: (H100, 8)},
    labels=_nvidia(H100, 8, "hopper", compute="9.0"),
)
A100_NODE = NodeKind(
    "a100",
    "a2-ultragpu-4g",
    48,
    680,
    1500,
    devices={NVIDIA: (A100, 4)},
    labels=_nvidia(A100, 4, "ampere", compute="8.0"),
    taints=(_ONLY_GPU_PODS,),
)
L4_NODE = NodeKind(
    "l4", "g2-standard-24", 24, 96, 400, devices={NVIDIA: (L4, 2)}, labels=_nvidia(L4, 2, "ada-lovelace", compute="8.9")
)
MI300X_NODE = NodeKind(
    "mi300x",
    "Standard_ND96isr_MI300X_v5",
    96,
    1850,
    1000,
    devices={AMD: (MI300X, 8)},
    labels={
        "amd.com/gpu.product-name": MI300X.product,
        "amd.com/gpu.vram": "192G",
        "amd.com/gpu.family": "AI",
        "amd.com/gpu.device-id": "74a1",
        "amd.com/gpu.cu-count": "304",
    },
)
MIG_NODE = NodeKind("mig", "p4de.24xlarge", 96, 1152, 1000, devices=_SLICES, labels=_mig(_SLICES))
CPU_NODE = NodeKind("cpu", "n2-standard-32", 32, 128, 200, pods=250)

NODE_SETS: dict[str, tuple[tuple[NodeKind, int], ...]] = {
    "default": ((H100_NODE, 2), (A100_NODE, 1), (L4_NODE, 2), (MI300X_NODE, 1), (MIG_NODE, 1), (CPU_NODE, 1)),
    "small": ((H100_NODE, 1), (L4_NODE, 1)),
}
ZONES = ("sandbox-1a", "sandbox-1b", "sandbox-1c")


def places(node_set: str) -> list[NodePlace]:
    """The machines of a named set (``default`` or ``small``), spread over the zones.

    >>> [place.name for place in places("small")]
    ['hollow-h100-0', 'hollow-l4-0']
    """
    found: list[NodePlace] = []
    for kind, count in NODE_SETS[node_set]:
        for index in range(count):
            found.append(NodePlace(f"hollow-{kind.prefix}-{index}", kind, ZONES[len(found) % len(ZONES)]))
    return found
