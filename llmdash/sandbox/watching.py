"""Watches: changes as they happen, from a version on, for a while.

After k8s.io/apiserver/pkg/storage/cacher and endpoints/handlers/watch.go.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from llmdash.sandbox import errors, listing, table, versions
from llmdash.sandbox.paths import Request, Resource
from llmdash.sandbox.store import Change, Store, TooOld

Json = dict[str, Any]
BOOKMARKS, LAST = 10.0, 2.0
"""Seconds between bookmarks, and from the last one to the end; the real one sends them about once a minute."""
INITIAL_END = {"k8s.io/initial-events-end": "true"}
MAX_WAITING = 50_000


@dataclass
class Watch:
    """One watch: what is asked, and how its objects are shown."""

    store: Store
    request: Request
    query: Mapping[str, str]
    shown: str
    include: str
    now: Callable[[], float]
    stopping: asyncio.Event
    _first: bool = field(default=True)

    @property
    def resource(self) -> Resource:
        if self.request.resource is None:
            raise errors.no_such_resource()
        return self.request.resource

    def open(self) -> AsyncIterator[bytes]:
        """Begin to listen, then give lines. Raises a 400 before the first. A version to come is waited for."""
        test = listing.matcher(self.resource, self.query)
        version = listing.parse_version(self.query.get("resourceVersion", ""))
        initial = self.query.get("sendInitialEvents")
        if initial and self.query.get("resourceVersionMatch") != "NotOlderThan":
            cause = errors.forbidden_value(
                "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            )
            raise errors.invalid("ListOptions", "meta.k8s.io", "", [cause])
        return self._lines(test, version, initial=initial == "true")

    async def _lines(self, test: listing.Test, version: int, *, initial: bool) -> AsyncIterator[bytes]:
        waiting: asyncio.Queue[Change] = asyncio.Queue()
        stop_listening = self.store.listen(self.resource.key, waiting.put_nowait)
        try:
            if version == 0 or initial:
                # Taken together with its version: others write while the lines are sent.
                present, version = self._present(test, end=initial), self.store.version
                for line in present:
                    yield line
            try:
                past, seen = self.store.since(self.resource.key, version), self.store.version
            except TooOld:
                yield self._expired(version)
                return
            for change in past:
                if line := self._line(change, test):
                    yield line
            async for line in self._news(waiting, test, seen):
                yield line
        finally:
            stop_listening()

    async def _news(self, waiting: asyncio.Queue[Change], test: listing.Test, seen: int) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        seconds = float(self.query.get("timeoutSeconds") or 0) or random.uniform(1800, 3600)  # noqa: S311  (jitter)
        end = loop.time() + seconds
        bookmarks = self.query.get("allowWatchBookmarks", "") not in ("", "0", "false")
        mark = _next_mark(loop.time(), end) if bookmarks else end
        stopped = asyncio.ensure_future(self.stopping.wait())
        try:
            while not self.stopping.is_set() and loop.time() < end and waiting.qsize() < MAX_WAITING:
                change = await _next(waiting, stopped, min(end, mark) - loop.time())
                if change and change.version > seen and (line := self._line(change, test)):
                    yield line
                if bookmarks and loop.time() >= mark and waiting.empty() and loop.time() < end:
                    mark = _next_mark(loop.time(), end)
                    yield self._bookmark({})
        finally:
            stopped.cancel()

    def _present(self, test: listing.Test, *, end: bool) -> list[bytes]:
        found = [
            self._encode("ADDED", one)
            for one in self.store.list(self.resource.key, self.request.namespace)
            if test(one)
        ]
        return [*found, self._bookmark(INITIAL_END)] if end else found

    def _bookmark(self, annotations: Json) -> bytes:
        meta: Json = {"resourceVersion": str(self.store.version)} | (
            {"annotations": annotations} if annotations else {}
        )
        bare = {"kind": self.resource.kind, "apiVersion": self.resource.group_version, "metadata": meta}
        return self._encode("BOOKMARK", bare)

    def _expired(self, version: int) -> bytes:
        said = errors.expired(f"too old resource version: {version} ({self.store.forgotten})").body()
        return msgspec.json.encode({"type": "ERROR", "object": said}) + b"\n"

    def _line(self, change: Change, test: listing.Test) -> bytes:
        """A change as this watch sees it: what begins to match is added, what ceases to is deleted."""
        if self.request.namespace and change.object["metadata"].get("namespace") != self.request.namespace:
            return b""
        was = change.before is not None and test(change.before)
        is_now = change.type != "DELETED" and test(change.object)
        if is_now:
            return self._encode("MODIFIED" if was else "ADDED", change.object, change)
        if not was:
            return b""
        if change.type == "DELETED" or change.before is None:
            return self._encode("DELETED", change.object, change)
        meta = change.before["metadata"] | {"resourceVersion": change.object["metadata"]["resourceVersion"]}
        return self._encode("DELETED", change.before | {"metadata": meta})

    def _encode(self, type_: str, found: Json, change: Change | None = None) -> bytes:
        if not self.shown:
            stored = versions.is_stored(self.resource)
            body = change.encoded if change and stored else msgspec.json.encode(versions.outward(self.resource, found))
            return b'{"type":"%s","object":%s}\n' % (type_.encode(), body)
        return msgspec.json.encode({"type": type_, "object": self._show(type_, found)}) + b"\n"

    def _show(self, type_: str, found: Json) -> Json:
        if self.shown.startswith("PartialObjectMetadata"):
            return table.partial(found)
        meta = {"resourceVersion": found["metadata"]["resourceVersion"]}
        rows = [] if type_ == "BOOKMARK" else [found]
        header, self._first = self._first, False
        return table.table(self.resource, rows, meta, self.now(), include=self.include, header=header)


def _next_mark(now: float, end: float) -> float:
    """When a bookmark is due: now and then, and once shortly before the end."""
    last = end - LAST
    return min(now + BOOKMARKS, last) if now < last - 0.1 else end


async def _next(waiting: asyncio.Queue[Change], stopped: asyncio.Future[Any], seconds: float) -> Change | None:
    """The next change, or None when time is up or the server stops."""
    if not waiting.empty():
        return waiting.get_nowait()
    getting = asyncio.ensure_future(waiting.get())
    try:
        await asyncio.wait({getting, stopped}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not getting.done():
            getting.cancel()
    return getting.result() if getting.done() and not getting.cancelled() else None
