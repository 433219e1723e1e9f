"""From a pod's spec to what will happen to it: a plan. Pure.

All durations in a plan are wall-clock seconds, already divided by the speed of the simulation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmdash.sandbox import quantity
from llmdash.sandbox.hollow import images, llm, names, probes
from llmdash.sandbox.hollow.catalog import Gpu
from llmdash.sandbox.hollow.llm import GIB, Llm
from llmdash.sandbox.hollow.probes import Probe

BYTES_DOWNLOADED_PER_SECOND = 4e8
BYTES_LOADED_PER_SECOND = 2.5e9
OVERHEAD_GIB = 2.5
"""GPU memory beside weights and KV cache: activations of the profiling run and what is not torch's."""

LASTING_VOLUMES = {"persistentVolumeClaim", "hostPath", "nfs", "csi"}
"""A pod with one of these finds the weights again that were downloaded on its node before."""

Devices = Mapping[str, tuple[Gpu, int]]


@dataclass(frozen=True, slots=True)
class Failure:
    """The container ends ``after`` seconds with this exit; ``kind`` picks the log."""

    kind: str
    after: float
    exit_code: int = 1
    reason: str = "Error"


@dataclass(frozen=True, slots=True)
class LoadStage:
    """One part of a runtime's start, in order: boot, download, load, compile, capture."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """What one container will do; ``cold`` are its stages when the node does not hold the weights yet."""

    name: str
    image: str
    runtime: str  # vllm, sglang, tgi, llamacpp, llm (another inference server) or plain
    restart: str  # Always, OnFailure, Never
    speed: float
    port: int = 8000
    always_pull: bool = False
    pull_refusal: str | None = None
    cold: tuple[LoadStage, ...] = ()
    keeps_weights: bool = False
    hangs: bool = False
    failure: Failure | None = None
    ends_after: float | None = None
    startup: Probe | None = None
    liveness: Probe | None = None
    readiness: Probe | None = None
    llm: Llm | None = None
    gpu: Gpu | None = None
    sidecar: bool = False
    tells: bool = False  # the end of the log of a run that failed stands with its status

    def stages(self, *, warm: bool) -> tuple[LoadStage, ...]:
        return tuple(stage for stage in self.cold if not (warm and stage.name == "download"))

    def serving_after(self, *, warm: bool) -> float:
        """Seconds from the container's start until it answers; infinite when it hangs."""
        return math.inf if self.hangs else sum(stage.seconds for stage in self.stages(warm=warm))

    def nominal(self, seconds: float) -> float:
        """Seconds of the real thing as seconds of this simulation."""
        return seconds / self.speed


@dataclass(frozen=True, slots=True)
class PodPlan:
    """The containers of one pod, and how many devices of which resource it holds."""

    init: tuple[ContainerPlan, ...]
    main: tuple[ContainerPlan, ...]
    devices: dict[str, int]
    stop_seconds: float
    traffic: bool
    host_network: bool

    @property
    def serves(self) -> ContainerPlan | None:
        """The container that answers requests, if one does."""
        return next((one for one in self.main if one.runtime != "plain"), None)

    def container(self, name: str) -> ContainerPlan | None:
        return next((one for one in (*self.init, *self.main) if one.name == name), None)


def devices_of(container: Mapping[str, Any], devices: Devices) -> dict[str, int]:
    limits = (container.get("resources") or {}).get("limits") or {}
    return {name: int(limits[name]) for name in devices if int(limits.get(name, 0))}


_RUNTIMES = (
    ("vllm", "vllm"),
    ("sglang", "sglang"),
    ("text-generation-inference", "tgi"),
    ("llama.cpp", "llamacpp"),
    ("llama-server", "llamacpp"),
    ("ollama", "llm"),
)
"""What the image or the command says, and the runtime that it means."""


def _runtime(container: Mapping[str, Any], model: Llm | None, gpus: int) -> str:
    told = " ".join([str(container.get("image", "")), *llm.words(container)]).lower()
    if model is None and not gpus:
        return "plain"
    known = next((runtime for mark, runtime in _RUNTIMES if mark in told), None)
    if known or gpus:
        return known or "llm"
    return "llm" if "serve" in told else "plain"


def _stages(runtime: str, model: Llm | None, speed: float) -> tuple[LoadStage, ...]:
    if runtime == "plain" or model is None:
        return (LoadStage("boot", 0.4 / speed),)
    size = model.weight_bytes
    nominal = [
        ("boot", 12.0),
        ("download", 2.0 + size / BYTES_DOWNLOADED_PER_SECOND),
        ("load", 3.0 + size / BYTES_LOADED_PER_SECOND),
        ("compile", 5.0 if model.eager else 26.0 + model.billions / 10),
        ("capture", 0.0 if model.eager else 9.0),
    ]
    return tuple(LoadStage(name, seconds / speed) for name, seconds in nominal if seconds)


def _memory_limit(container: Mapping[str, Any]) -> float | None:
    """Bytes, None when there is no limit."""
    text = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    try:
        return float(quantity.parse(text)) if text else None
    except quantity.QuantityError:
        return None


