"""One pod in memory: what the API server shows of it, its plan, and where it is. No input or output."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from llmdash.sandbox.hollow import logs, status, traffic
from llmdash.sandbox.hollow.dcgm import Use
from llmdash.sandbox.hollow.lifecycle import due, kill, step
from llmdash.sandbox.hollow.nodeobjects import HOST_IP
from llmdash.sandbox.hollow.nodes import Machine
from llmdash.sandbox.hollow.plan import ContainerPlan, PodPlan, kv_tokens
from llmdash.sandbox.hollow.states import Life, Moment, Note, Run, Stage

Json = dict[str, Any]


@dataclass(slots=True)
class Keeper:
    """The pod ``pod`` on ``machine``; ``cards`` are the (resource, index) of the devices it holds."""

    pod: Json
    machine: Machine
    plan: PodPlan
    life: Life
    ip: str
    cards: tuple[tuple[str, int], ...] = ()
    gone: bool = False
    retries: int = 0

    @property
    def uid(self) -> str:
        return str(self.pod["metadata"]["uid"])

    @property
    def name(self) -> str:
        return str(self.pod["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    @property
    def deleted(self) -> bool:
        return bool(self.pod["metadata"].get("deletionTimestamp"))

    @property
    def over(self) -> bool:
        """Finished for good, and so left alone until somebody deletes it."""
        return (self.pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")

    def moment(self, now: float) -> Moment:
        title = f"{self.name}_{self.namespace}({self.uid})"
        return Moment(now, self.uid, title, self.ip, self.machine.images, self.machine.llms)

    def advance(self, now: float) -> list[Note]:
        """Move on to now; returns the events of the way."""
        self.life, notes = step(self.life, self.plan, self.moment(now))
        return notes

    def begin_stop(self, now: float) -> list[Note]:
        if self.life.stopping is not None:
            return []
        self.life = replace(self.life, stopping=now)
        running = [one for one in (*self.plan.init, *self.plan.main) if self.life.run(one.name).alive]
        if not running:
            self.life = replace(self.life, stopping=-math.inf)
        return [Note(one.name, "Killing", f"Stopping container {one.name}") for one in running]

    def finish_stop(self, now: float) -> None:
        """All containers ended by the signal, with exit code 0 as servers that shut down cleanly have."""
        runs = dict(self.life.runs)
        for one in (*self.plan.init, *self.plan.main):
            run = runs.get(one.name, Run())
            if run.alive:
                runs[one.name] = replace(kill(run, one, self.moment(now), kind="stopped", code=0), stage=Stage.DONE)
            elif run.ended is not None:
                runs[one.name] = replace(run, stage=Stage.DONE)
        self.life = replace(self.life, runs=runs)

    def due(self) -> float:
        return due(self.life, self.plan, self.machine.images)

    def patch(self, now: float) -> Json | None:
        """What has to be written to the pod's status, if anything."""
        pod_ip = HOST_IP if self.plan.host_network else self.ip
        wanted = status.status(self.pod, self.life, self.plan, host_ip=HOST_IP, pod_ip=pod_ip)
        return status.patch(self.pod.get("status") or {}, wanted, now=now)

    def serving(self, now: float) -> tuple[ContainerPlan, Run] | None:
        """The container that answers requests now, if one does."""
        one = self.plan.serves
        if one is None or self.gone:
            return None
        run = self.life.run(one.name)
        if not run.alive or now < self._serving_since(one, run):
            return None
        return one, run

    @staticmethod
    def _serving_since(one: ContainerPlan, run: Run) -> float:
        return run.started + one.serving_after(warm=run.warm)

    def load(self, one: ContainerPlan, run: Run) -> traffic.Load | None:
        """The traffic of a run of its runtime; None for containers that serve nothing."""
        since = self._serving_since(one, run)
        if one.llm is None or math.isinf(since):
            return None
        return traffic.load(
            self.uid, since, billions=one.llm.billions, gpus=one.llm.gpus, kv_tokens=kv_tokens(one.llm, one.gpu),
            wanted=self.plan.traffic,
        )  # fmt: skip

    def log(self, container: str, *, previous: bool) -> logs.Source | None:
        one = self.plan.container(container)
        if one is None:
            return None
        run = self.life.run(container)
        return logs.source(one, run, self.load(one, run) if run.alive else None, previous=previous)

    def log_of_run(self, container: str, started: float) -> logs.Source | None:
        """The run that began at ``started``, running or ended; None when it is forgotten."""
        found = (self.log(container, previous=False), self.log(container, previous=True))
        return next((one for one in found if one and abs(one.started - started) < 1e-6), None)

    def waiting_reason(self, container: str) -> str:
        built = status.status(self.pod, self.life, self.plan, host_ip=HOST_IP, pod_ip=self.ip)
        for one in (*built["containerStatuses"], *built.get("initContainerStatuses", ())):
            if one["name"] == container:
                return str((one["state"].get("waiting") or {}).get("reason", "no logs yet"))
        return "no logs yet"

    def use(self, now: float) -> Use | None:
        """How its devices are used: memory fills while the weights load, work follows the traffic."""
        holder = next((one for one in self.plan.main if one.gpu), None)
        if holder is None:
            return None
        run = self.life.run(holder.name)
        filled, busy = 0.0, 0.0
        if self.serving(now) and holder.llm:
            load = self.load(holder, run)
            filled, busy = holder.llm.utilization, load.at(now).share if load else 0.0
        elif run.alive and holder.llm and holder.gpu:
            whole = holder.llm.weights_gib_per_gpu * 1024 / holder.gpu.memory_mib
            filled = min(0.98, whole) * self._loaded(holder, run, now)
        return Use(self.namespace, self.name, holder.name, filled, busy)

    @staticmethod
    def _loaded(one: ContainerPlan, run: Run, now: float) -> float:
        """Share of the weights that is on the devices."""
        at = run.started
        for stage in one.stages(warm=run.warm):
            if stage.name == "load":
                return max(0.0, min(1.0, (now - at) / stage.seconds))
            at += stage.seconds
        return 0.0
