"""Owners and what they own: dependents go with their owner, before it, or stay behind, as its deletion says.

After k8s.io/kubernetes/pkg/controller/garbagecollector.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from llmdash.sandbox import paths
from llmdash.sandbox.controllers.base import Controller
from llmdash.sandbox.paths import Resource
from llmdash.sandbox.registry import Deletion, Writer
from llmdash.sandbox.store import Change, Name, name_of
from llmdash.sandbox.strategy import FOREGROUND, ORPHAN

Json = dict[str, Any]
WRITER = Writer("kube-controller-manager")


class Garbage(Controller):
    """Works on uids: ("", uid) in the queue is an object whose owners or dependents have to be looked at."""

    def begin(self) -> None:
        self._places: dict[str, tuple[str, Name]] = {}
        self._dependents: dict[str, set[str]] = defaultdict(set)
        self._owners: dict[str, set[str]] = {}
        super().begin()

    def heed(self, change: Change) -> None:
        found = change.object
        uid = found["metadata"]["uid"]
        owners = {one["uid"] for one in found["metadata"].get("ownerReferences", [])}
        before = self._owners.get(uid, set())
        for gone in before - owners:
            self._dependents[gone].discard(uid)
        if change.type == "DELETED":
            self._forget(uid, owners)
            return
        self._places[uid] = (change.key, name_of(found))
        if owners:
            self._owners[uid] = owners
        for owner in owners - before:
            self._dependents[owner].add(uid)
        if owners - before or found["metadata"].get("deletionTimestamp"):
            self.queue.add(("", uid))
            for owner in owners:
                self.queue.add(("", owner))

    def _forget(self, uid: str, owners: set[str]) -> None:
        self._places.pop(uid, None)
        self._owners.pop(uid, None)
        for owner in owners:
            self._dependents[owner].discard(uid)
            self.queue.add(("", owner))
        for dependent in self._dependents.pop(uid, set()):
            self.queue.add(("", dependent))

    def look(self, name: Name) -> None:
        uid = name[1]
        found = self._find(uid)
        if found is None:
            return
        finalizers = found["metadata"].get("finalizers", [])
        ending = found["metadata"].get("deletionTimestamp")
        if ending and ORPHAN in finalizers:
            self._orphan(uid, found)
        elif ending and FOREGROUND in finalizers:
            self._delete_dependents(uid, found)
        elif found["metadata"].get("ownerReferences") and not ending:
            self._check_owners(uid, found)

    def _find(self, uid: str) -> Json | None:
        place = self._places.get(uid)
        found = self.store.get(place[0], *place[1]) if place else None
        return found if found and found["metadata"]["uid"] == uid else None

    def _resource(self, found: Json) -> Resource | None:
        return paths.by_kind(found["apiVersion"], found["kind"])

    def _delete_dependents(self, uid: str, found: Json) -> None:
        """Foreground: those that block go first, then the owner's finalizer."""
        blocking = []
        for dependent in list(self._dependents.get(uid, ())):
            one = self._find(dependent)
            if one is None:
                continue
            self.queue.add(("", dependent))
            references: list[Json] = one["metadata"]["ownerReferences"]
            reference = next((one for one in references if one["uid"] == uid), None) or {}
            if reference.get("blockOwnerDeletion"):
                blocking.append(one)
        if not blocking:
            self._without_finalizer(found, FOREGROUND)

    def _orphan(self, uid: str, found: Json) -> None:
        for dependent in list(self._dependents.get(uid, ())):
            one = self._find(dependent)
            resource = self._resource(one) if one else None
            if one is None or resource is None:
                continue
            left = [r for r in one["metadata"]["ownerReferences"] if r["uid"] != uid]
            self._put(resource, one | {"metadata": one["metadata"] | {"ownerReferences": left}})
        self._without_finalizer(found, ORPHAN)

    def _without_finalizer(self, found: Json, finalizer: str) -> None:
        resource = self._resource(found)
        if resource is None:
            return
        left = [one for one in found["metadata"]["finalizers"] if one != finalizer]
        self._put(resource, found | {"metadata": found["metadata"] | {"finalizers": left}})

    def _put(self, resource: Resource, changed: Json) -> None:
        self.registry.update(resource, *name_of(changed), lambda live: changed, WRITER)

    def _check_owners(self, uid: str, found: Json) -> None:
        """An object that none of its owners holds any more is deleted; one that some hold lets go of the others."""
        solid, waiting, gone = [], [], []
        for reference in found["metadata"]["ownerReferences"]:
            owner = self._find(reference["uid"])
            if owner is None or not _same_object(owner, reference):
                gone.append(reference)
            elif _deletes_dependents(owner):
                waiting.append(reference)
            else:
                solid.append(reference)
        resource = self._resource(found)
        if resource is None or not (gone or waiting):
            return
        if solid:
            self._put(resource, found | {"metadata": found["metadata"] | {"ownerReferences": solid}})
            return
        policy = "Foreground" if waiting and self._dependents.get(uid) else "Background"
        finalizers = found["metadata"].get("finalizers", [])
        if ORPHAN in finalizers:
            policy = "Orphan"
        elif FOREGROUND in finalizers:
            policy = "Foreground"
        self.registry.delete(resource, *name_of(found), Deletion(propagation=policy, uid=uid))


def _same_object(owner: Json, reference: Json) -> bool:
    return bool(owner["kind"] == reference["kind"] and owner["metadata"]["name"] == reference["name"])


def _deletes_dependents(owner: Json) -> bool:
    meta = owner["metadata"]
    return bool(meta.get("deletionTimestamp")) and FOREGROUND in meta.get("finalizers", [])
