"""What one cluster looks like now, kept up to date by its feeds and read by the projector."""

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from monitoring.objects import Event, Metadata, PodMetadata

# k8s.io/apiserver/pkg/storage/names: a generated name is at most 58 characters and five random ones.
CUT, RANDOM = 58, 5
Key = tuple[str, str]
EVENTS_PER_OBJECT = 20


class Named(Protocol):
    """Anything with metadata."""

    metadata: Metadata | PodMetadata


T = TypeVar("T", bound=Named)


def is_uuid(text: str) -> bool:
    """Labels are other people's input."""
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False


def owner_of(item: Named) -> str:
    """The id of the Deployment whose label an object carries."""
    return item.metadata.deployment_id


class Shelf(Generic[T]):
    """The objects of one kind by uid, with an index by our deployment id. One namespace or all of them.

    `touched` is told the deployment ids that a change may concern. Thread-safe.
    """

    def __init__(self, touched: Callable[[Iterable[str]], None]) -> None:
        self._touched = touched
        self._lock = threading.Lock()
        self._by_uid: dict[str, T] = {}
        self._by_owner: dict[str, set[str]] = defaultdict(set)
        self.generation = 0

    def replace(self, items: list[T], namespace: str = "") -> None:
        """A whole list arrived: what it does not hold is gone."""
        with self._lock:
            listed = {item.metadata.uid for item in items}
            vanished = [
                uid
                for uid, old in self._by_uid.items()
                if uid not in listed and namespace in ("", old.metadata.namespace)
            ]
            owners = {self._remove(uid) for uid in vanished}.union(*(self._put(item) for item in items))
            self.generation += 1
        self._touched(owners)

    def change(self, kind: str, item: T) -> None:
        """One line of a watch arrived."""
        with self._lock:
            owners = {self._remove(item.metadata.uid)} if kind == "DELETED" else self._put(item)
            self.generation += 1
        self._touched(owners)

    def _put(self, item: T) -> set[str]:
        """Keep it; whose it is now, and whose it was: a label that was taken off concerns its old owner."""
        uid, owner = item.metadata.uid, owner_of(item)
        before = self._remove(uid)
        self._by_uid[uid] = item
        if owner:
            self._by_owner[owner].add(uid)
        return {before, owner}

    def _remove(self, uid: str) -> str:
        old = self._by_uid.pop(uid, None)
        owner = owner_of(old) if old else ""
        if owner:
            self._by_owner[owner].discard(uid)
        return owner

    def of(self, owner: str) -> list[T]:
        """The objects of one of our deployments."""
        with self._lock:
            return [self._by_uid[uid] for uid in self._by_owner.get(owner, ())]

    def owners(self) -> set[str]:
        """The ids of the deployments that have objects here, those that are written like an id."""
        with self._lock:
            return {owner for owner, uids in self._by_owner.items() if uids and is_uuid(owner)}

    def get(self, uid: str) -> T | None:
        with self._lock:
            return self._by_uid.get(uid)

    def all(self) -> list[T]:
        with self._lock:
            return list(self._by_uid.values())


class Events:
    """The newest events of each object, by its uid. Those of pods also by what their names begin with, which tells
    their ReplicaSet: the pods may be gone."""

    def __init__(self, touched: Callable[[str], None]) -> None:
        self._touched = touched
        self._lock = threading.Lock()
        self._by_object: dict[str, dict[str, Event]] = defaultdict(dict)
        self._pods_of: dict[Key, set[str]] = defaultdict(set)

    def replace(self, items: list[Event], namespace: str = "") -> None:
        """A whole list arrived for a namespace."""
        with self._lock:
            for uid in [uid for uid, events in self._by_object.items() if of_namespace(events, namespace)]:
                del self._by_object[uid]
            for key in [key for key in self._pods_of if not namespace or key[0] == namespace]:
                del self._pods_of[key]
        for item in items:
            self.change("ADDED", item)

    def change(self, kind: str, item: Event) -> None:
        """One event came, was counted up, or expired."""
        about = item.involved_object.uid
        with self._lock:
            events = self._by_object[about]
            if kind == "DELETED":
                events.pop(item.metadata.uid, None)
            else:
                events[item.metadata.uid] = item
                if item.involved_object.kind == "Pod":
                    self._pods_of[maker(item)].add(about)
                if len(events) > EVENTS_PER_OBJECT:  # they do not come in the order in which they happened
                    del events[min(events, key=lambda uid: happened(events[uid]))]
            if not events:
                del self._by_object[about]
                self._pods_of[maker(item)].discard(about)
                if not self._pods_of[maker(item)]:
                    del self._pods_of[maker(item)]
        self._touched(about)

    def of(self, uids: Iterable[str], made_by: Iterable[Key] = ()) -> dict[str, list[Event]]:
        """The events of these objects, oldest first, and of all pods of whose ReplicaSets these are the keys."""
        with self._lock:
            uids = {*uids, *(uid for one in made_by for uid in self._pods_of.get(one, ()))}
            found = {uid: list(self._by_object[uid].values()) for uid in uids if uid in self._by_object}
        return {uid: sorted(events, key=happened) for uid, events in found.items()}


def happened(event: Event) -> datetime:
    """When an event was last seen; one that does not tell counts as older than all others."""
    at = event.at or datetime.min
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def maker(event: Event) -> Key:
    """Who made the pod of an event, by `made`."""
    return event.metadata.namespace or "", event.involved_object.name[:-RANDOM]


def made(namespace: str, replica_set: str) -> Key:
    """What the names of a ReplicaSet's pods begin with: Kubernetes cuts it before their random end."""
    return namespace, f"{replica_set}-"[:CUT]


def of_namespace(events: dict[str, Event], namespace: str) -> bool:
    return any(not namespace or event.metadata.namespace == namespace for event in events.values())
