"""What all controllers share: a queue of names to look at, and how they read and write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from llmdash.sandbox import errors, paths
from llmdash.sandbox.controllers.events import Recorder
from llmdash.sandbox.paths import Resource
from llmdash.sandbox.registry import Deletion, Registry, Writer
from llmdash.sandbox.store import Change, Name, Store, name_of

Json = dict[str, Any]
MANAGER = "kube-controller-manager"
FIRST_PAUSE, LAST_PAUSE = 0.2, 30.0
AT_A_TIME = 20
"""Names that are worked on before requests get their turn again."""
log = structlog.get_logger(__name__)

PODS = paths.get("", "v1", "pods")
NODES = paths.get("", "v1", "nodes")
NAMESPACES = paths.get("", "v1", "namespaces")
DEPLOYMENTS = paths.get("apps", "v1", "deployments")
REPLICA_SETS = paths.get("apps", "v1", "replicasets")


class Queue:
    """Names to look at, each at most once; some later."""

    def __init__(self) -> None:
        self._waiting: dict[Name, None] = {}
        self._later: dict[Name, asyncio.TimerHandle] = {}
        self._some = asyncio.Event()
        self._failures: dict[Name, int] = {}

    def add(self, name: Name) -> None:
        self._waiting[name] = None
        self._some.set()

    def add_after(self, name: Name, seconds: float) -> None:
        """The sooner of two times counts."""
        loop = asyncio.get_running_loop()
        known = self._later.get(name)
        if known and known.when() <= loop.time() + seconds:
            return
        if known:
            known.cancel()
        self._later[name] = loop.call_later(max(0.0, seconds), self._due, name)

    def _due(self, name: Name) -> None:
        self._later.pop(name, None)
        self.add(name)

    async def work(self, look: Callable[[Name], None], title: str) -> None:
        """Look at each name, for ever; one that fails is looked at again, later and later."""
        while True:
            await self._some.wait()
            for _ in range(AT_A_TIME):
                if not self._waiting:
                    self._some.clear()
                    break
                name = next(iter(self._waiting))
                del self._waiting[name]
                self._one(name, look, title)
            await asyncio.sleep(0)

    def _one(self, name: Name, look: Callable[[Name], None], title: str) -> None:
        try:
            look(name)
            self._failures.pop(name, None)
        except errors.Refusal as refusal:
            failures = self._failures[name] = self._failures.get(name, 0) + 1
            self.add_after(name, min(LAST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures, 10)))
            log.debug("controller.retry", controller=title, name=name, error=str(refusal))
        except Exception:
            log.exception("controller.failed", controller=title, name=name)
            self.add_after(name, LAST_PAUSE)


@dataclass
class Controller:
    """One loop. `look` makes one object as it should be; `heed` says which names a change concerns."""

    registry: Registry
    recorder: Recorder
    queue: Queue = field(default_factory=Queue)

    @property
    def store(self) -> Store:
        return self.registry.store

    @property
    def title(self) -> str:
        return type(self).__name__

    def begin(self) -> None:
        """Look at everything once, and at what changes from then on."""
        self.store.listen("", self.heed)
        for key, found in self.store.every():
            self.heed(Change(self.store.version, "ADDED", key, found, None))

    def heed(self, change: Change) -> None:
        raise NotImplementedError

    def look(self, name: Name) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        self.begin()
        await self.queue.work(self.look, self.title)

    # ---- writing

    def set_status(self, resource: Resource, found: Json, status: Json, annotations: Json | None = None) -> Json:
        """Write a status, and annotations with it, of the object as it was read."""
        meta = found["metadata"] | ({"annotations": annotations} if annotations is not None else {})
        changed = found | {"metadata": meta, "status": status}
        return self._update(resource, found, changed, "status")

    def set(self, resource: Resource, found: Json, changed: Json) -> Json:
        """Write an object in the stead of the one that was read."""
        return self._update(resource, found, changed, "")

    def _update(self, resource: Resource, found: Json, changed: Json, subresource: str) -> Json:
        namespace, name = name_of(found)
        return self.registry.update(resource, namespace, name, lambda live: changed, Writer(MANAGER, subresource))

    def create(self, resource: Resource, namespace: str, body: Json) -> Json:
        return self.registry.create(resource, namespace, body, Writer(MANAGER))

    def delete(self, resource: Resource, found: Json, propagation: str = "Background") -> None:
        """Delete the very object that was read; nothing when it is gone."""
        namespace, name = name_of(found)
        live = self.store.get(resource.key, namespace, name)
        if live and live["metadata"]["uid"] == found["metadata"]["uid"]:
            self.registry.delete(resource, namespace, name, Deletion(propagation=propagation))


def controller_of(found: Json) -> Json | None:
    """The owner reference of whoever manages an object."""
    return next((one for one in found["metadata"].get("ownerReferences", []) if one.get("controller")), None)


def owned(store: Store, resource: Resource, owner: Json) -> list[Json]:
    """Objects of a namespace that an object manages."""
    uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
    found = store.list(resource.key, namespace)
    return [one for one in found if (controller_of(one) or {}).get("uid") == uid]


def reference(owner: Json) -> Json:
    """The owner reference to a controller."""
    return {
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip


def condition(found: Json, kind: str) -> Json | None:
    """A condition of an object by its type."""
    return next((one for one in (found.get("status") or {}).get("conditions") or [] if one["type"] == kind), None)


def is_active(pod: Json) -> bool:
    """Neither ended nor ending."""
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not ended and not pod["metadata"].get("deletionTimestamp")
