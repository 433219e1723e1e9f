"""The store on disk: one file, written whole at most a second after a change, and never half."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import structlog

from llmdash.sandbox import tls
from llmdash.sandbox.store import Change, Store, name_of

Json = dict[str, Any]
PAUSE = 0.5
VERSION_STEP = 1000
"""A restart leaves room for versions that were given out after the last write of the file."""
log = structlog.get_logger(__name__)


class State(msgspec.Struct):
    """What the file holds."""

    version: int
    objects: dict[str, list[Json]]
    clean: bool = False


class Snapshot:
    """Keeps a store in a file."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store = store
        self._path = path
        self._changed = asyncio.Event()
        store.listen("", self._note)

    def _note(self, change: Change) -> None:
        # Heartbeats alone are not worth a write; they come again.
        if change.key != "coordination.k8s.io/leases":
            self._changed.set()

    def load(self) -> bool:
        """Fill the store from the file; False when there is none. A file that cannot be read is set aside."""
        if not self._path.exists():
            return False
        try:
            state = msgspec.json.decode(self._path.read_bytes(), type=State)
        except msgspec.DecodeError as error:
            log.warning("snapshot.unreadable", file=str(self._path), error=str(error))
            self._path.rename(self._path.with_suffix(".unreadable"))
            return False
        self._store.version = state.version + (0 if state.clean else VERSION_STEP)
        for key, items in state.objects.items():
            self._store.objects[key] = {name_of(one): one for one in items}
        self._store.forget()
        return True

    def write(self, *, clean: bool = False) -> None:
        """Write the file now; clean when no change will follow."""
        self._changed.clear()
        objects = {key: list(held.values()) for key, held in self._store.objects.items() if held}
        tls.write_private(self._path, msgspec.json.encode(State(self._store.version, objects, clean)))

    async def run(self) -> None:
        """Write after changes, for ever."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(PAUSE)
            self.write()
