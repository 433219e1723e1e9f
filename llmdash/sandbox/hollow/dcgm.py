"""The ``/metrics`` page of NVIDIA's DCGM exporter on a hollow node. Pure.

Names: dcgm-exporter, etc/default-counters.csv. Pod labels appear only on cards that a pod holds. Cards of other makers
are not DCGM's business: their nodes answer an empty page.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmdash.sandbox.hollow.catalog import AMD, Gpu, NodePlace

_FIELDS = (
    ("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz)."),
    ("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C)."),
    ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W)."),
    ("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %)."),
    ("DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered."),
    ("DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB)."),
    ("DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB)."),
)


@dataclass(frozen=True, slots=True)
class Use:
    """Who holds a card: ``filled`` of its memory is taken, ``busy`` of its time (both 0 to 1)."""

    namespace: str
    pod: str
    container: str
    filled: float
    busy: float


@dataclass(frozen=True, slots=True)
class Card:
    """One device of a node: its index within its resource, and its resource."""

    resource: str
    index: int
    gpu: Gpu


def cards(place: NodePlace) -> list[Card]:
    """The devices of a node in a stable order."""
    return [
        Card(resource, index, gpu)
        for resource, (gpu, count) in place.kind.devices.items()
        for index in range(count)
    ]  # fmt: skip


def uuid(node: str, card: Card) -> str:
    text = hashlib.sha256(f"{node}/{card.resource}/{card.index}".encode()).hexdigest()
    kind = "MIG" if "mig-" in card.resource else "GPU"
    return f"{kind}-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def _labels(node: str, card: Card, use: Use | None) -> str:
    index = card.index
    profile = {"GPU_I_PROFILE": card.resource.rsplit("mig-", 1)[-1], "GPU_I_ID": str(index + 1)}
    found = {
        "gpu": "0" if "mig-" in card.resource else str(index),
        "UUID": uuid(node, card),
        "pci_bus_id": f"00000000:{0x10 + index:02X}:00.0",
        "device": f"nvidia{index}",
        "modelName": card.gpu.model,
        **(profile if "mig-" in card.resource else {}),
        "Hostname": node,
        "DCGM_FI_DRIVER_VERSION": "580.95.05",
    }
    if use:
        found |= {"container": use.container, "namespace": use.namespace, "pod": use.pod}
    return ",".join(f'{name}="{value}"' for name, value in found.items())


def _readings(card: Card, use: Use | None, when: float) -> Mapping[str, float]:
    filled, busy = (use.filled, use.busy) if use else (0.0, 0.0)
    flutter = math.sin(when / 7 + card.index) * (2 if busy else 0.4)
    used = round(card.gpu.memory_mib * 0.985 * filled + 4)
    load = max(0.0, min(100.0, busy * 92 + (flutter if busy else 0)))
    watts = card.gpu.idle_watts + (card.gpu.peak_watts - card.gpu.idle_watts) * (load / 100) ** 0.7 + flutter
    return {
        "DCGM_FI_DEV_SM_CLOCK": 1980 if busy else 345,
        "DCGM_FI_DEV_GPU_TEMP": round(29 + card.index % 4 + 38 * load / 100),
        "DCGM_FI_DEV_POWER_USAGE": round(watts, 3),
        "DCGM_FI_DEV_GPU_UTIL": round(load),
        "DCGM_FI_DEV_MEM_COPY_UTIL": round(load * 0.55),
        "DCGM_FI_DEV_XID_ERRORS": 0,
        "DCGM_FI_DEV_FB_FREE": max(0, round(card.gpu.memory_mib * 0.985) - used),
        "DCGM_FI_DEV_FB_USED": used,
    }


def page(place: NodePlace, uses: Mapping[tuple[str, int], Use], when: float) -> str:
    """The page of one node; ``uses`` maps (resource, index) to the holder of that card."""
    rows = [
        (_labels(place.name, card, use), _readings(card, use, when))
        for card in cards(place)
        if card.resource != AMD
        for use in [uses.get((card.resource, card.index))]
    ]
    return "".join(f"{line}\n" for line in _lines(rows))


def _lines(rows: Sequence[tuple[str, Mapping[str, float]]]) -> Iterator[str]:
    for name, kind, text in _FIELDS if rows else ():
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} {kind}"
        for labels, readings in rows:
            yield f"{name}{{{labels}}} {readings[name]}"
