"""ResourceQuotas: a status that says what is allowed and what of it is used.

After k8s.io/kubernetes/pkg/controller/resourcequota.
"""

from __future__ import annotations

from llmdash.sandbox import paths, quotas
from llmdash.sandbox.controllers.base import Controller
from llmdash.sandbox.store import Change, Name, name_of

QUOTAS = paths.get("", "v1", "resourcequotas")


class Quotas(Controller):
    """Counts again whenever something comes, goes or, for pods, changes."""

    def heed(self, change: Change) -> None:
        if change.key == QUOTAS.key and change.type != "DELETED":
            self.queue.add(name_of(change.object))
        namespace = change.object["metadata"].get("namespace")
        if namespace and (change.type != "MODIFIED" or change.key == "/pods"):
            for one in self.store.list(QUOTAS.key, namespace):
                self.queue.add(name_of(one))

    def look(self, name: Name) -> None:
        """Write the status when it is another than before; names that nothing is counted under are in `hard` alone."""
        found = self.store.get(QUOTAS.key, *name)
        if found is None:
            return
        used = quotas.usage(self.store, found)
        status = {"hard": (found.get("spec") or {}).get("hard") or {}} | ({"used": used} if used else {})
        if found.get("status") != status:
            self.set_status(QUOTAS, found, status)
