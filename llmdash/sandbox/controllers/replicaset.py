"""ReplicaSets: as many pods as they ask for, and a status that counts them.

After k8s.io/kubernetes/pkg/controller/replicaset.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox import errors, recording
from llmdash.sandbox.controllers.base import (
    PODS,
    REPLICA_SETS,
    Controller,
    condition,
    controller_of,
    is_active,
    owned,
    reference,
)
from llmdash.sandbox.hollow import times
from llmdash.sandbox.store import Change, Name, name_of

Json = dict[str, Any]
COMPONENT = "replicaset-controller"
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
COST = "controller.kubernetes.io/pod-deletion-cost"
BURST = 500


class ReplicaSets(Controller):
    """Keeps every ReplicaSet's pods."""

    def heed(self, change: Change) -> None:
        if change.key == REPLICA_SETS.key and change.type != "DELETED":
            self.queue.add(name_of(change.object))
        elif change.key == PODS.key:
            for one in filter(None, (change.object, change.before)):
                owner = controller_of(one)
                if owner and owner["kind"] == "ReplicaSet":
                    self.queue.add((one["metadata"]["namespace"], owner["name"]))

    def look(self, name: Name) -> None:
        """Make or delete pods, then write the status. Raises what a pod's creation was refused with."""
        found = self.store.get(REPLICA_SETS.key, *name)
        if found is None:
            return
        pods = owned(self.store, PODS, found)
        refusal: errors.Refusal | None = None
        if not found["metadata"].get("deletionTimestamp"):
            refusal = self._manage(found, [one for one in pods if is_active(one)])
            pods = owned(self.store, PODS, found)
        self._write_status(found, pods, refusal)
        if refusal:
            raise refusal

    def _manage(self, found: Json, active: list[Json]) -> errors.Refusal | None:
        missing = found["spec"].get("replicas", 1) - len(active)
        for _ in range(min(missing, BURST)):
            try:
                made = self.create(PODS, found["metadata"]["namespace"], self._pod(found))
            except errors.Refusal as refusal:
                message = f"Error creating: {refusal.message}"
                self.recorder.say(COMPONENT, found, "FailedCreate", message, warning=True)
                return refusal
            self.recorder.say(COMPONENT, found, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        if missing < 0:
            for one in sorted(active, key=self._rank)[:-missing]:
                self.delete(PODS, one)
                name = one["metadata"]["name"]
                self.recorder.say(COMPONENT, found, "SuccessfulDelete", f"Deleted pod: {name}")
        return None

    @staticmethod
    def _pod(found: Json) -> Json:
        template = recording.copy(found["spec"]["template"])
        meta = template.get("metadata") or {}
        kept = {key: meta[key] for key in ("labels", "annotations", "finalizers") if meta.get(key)}
        kept |= {"generateName": found["metadata"]["name"] + "-", "ownerReferences": [reference(found)]}
        return {"metadata": kept, "spec": template["spec"]}

    @staticmethod
    def _rank(pod: Json) -> tuple[Any, ...]:
        """Those first that are missed least: unassigned, pending, unready, cheap, young."""
        status = pod.get("status") or {}
        restarts = max((one.get("restartCount", 0) for one in status.get("containerStatuses") or []), default=0)
        ready = condition(pod, "Ready")
        is_ready = bool(ready and ready["status"] == "True")
        cost = (pod["metadata"].get("annotations") or {}).get(COST, "0")
        since = times.epoch(ready["lastTransitionTime"]) if ready and is_ready else 0.0
        return (
            bool(pod["spec"].get("nodeName")), PHASES.get(status.get("phase", ""), 2), is_ready,
            int(cost) if cost.lstrip("-").isdigit() else 0, -since, -restarts,
            -times.epoch(pod["metadata"]["creationTimestamp"]), pod["metadata"]["name"],
        )  # fmt: skip

    def _write_status(self, found: Json, pods: list[Json], refusal: errors.Refusal | None) -> None:
        active = [one for one in pods if is_active(one)]
        ready = [one for one in active if (condition(one, "Ready") or {}).get("status") == "True"]
        wait = found["spec"].get("minReadySeconds", 0)
        available = [one for one in ready if self._lasts(one, wait, found)]
        wanted = (found["spec"]["template"].get("metadata") or {}).get("labels") or {}
        labelled = [one for one in active if wanted.items() <= (one["metadata"].get("labels") or {}).items()]
        ending = [one for one in pods if one["metadata"].get("deletionTimestamp")]
        status = {
            "replicas": len(active), "fullyLabeledReplicas": len(labelled), "readyReplicas": len(ready),
            "availableReplicas": len(available), "observedGeneration": found["metadata"].get("generation", 0),
        }  # fmt: skip
        status = {key: value for key, value in status.items() if value or key == "replicas"}
        status["terminatingReplicas"] = len(ending)
        kept = [one for one in (found.get("status") or {}).get("conditions") or [] if one["type"] != "ReplicaFailure"]
        if refusal:
            kept.append(self._failure(found, refusal))
        if kept:
            status["conditions"] = kept
        live = self.store.get(REPLICA_SETS.key, *name_of(found))
        if live and live.get("status") != status:
            self.set_status(REPLICA_SETS, live, status)

    def _failure(self, found: Json, refusal: errors.Refusal) -> Json:
        before = condition(found, "ReplicaFailure")
        if before:
            return before
        return {
            "type": "ReplicaFailure", "status": "True", "lastTransitionTime": self.registry.now(),
            "reason": "FailedCreate", "message": refusal.message,
        }  # fmt: skip

    def _lasts(self, pod: Json, seconds: int, found: Json) -> bool:
        """Whether a pod has been ready for long enough; if not, its set is looked at again then."""
        ready = condition(pod, "Ready")
        if not seconds or not ready:
            return bool(ready)
        left = times.epoch(ready["lastTransitionTime"]) + seconds - self.registry.clock()
        if left > 0:
            self.queue.add_after(name_of(found), left + 0.05)
        return left <= 0