def _failure_kind(container: Mapping[str, Any], asked: str, model: Llm | None, gpu: Gpu | None) -> str | None:
    tag = images.split(str(container.get("image", "")))[2]
    if asked in ("crash", "oom", "cuda-oom"):
        return asked
    if tag in ("crash", "oom"):
        return tag
    limit = _memory_limit(container)
    if model and limit is not None and limit < GIB:
        return "oom"
    if model and gpu:
        room = gpu.memory_mib / 1024
        if model.weights_gib_per_gpu > room:
            return "cuda-oom"
        if model.weights_gib_per_gpu + OVERHEAD_GIB > room * model.utilization:
            return "no-kv-room"
        if kv_tokens(model, gpu) < model.context:
            return "little-kv-room"
    return None


def kv_gib(model: Llm | None, gpu: Gpu | None) -> float:
    """KV cache of one GPU in GiB, by the budget identity: utilisation x memory = weights + overhead + cache."""
    if model is None or gpu is None:
        return 8.0
    return max(0.1, gpu.memory_mib / 1024 * model.utilization - model.weights_gib_per_gpu - OVERHEAD_GIB)


def kv_tokens(model: Llm | None, gpu: Gpu | None) -> int:
    """Tokens of KV cache over all ranks."""
    if model is None or gpu is None:
        return 65536
    return int(kv_gib(model, gpu) * GIB * model.gpus / model.kv_bytes_per_token) // 16 * 16


def _failure(kind: str | None, stages: tuple[LoadStage, ...], speed: float) -> Failure | None:
    """When the failure strikes: a crash at once, the others in the stage where the real one happens."""
    if kind is None:
        return None
    until = {"oom": "load", "cuda-oom": "load", "no-kv-room": "compile", "little-kv-room": "compile"}.get(kind)
    after = 2.5 / speed
    if until and any(stage.name == until for stage in stages):
        index = [stage.name for stage in stages].index(until)
        after = sum(stage.seconds for stage in stages[:index]) + 0.6 * stages[index].seconds
    return Failure(kind, after, 137, "OOMKilled") if kind == "oom" else Failure(kind, after)


def _ends_after(container: Mapping[str, Any], runtime: str, restart: str, *, init: bool) -> float | None:
    """Nominal seconds of a container that is meant to end: init containers and jobs."""
    if not init and (runtime != "plain" or restart == "Always"):
        return None
    words = llm.words(container)
    if "download" in words or "snapshot_download" in " ".join(words):
        repo = next((word for word in words if "/" in word and not word.startswith(("/", "-"))), "")
        return 2.0 + llm.billions(repo) * 2e9 / BYTES_DOWNLOADED_PER_SECOND
    return 1.5 if init else 5.0


def _container(
    container: Mapping[str, Any], pod: Mapping[str, Any], devices: Devices, *, speed: float, init: bool
) -> ContainerPlan:
    spec, asked = pod["spec"], (pod["metadata"].get("annotations") or {}).get(names.FAIL, "")
    held = devices_of(container, devices)
    gpu = devices[next(iter(held))][0] if held else None
    model = llm.read(container, sum(held.values()))
    runtime = "plain" if init else _runtime(container, model, sum(held.values()))
    if runtime == "plain":
        model = None
    elif model is None:
        model = Llm("unknown/7B", 7.0, 16, ("unknown/7B",), llm.CONTEXT, 0.9, False, 1)
    stages = _stages(runtime, model, speed)
    sidecar = init and container.get("restartPolicy") == "Always"
    ends = None if sidecar else _ends_after(container, runtime, spec.get("restartPolicy", "Always"), init=init)
    port = int(llm.option(llm.words(container), "--port") or (30000 if "sglang" in container["image"] else 8000))
    image = str(container["image"])
    listens = port if runtime == "vllm" else None
    return ContainerPlan(
        name=container["name"],
        image=image,
        runtime=runtime,
        restart="Always" if sidecar else spec.get("restartPolicy", "Always"),
        speed=speed,
        port=port,
        always_pull=container.get("imagePullPolicy") == "Always",
        pull_refusal=images.refusal(image, forced=asked == "image"),
        cold=stages,
        keeps_weights=any(LASTING_VOLUMES & set(volume) for volume in spec.get("volumes") or ()),
        hangs=asked == "hang" and not init,
        failure=None if init else _failure(_failure_kind(container, asked, model, gpu), stages, speed),
        ends_after=ends / speed if ends is not None else None,
        startup=probes.read("Startup", container, speed, listens=listens),
        liveness=probes.read("Liveness", container, speed, listens=listens),
        readiness=probes.read("Readiness", container, speed, listens=listens),
        llm=model,
        gpu=gpu,
        sidecar=sidecar,
        tells=container.get("terminationMessagePolicy") == "FallbackToLogsOnError",
    )


def build(pod: Mapping[str, Any], devices: Devices, *, speed: float) -> PodPlan:
    """The plan of a pod on a node with these devices; ``speed`` 10 makes everything ten times as fast."""
    spec = pod["spec"]
    annotations = pod["metadata"].get("annotations") or {}
    held: dict[str, int] = {}
    for container in spec["containers"]:
        for resource, count in devices_of(container, devices).items():
            held[resource] = held.get(resource, 0) + count
    grace = float(spec.get("terminationGracePeriodSeconds", 30))
    return PodPlan(
        init=tuple(_container(one, pod, devices, speed=speed, init=True) for one in spec.get("initContainers") or ()),
        main=tuple(_container(one, pod, devices, speed=speed, init=False) for one in spec["containers"]),
        devices=held,
        stop_seconds=min(grace, 3.0) / speed,
        traffic=annotations.get(names.TRAFFIC) != "none",
        host_network=bool(spec.get("hostNetwork")),
    )
