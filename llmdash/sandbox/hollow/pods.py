"""Plays kubelet for every pod that is bound to a hollow node: one watch, one heap of due times, a few workers.

A pod is worked on when it changed or when its next step is due, never on a timer of its own, and is written to only
when what it shows differs from what should stand there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import structlog

from llmdash.sandbox.hollow import images, names, plan, status
from llmdash.sandbox.hollow.client import ApiError, Client, follow
from llmdash.sandbox.hollow.events import Recorder
from llmdash.sandbox.hollow.keeper import Keeper
from llmdash.sandbox.hollow.nodes import Machine
from llmdash.sandbox.hollow.resources import Addresses, CardTable
from llmdash.sandbox.hollow.states import Note, Stage
from llmdash.sandbox.hollow.workqueue import WorkQueue

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
        self._queue = WorkQueue()
        self._short: set[str] = set()

    def find(self, namespace: str, name: str) -> Keeper | None:
        return self._keepers.get(self._names.get((namespace, name), ""))

    def on(self, node: str) -> Iterable[Keeper]:
        return [keeper for keeper in self._keepers.values() if keeper.machine.place.name == node]

    def machine(self, node: str) -> Machine | None:
        return self._machines.get(node)

    def every(self) -> Iterable[Keeper]:
        return list(self._keepers.values())

    def machines(self) -> Iterable[Machine]:
        return list(self._machines.values())

    async def heal(self, node: str) -> None:
        """Go on with the pods of a node that was lost."""
        for keeper in self.on(node):
            self._queue.put(keeper.uid)

    async def run(self) -> None:
        """Work for ever."""
        watch = follow(self._client, "/api/v1/pods", on_list=self._listed, on_event=self._changed)
        await asyncio.gather(watch, self._queue.ring(), *(self._work() for _ in range(WORKERS)))

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
        if _version(pod) >= _version(keeper.pod):  # the answer to our own write may have come before
            if _wishes(pod) != _wishes(keeper.pod):
                keeper.plan = plan.build(pod, machine.place.kind.devices, speed=self._speed)
            keeper.pod = pod
        self._queue.put(uid)

    def _adopt(self, pod: Json, machine: Machine) -> Keeper:
        made = plan.build(pod, machine.place.kind.devices, speed=self._speed)
        keeper = Keeper(
            pod=pod,
            machine=machine,
            plan=made,
            life=status.adopt(pod, made, time.time()),
            ip=self._addresses.lend(machine, pod),
        )
        if not keeper.over:
            self._lend_cards(keeper)
        self._keepers[keeper.uid] = keeper
        self._names[keeper.namespace, keeper.name] = keeper.uid
        return keeper

    def _release(self, keeper: Keeper) -> None:
        self._addresses.give_back(keeper.ip, keeper.uid)
        self._cards.give_back(keeper.uid)
        keeper.cards = ()
        self._short.discard(keeper.uid)
        for uid in self._short:
            self._queue.put(uid)

    def _lend_cards(self, keeper: Keeper) -> None:
        """The scheduler counts a card as free as soon as its pod has ended, we when we have cleaned up: a newcomer may
        have to wait for its cards."""
        self._short.discard(keeper.uid)
        if len(keeper.cards) < sum(keeper.plan.devices.values()):
            keeper.cards = self._cards.lend(keeper.machine, keeper.pod, keeper.plan)
            if len(keeper.cards) < sum(keeper.plan.devices.values()):
                self._short.add(keeper.uid)

    def _forget(self, uid: str) -> None:
        keeper = self._keepers.pop(uid, None)
        if keeper is None:
            return
        keeper.gone = True
        self._release(keeper)
        if self._names.get((keeper.namespace, keeper.name)) == uid:
            del self._names[keeper.namespace, keeper.name]

    async def _work(self) -> None:
        while True:
            async with self._queue.turn() as uid:
                keeper = self._keepers.get(uid)
                if keeper is None or keeper.machine.lost:
                    continue
                try:
                    await self._sync(keeper)
                    keeper.retries = 0
                except ApiError as error:
                    self._retry(keeper, error)
                except Exception:
                    log.exception("pod.broken", pod=keeper.path)

    def _retry(self, keeper: Keeper, error: ApiError) -> None:
        """404 and a uid conflict mean that the pod is gone, which the watch will tell; the rest is tried again."""
        if error.code in (404, 409):
            return
        keeper.retries += 1
        pause = min(10.0, 0.3 * 2.0 ** min(keeper.retries, 8))
        log.warning("pod.retry", pod=keeper.path, error=str(error), pause=pause)
        self._queue.put_at(keeper.uid, time.time() + pause)

    async def _sync(self, keeper: Keeper) -> None:
        now = time.time()
        if keeper.deleted:
            await self._stop(keeper, now)
            return
        if keeper.over:
            keeper.finish_stop(now)
            self._release(keeper)
            return
        self._lend_cards(keeper)
        notes = keeper.advance(now)
        self._remember(keeper)
        self._tell(keeper, notes)
        await self._annotate(keeper)
        await self._write(keeper, now)
        self._queue.put_at(keeper.uid, keeper.due())

    async def _stop(self, keeper: Keeper, now: float) -> None:
        """What the kubelet does after a delete: stop the containers, write the last status, remove the object."""
        if not keeper.over:
            self._tell(keeper, keeper.begin_stop(now))
            if now < keeper.due():
                self._queue.put_at(keeper.uid, keeper.due())
                return
            keeper.finish_stop(now)
            self._release(keeper)
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


def _wishes(pod: Json) -> tuple[str | None, str | None]:
    """What a person asked of a pod by annotations, at any time of its life."""
    found = pod["metadata"].get("annotations") or {}
    return found.get(names.FAIL), found.get(names.TRAFFIC)


def _version(found: Json) -> int:
    """The resourceVersion as a number, which the API promises since 1.35; 0 from servers that count otherwise."""
    written = str(found["metadata"].get("resourceVersion") or "")
    return int(written) if written.isdigit() else 0
