"""Whose an object is: by the uids that the inventory knows, and by owner references from there.

Our labels are an index only. Anybody copies them with an object, and the copy is not ours.
"""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from monitoring.objects import Pod, PodMetadata, ReplicaSet
from monitoring.watcher.store import Named, Shelf


class Shelves(Protocol):
    """Where the objects of a cluster are kept, by kind."""

    shelves: dict[str, Shelf[Any]]


def owned(item: Named, uids: Collection[str]) -> bool:
    """Whether an object has one of these as its owner."""
    return any(owner.uid in uids for owner in item.metadata.owner_references or [])


def replica_sets(watch: Shelves, deployment_id: str, uid: str) -> list[ReplicaSet]:
    """Those of the Deployment object with this uid."""
    return [found for found in watch.shelves["ReplicaSet"].of(deployment_id) if uid and owned(found, {uid})]


def pods(watch: Shelves, deployment_id: str, sets: Collection[ReplicaSet]) -> list[Pod]:
    """Those of these ReplicaSets."""
    uids = {found.metadata.uid for found in sets}
    return [pod for pod in watch.shelves["Pod"].of(deployment_id) if owned(pod, uids)]


def deployment_of(watch: Shelves, pod: Pod, known: Mapping[str, str]) -> str:
    """The id of our deployment whose pod this is, "" for everybody else's. `known` are ids by the uids of the
    Deployment objects that we applied."""
    for owner in pod.metadata.owner_references or []:
        replica_set = watch.shelves["ReplicaSet"].get(owner.uid)
        found = deployment_by(replica_set.metadata, known) if replica_set else ""
        if found:
            return found
    return ""


def deployment_by(metadata: PodMetadata, known: Mapping[str, str]) -> str:
    """The id of our deployment whose Deployment object owns this."""
    return next((known[owner.uid] for owner in metadata.owner_references or [] if owner.uid in known), "")
