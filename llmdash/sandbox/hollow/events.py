"""Reports events in core v1 as the kubelet does: the same message again raises ``count`` of the event that exists."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from typing import Any

import structlog

from llmdash.sandbox.hollow import times
from llmdash.sandbox.hollow.client import ApiError, Client
from llmdash.sandbox.hollow.states import Note

Json = dict[str, Any]
KEPT = 8192
IN_FLIGHT = 6
"""Events sent at the same time: few, so that statuses do not wait behind them."""

log = structlog.get_logger(__name__)


def event(pod: Json, note: Note, node: str, *, now: float, init: bool = False) -> Json:
    """The Event object of a note about a container of a pod."""
    meta = pod["metadata"]
    key = f"{meta['uid']}/{note.container}/{note.reason}/{note.message}"
    stamp = times.text(now)
    kind = "initContainers" if init else "containers"
    reference = {
        "kind": "Pod",
        "apiVersion": "v1",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resourceVersion": meta.get("resourceVersion", ""),
        "fieldPath": f"spec.{kind}{{{note.container}}}",
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{meta['name']}.{hashlib.sha256(key.encode()).hexdigest()[:16]}",
            "namespace": meta["namespace"],
        },
        "involvedObject": reference,
        "reason": note.reason,
        "message": note.message,
        "type": "Warning" if note.warning else "Normal",
        "source": {"component": "kubelet", "host": node},
        "reportingComponent": "kubelet",
        "reportingInstance": node,
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": note.count,
    }


class Recorder:
    """Sends events in the background, in order for each pod; one that cannot be sent is dropped, as kubelets do."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sent: OrderedDict[str, int] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(IN_FLIGHT)

    def record(self, pod: Json, notes: list[Note], node: str, init: frozenset[str]) -> None:
        if not notes:
            return
        now, uid = time.time(), pod["metadata"]["uid"]
        events = [event(pod, note, node, now=now, init=note.container in init) for note in notes]
        before = self._tasks.get(uid)
        task = asyncio.create_task(self._send_all(before, events))
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._forget(uid, done))

    async def drain(self) -> None:
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _forget(self, uid: str, done: asyncio.Task[None]) -> None:
        if self._tasks.get(uid) is done:
            del self._tasks[uid]

    async def _send_all(self, before: asyncio.Task[None] | None, events: list[Json]) -> None:
        if before is not None:
            await asyncio.wait([before])
        for one in events:
            try:
                async with self._turns:
                    await self._send(one)
            except ApiError as error:
                log.debug("event.dropped", error=str(error))

    async def _send(self, one: Json) -> None:
        meta = one["metadata"]
        name, folder = meta["name"], f"/api/v1/namespaces/{meta['namespace']}/events"
        sent = self._sent.get(name, 0)
        if not sent:
            try:
                await self._client.create(folder, one)
            except ApiError as error:
                if error.code != 409:
                    raise
                sent = 1
        if sent:
            one["count"] = max(sent + 1, one["count"])
            change = {"count": one["count"], "lastTimestamp": one["lastTimestamp"]}
            await self._client.patch(f"{folder}/{name}", change)
        self._sent[name] = one["count"]
        self._sent.move_to_end(name)
        while len(self._sent) > KEPT:
            self._sent.popitem(last=False)
