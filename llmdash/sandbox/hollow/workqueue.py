"""A queue of keys for a few workers: each key at most once, never at two workers, now or at a given time."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import time
from collections.abc import AsyncIterator

AGAIN = 0.05
"""Seconds until a key is offered again that is being worked on."""


class WorkQueue:
    """Keys to work on. One heap holds all due times, so waiting costs nothing however many keys there are."""

    def __init__(self) -> None:
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._busy: set[str] = set()
        self._heap: list[tuple[float, str]] = []
        self._sooner = asyncio.Event()

    def put(self, key: str) -> None:
        if key not in self._queued:
            self._queued.add(key)
            self._ready.put_nowait(key)

    def put_at(self, key: str, when: float) -> None:
        """Put the key at an epoch second; never when it is infinite. Being put twice costs one idle look."""
        if when == math.inf:
            return
        if not self._heap or when < self._heap[0][0]:
            self._sooner.set()
        heapq.heappush(self._heap, (when, key))

    async def ring(self) -> None:
        """Put keys as they fall due, for ever."""
        while True:
            now = time.time()
            while self._heap and self._heap[0][0] <= now:
                self.put(heapq.heappop(self._heap)[1])
            pause = self._heap[0][0] - now if self._heap else None
            self._sooner.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), pause)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[str]:
        """The next key, kept from the other workers for the length of the block."""
        key = await self._take()
        self._busy.add(key)
        try:
            yield key
        finally:
            self._busy.discard(key)

    async def _take(self) -> str:
        while True:
            key = await self._ready.get()
            self._queued.discard(key)
            if key not in self._busy:
                return key
            self.put_at(key, time.time() + AGAIN)
