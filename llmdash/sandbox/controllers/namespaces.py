"""Namespaces: what each gets when it begins, and that nothing is left in it when it ends.

After k8s.io/kubernetes/pkg/controller/{serviceaccount,certificates/rootcacertpublisher,namespace}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmdash.sandbox import paths
from llmdash.sandbox.controllers.base import NAMESPACES, Controller
from llmdash.sandbox.paths import Resource
from llmdash.sandbox.registry import Deletion, Writer
from llmdash.sandbox.store import Change, Name, name_of

Json = dict[str, Any]
ACCOUNTS = paths.get("", "v1", "serviceaccounts")
CONFIG_MAPS = paths.get("", "v1", "configmaps")
ROOT_CA = "kube-root-ca.crt"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


@dataclass
class Namespaces(Controller):
    """`authority` is the PEM that goes into every namespace."""

    authority: str = ""

    def heed(self, change: Change) -> None:
        if change.key == NAMESPACES.key and change.type != "DELETED":
            self.queue.add(("", change.object["metadata"]["name"]))
        elif change.type == "DELETED" and change.object["metadata"].get("namespace"):
            self.queue.add(("", change.object["metadata"]["namespace"]))

    def look(self, name: Name) -> None:
        found = self.store.get(NAMESPACES.key, *name)
        if found is None:
            return
        if found["metadata"].get("deletionTimestamp"):
            self._empty(found)
        else:
            self.furnish(name[1])

    def furnish(self, namespace: str) -> None:
        """The default account and the cluster's CA."""
        if self.store.get(ACCOUNTS.key, namespace, "default") is None:
            self.create(ACCOUNTS, namespace, {"metadata": {"name": "default"}})
        if self.store.get(CONFIG_MAPS.key, namespace, ROOT_CA) is None:
            meta = {"name": ROOT_CA, "annotations": {"kubernetes.io/description": DESCRIPTION}}
            self.create(CONFIG_MAPS, namespace, {"metadata": meta, "data": {"ca.crt": self.authority}})

    def _empty(self, found: Json) -> None:
        """Delete everything in it; when that is gone, let go of the namespace."""
        namespace, left = found["metadata"]["name"], 0
        for resource in _namespaced():
            for one in self.store.list(resource.key, namespace):
                if not one["metadata"].get("deletionTimestamp"):
                    self.registry.delete(resource, *name_of(one), Deletion(propagation="Background"))
                left += self.store.get(resource.key, *name_of(one)) is not None
        if left:
            return
        live = self.store.get(NAMESPACES.key, "", namespace)
        if live:
            changed = live | {"spec": {key: value for key, value in live["spec"].items() if key != "finalizers"}}
            writer = Writer("kube-controller-manager", "finalize")
            self.registry.update(NAMESPACES, "", namespace, lambda _: changed, writer)


def _namespaced() -> list[Resource]:
    """One resource for each store; pods last of what makes others, so that nothing makes them anew."""
    found = {one.key: one for one in paths.resources().values() if one.namespaced and "delete" in one.verbs}
    return sorted(found.values(), key=lambda one: one.kind == "Pod")
