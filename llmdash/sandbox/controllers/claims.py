"""Claims: one that is deleted goes when no pod uses it any more. Nothing is provisioned.

After k8s.io/kubernetes/pkg/controller/volume/pvcprotection.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox import paths
from llmdash.sandbox.admission import PROTECTED
from llmdash.sandbox.controllers.base import PODS, Controller
from llmdash.sandbox.store import Change, Name, name_of

Json = dict[str, Any]
CLAIMS = paths.get("", "v1", "persistentvolumeclaims")


class Claims(Controller):
    """Takes the protection off."""

    def heed(self, change: Change) -> None:
        if change.key == CLAIMS.key and change.object["metadata"].get("deletionTimestamp"):
            self.queue.add(name_of(change.object))
        elif change.key == PODS.key and change.type == "DELETED":
            for claim in used_by(change.object):
                self.queue.add((change.object["metadata"]["namespace"], claim))

    def look(self, name: Name) -> None:
        found = self.store.get(CLAIMS.key, *name)
        if found is None or not found["metadata"].get("deletionTimestamp"):
            return
        held = found["metadata"].get("finalizers", [])
        if PROTECTED in held and not any(name[1] in used_by(pod) for pod in self.store.list(PODS.key, name[0])):
            left = [one for one in held if one != PROTECTED]
            self.set(CLAIMS, found, found | {"metadata": found["metadata"] | {"finalizers": left}})


def used_by(pod: Json) -> set[str]:
    """The claims that a pod names."""
    volumes = pod["spec"].get("volumes") or []
    return {one["persistentVolumeClaim"]["claimName"] for one in volumes if one.get("persistentVolumeClaim")}
