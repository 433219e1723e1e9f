"""All objects, their versions, and a log of changes to watch from. One event loop, so nothing is locked.

What stands in the store is never changed in place: a write puts a new object in the old one's stead.
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

Json = dict[str, Any]
Name = tuple[str, str]
KEPT = 20_000
"""Changes that are remembered; a watch from before them is told to list again."""


class Change:
    """One write: `before` is what stood there, `object` what stands there now or did last."""

    __slots__ = ("_line", "before", "key", "object", "type", "version")

    def __init__(self, version: int, type_: str, key: str, found: Json, before: Json | None) -> None:
        self.version = version
        self.type = type_
        self.key = key
        self.object = found
        self.before = before
        self._line = b""

    @property
    def encoded(self) -> bytes:
        """The object in JSON, encoded once for any number of watches."""
        if not self._line:
            self._line = msgspec.json.encode(self.object)
        return self._line


# The method `list` hides the built-in one inside of the class.
Objects = list[Json]
Changes = list[Change]


class TooOld(Exception):
    """The log does not reach back that far."""


class Store:
    """Objects by resource (`apps/deployments`) and (namespace, name)."""

    def __init__(self) -> None:
        self.version = 1
        self.objects: dict[str, dict[Name, Json]] = defaultdict(dict)
        self.log: deque[Change] = deque()
        self.forgotten = 1
        self._listeners: dict[str, set[Callable[[Change], None]]] = defaultdict(set)

    def get(self, key: str, namespace: str, name: str) -> Json | None:
        return self.objects[key].get((namespace, name))

    def list(self, key: str, namespace: str = "") -> Objects:
        """In the order of their names, as etcd has them."""
        held = self.objects[key]
        return [held[name] for name in sorted(held) if not namespace or name[0] == namespace]

    def every(self) -> Iterator[tuple[str, Json]]:
        """All objects with their resources."""
        for key, held in list(self.objects.items()):
            for found in list(held.values()):
                yield key, found

    def put(self, key: str, found: Json) -> Json:
        """Write an object; its resourceVersion is set. Returns what stands there now."""
        self.version += 1
        found = found | {"metadata": found["metadata"] | {"resourceVersion": str(self.version)}}
        name = name_of(found)
        before = self.objects[key].get(name)
        self.objects[key][name] = found
        self._tell(Change(self.version, "MODIFIED" if before else "ADDED", key, found, before))
        return found

    def remove(self, key: str, namespace: str, name: str) -> Json:
        """Take an object out; its last state carries the version of its removal."""
        self.version += 1
        before = self.objects[key].pop((namespace, name))
        last = before | {"metadata": before["metadata"] | {"resourceVersion": str(self.version)}}
        self._tell(Change(self.version, "DELETED", key, last, before))
        return last

    def _tell(self, change: Change) -> None:
        self.log.append(change)
        while len(self.log) > KEPT:
            self.forgotten = self.log.popleft().version
        for key in (change.key, ""):
            for listener in list(self._listeners[key]):
                listener(change)

    def listen(self, key: str, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Be told of each change of a resource, of all for ""; call the answer to stop."""
        self._listeners[key].add(listener)
        return lambda: self._listeners[key].discard(listener)

    def forget(self) -> None:
        """Watches start from here at the earliest."""
        self.log.clear()
        self.forgotten = self.version

    def since(self, key: str, version: int) -> Changes:
        """A resource's changes after a version. Raises TooOld."""
        if version < self.forgotten:
            raise TooOld
        newest_first = itertools.takewhile(lambda change: change.version > version, reversed(self.log))
        return [change for change in newest_first if change.key == key][::-1]

    def at(self, key: str, version: int) -> dict[Name, Json]:
        """A resource's objects as they were at a version. Raises TooOld."""
        held = dict(self.objects[key])
        for change in reversed(self.since(key, version)):
            name = name_of(change.object)
            if change.before is None:
                held.pop(name, None)
            else:
                held[name] = change.before
        return held


def name_of(found: Json) -> Name:
    """(namespace, name), the first "" for what belongs to no namespace."""
    return found["metadata"].get("namespace", ""), found["metadata"]["name"]
