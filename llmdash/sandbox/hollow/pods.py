"""Plays kubelet for every pod that is bound to a hollow node: one watch, one heap of due times, a few workers.

A pod is worked on when it changed or when its next step is due, never on a timer of its own, and is written to only
when what it shows differs from what should stand there.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Iterable
from typing import Any

import structlog

from llmdash.sandbox.hollow import images, names, plan, status
from llmdash.sandbox.hollow.client import ApiError, Client, follow
from llmdash.sandbox.hollow.events import Recorder
from llmdash.sandbox.hollow.keeper import Keeper
from llmdash.sandbox.hollow.lifecycle import Note, Stage
from llmdash.sandbox.hollow.nodes import Machine
from llmdash.sandbox.hollow.resources import Addresses, CardTable

Json = dict[str, Any]
WORKERS = 16
log = structlog.get_logger(__name__)


class Pods:
    """All pods on our machines. ``runtime`` is the ``host:port`` that serving pods are annotated with."""

    def __init__(self, client: Client, machines: dict[str, Machine], *, speed: float, runtime: str) -> None:
        self._client = client
        self._machines = machines
        self._speed = speed
        self._runtime = runtime
        self._recorder = Recorder(client)
        self._keepers: dict[str, Keeper] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._addresses, self._cards = Addresses(), CardTable()
        self._heap: list[tuple[float, str]] = []
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._busy: set[str] = set()
        self._sooner = asyncio.Event()

    def find(self, namespace: str, name: str) -> Keeper | None:
        return self._keepers.get(self._names.get((namespace, name), ""))

    def on(self, node: str) -> Iterable[Keeper]:
        return [keeper for keeper in self._keepers.values() if keeper.machine.place.name == node]

    def machine(self, node: str) -> Machine | None:
        return self._machines.get(node)

    async def heal(self, node: str) -> None:
        """Go on with the pods of a node that was lost."""
        for keeper in self.on(node):
            self._enqueue(keeper.uid)

    async def run(self) -> None:
        """Work for ever."""
        watch = follow(self._client, "/api/v1/pods", on_list=self._listed, on_event=self._changed)
        await asyncio.gather(watch, self._alarm(), *(self._work() for _ in range(WORKERS)))

    async def _listed(self, items: list[Json]) -> None:
        present = {item["metadata"]["uid"] for item in items}
        for uid in [uid for uid in self._keepers if uid not in present]:
            self._forget(uid)
        # Those that hold something first, so that newcomers cannot be lent it.
        for item in sorted(items, key=lambda item: not (item.get("status") or {}).get("podIP")):
            self._see(item)

    async def _changed(self, kind: str, pod: Json) -> None:
        if kind == "DELETED":
            self._forget(pod["metadata"]["uid"])
        else:
            self._see(pod)

    def _see(self, pod: Json) -> None:
        uid, machine = pod["metadata"]["uid"], self._machines.get(pod["spec"].get("nodeName") or "")
        if machine is None:
            return
        keeper = self._keepers.get(uid)
        if keeper is None:
            keeper = self._adopt(pod, machine)
        keeper.pod = pod
        self._enqueue(uid)

    def _adopt(self, pod: Json, machine: Machine) -> Keeper:
        made = plan.build(pod, machine.place.kind.devices, speed=self._speed)
        keeper = Keeper(
            pod=pod,
            machine=machine,
            plan=made,
            life=status.adopt(pod, made, time.time()),
            ip=self._addresses.lend(machine, pod),
            cards=self._cards.lend(machine, pod, made),
        )
        if keeper.over:
            self._release(keeper)
        self._keepers[keeper.uid] = keeper
        self._names[keeper.namespace, keeper.name] = keeper.uid
        return keeper

    def _release(self, keeper: Keeper) -> None:
        self._addresses.give_back(keeper.ip, keeper.uid)
        self._cards.give_back(keeper.uid)
        keeper.cards = ()

    def _forget(self, uid: str) -> None:
        keeper = self._keepers.pop(uid, None)
        if keeper is None:
            return
        keeper.gone = True
        self._release(keeper)
        if self._names.get((keeper.namespace, keeper.name)) == uid:
            del self._names[keeper.namespace, keeper.name]

    def _enqueue(self, uid: str) -> None:
        if uid not in self._queued:
            self._queued.add(uid)
            self._queue.put_nowait(uid)

    def _schedule(self, uid: str, when: float) -> None:
        if math.isinf(when) and when > 0:
            return
        if not self._heap or when < self._heap[0][0]:
            self._sooner.set()
        heapq.heappush(self._heap, (when, uid))

    async def _alarm(self) -> None:
        """Enqueue pods as they fall due. A stale entry costs one idle look at its pod."""
        while True:
            now = time.time()
            while self._heap and self._heap[0][0] <= now:
                self._enqueue(heapq.heappop(self._heap)[1])
            pause = self._heap[0][0] - now if self._heap else None
            self._sooner.clear()
            try:
                await asyncio.wait_for(self._sooner.wait(), pause)
            except TimeoutError:
                continue

    async def _work(self) -> None:
        while True:
            uid = await self._queue.get()
            self._queued.discard(uid)
            keeper = self._keepers.get(uid)
            if keeper is None or keeper.machine.lost:
                continue
            if uid in self._busy:
                self._schedule(uid, time.time() + 0.05)
                continue
            self._busy.add(uid)
            try:
                await self._sync(keeper)
                keeper.retries = 0
            except ApiError as error:
                self._retry(keeper, error)
            except Exception:
                log.exception("pod.broken", pod=keeper.path)
            finally:
                self._busy.discard(uid)

    def _retry(self, keeper: Keeper, error: ApiError) -> None:
        """404 and a uid conflict mean that the pod is gone, which the watch will tell; the rest is tried again."""
        if error.code in (404, 409):
            return
        keeper.retries += 1
        pause = min(10.0, 0.3 * 2.0 ** min(keeper.retries, 8))
        log.warning("pod.retry", pod=keeper.path, error=str(error), pause=pause)
        self._schedule(keeper.uid, time.time() + pause)

    async def _sync(self, keeper: Keeper) -> None:
        now = time.time()
        if keeper.deleted:
            await self._stop(keeper, now)
            return
        if keeper.over:
            self._release(keeper)
            return
        notes = keeper.advance(now)
        self._remember(keeper)
        self._tell(keeper, notes)
        await self._annotate(keeper)
        await self._write(keeper, now)
        self._schedule(keeper.uid, keeper.due())

    async def _stop(self, keeper: Keeper, now: float) -> None:
        """What the kubelet does after a delete: stop the containers, write the last status, remove the object."""
        self._tell(keeper, keeper.begin_stop(now))
        if now < keeper.due():
            self._schedule(keeper.uid, keeper.due())
            return
        keeper.finish_stop(now)
        await self._write(keeper, now)
        await self._client.delete(keeper.path, uid=keeper.uid, grace=0)

    def _remember(self, keeper: Keeper) -> None:
        """What a node holds after a container has started there: its image, and the LLM once it has been loaded."""
        for one in (*keeper.plan.init, *keeper.plan.main):
            run = keeper.life.run(one.name)
            if not run.alive:
                continue
            keeper.machine.images.add(images.reference(one.image))
            if run.stage is Stage.READY and one.keeps_weights and one.llm:
                keeper.machine.llms.add(one.llm.repo_id)

    def _tell(self, keeper: Keeper, notes: list[Note]) -> None:
        init = frozenset(one.name for one in keeper.plan.init)
        self._recorder.record(keeper.pod, notes, keeper.machine.place.name, init)

    async def _annotate(self, keeper: Keeper) -> None:
        wanted = {names.RUNTIME: self._runtime} if keeper.plan.serves else {}
        if keeper.cards:
            wanted[names.GPUS] = ",".join(str(index) for _, index in keeper.cards)
        found = keeper.pod["metadata"].get("annotations") or {}
        missing = {name: value for name, value in wanted.items() if found.get(name) != value}
        if missing:
            body = {"metadata": {"uid": keeper.uid, "annotations": missing}}
            self._take(keeper, await self._client.patch(keeper.path, body))

    async def _write(self, keeper: Keeper, now: float) -> None:
        change = keeper.patch(now)
        if change:
            body = {"metadata": {"uid": keeper.uid}, "status": change}
            found = await self._client.patch(f"{keeper.path}/status", body, kind="strategic-merge-patch")
            self._take(keeper, found)

    @staticmethod
    def _take(keeper: Keeper, found: Json) -> None:
        """Remember what the API server answered, so that the next comparison is with the newest object."""
        if found.get("metadata", {}).get("uid") == keeper.uid:
            keeper.pod = found
