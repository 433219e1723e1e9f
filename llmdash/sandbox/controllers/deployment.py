"""Deployments: a ReplicaSet for each template, rolled from the old ones to the new within surge and unavailability.

After k8s.io/kubernetes/pkg/controller/deployment (sync.go, rolling.go, recreate.go).
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox import errors, recording
from llmdash.sandbox.controllers import deploymentstatus as status
from llmdash.sandbox.controllers import replicasets as sets
from llmdash.sandbox.controllers.base import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    Controller,
    controller_of,
    owned,
    reference,
)
from llmdash.sandbox.store import Change, Name, name_of

Json = dict[str, Any]
COMPONENT = "deployment-controller"


class Deployments(Controller):
    """Rolls every Deployment out."""

    def heed(self, change: Change) -> None:
        if change.key == DEPLOYMENTS.key and change.type != "DELETED":
            self.queue.add(name_of(change.object))
        elif change.key == REPLICA_SETS.key:
            owner = controller_of(change.object)
            if owner and owner["kind"] == "Deployment":
                self.queue.add((change.object["metadata"]["namespace"], owner["name"]))
        elif change.key == PODS.key and change.type == "DELETED":
            self._heed_pod(change.object)

    def _heed_pod(self, pod: Json) -> None:
        """A Deployment that is recreated waits for the last old pod to go."""
        owner = controller_of(pod)
        found = self.store.get(REPLICA_SETS.key, pod["metadata"]["namespace"], owner["name"]) if owner else None
        top = controller_of(found) if found else None
        if top:
            self.queue.add((pod["metadata"]["namespace"], top["name"]))

    def look(self, name: Name) -> None:
        """One step of one rollout; each write brings the next."""
        found = self.store.get(DEPLOYMENTS.key, *name)
        if found is None:
            return
        owned_sets = sorted(owned(self.store, REPLICA_SETS, found), key=sets.age)
        if found["metadata"].get("deletionTimestamp"):
            self._status(found, owned_sets)
            return
        found = self._check_paused(found)
        if found["spec"].get("paused") or sets.is_scaling(found, owned_sets):
            self._scale_all(found, owned_sets)
        elif found["spec"]["strategy"]["type"] == "Recreate":
            self._recreate(found, owned_sets)
        else:
            self._roll(found, owned_sets)

    # ---- strategies

    def _roll(self, found: Json, owned_sets: list[Json]) -> None:
        found, owned_sets, new = self._with_new(found, owned_sets)
        old = [one for one in owned_sets if one is not new]
        wanted = sets.new_replicas(found, owned_sets, new)
        if self._scale(found, new, wanted) or self._shrink_old(found, old, new):
            owned_sets = self._fresh(owned_sets)
        elif status.is_complete(found, found.get("status") or {}):
            self._clean_up(found, old)
        self._status(found, owned_sets)

    def _recreate(self, found: Json, owned_sets: list[Json]) -> None:
        new = sets.find_new(found, owned_sets)
        old = [one for one in owned_sets if one is not new]
        scaled = [self._scale(found, one, 0) for one in old]  # all of them, so no generator
        if any(scaled):
            self._status(found, self._fresh(owned_sets))
            return
        if any(self._runs_pods(one) for one in old):
            self._status(found, owned_sets)
            return
        found, owned_sets, new = self._with_new(found, owned_sets)
        if self._scale(found, new, found["spec"]["replicas"]):
            owned_sets = self._fresh(owned_sets)
        elif status.is_complete(found, found.get("status") or {}):
            self._clean_up(found, old)
        self._status(found, owned_sets)

    def _runs_pods(self, one: Json) -> bool:
        pods = owned(self.store, PODS, one)
        return any((pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed") for pod in pods)

    def _scale_all(self, found: Json, owned_sets: list[Json]) -> None:
        """A Deployment whose size changed, or that is paused: share the size out without rolling."""
        new = sets.find_new(found, owned_sets)
        if new is not None:
            found, owned_sets, new = self._with_new(found, owned_sets)
        for one, size in sets.shared_out(found, owned_sets, new):
            self._scale(found, one, size)
        if found["spec"].get("paused") and not found["spec"].get("rollbackTo"):
            self._clean_up(found, [one for one in owned_sets if one is not new])
        # The real one counts the sets as they were before; what changed brings the next look.
        self._status(found, owned_sets)

    def _shrink_old(self, found: Json, old: list[Json], new: Json) -> bool:
        """Scale old sets down as far as availability allows, the unhealthy pods first."""
        changed = False
        for one, size in sets.shrunk(found, old, new):
            changed = self._scale(found, one, size) or changed
        return changed

    # ---- one set

    def _with_new(self, found: Json, owned_sets: list[Json]) -> tuple[Json, list[Json], Json]:
        """The Deployment, its sets and the new one of them, made or renumbered as needed."""
        new = sets.find_new(found, owned_sets)
        revision = sets.next_revision([one for one in owned_sets if one is not new])
        if new is None:
            new = self._make(found, owned_sets, revision)
            owned_sets = [*owned_sets, new]
            reason, message = "NewReplicaSetCreated", f'Created new replica set "{new["metadata"]["name"]}"'
            found = self._remember(found, new, status.progressing("True", reason, message))
            return found, owned_sets, new
        numbered = sets.numbered(found, new, revision)
        if numbered != new:
            fresh = self.set(REPLICA_SETS, new, numbered)
            owned_sets = [fresh if one is new else one for one in owned_sets]
            new = fresh
        first = None
        if status.find(found, "Progressing") is None:
            message = f'Found new replica set "{new["metadata"]["name"]}"'
            first = status.progressing("True", "FoundNewReplicaSet", message)
        return self._remember(found, new, first), owned_sets, new

    def _remember(self, found: Json, new: Json, progressing: Json | None) -> Json:
        """Number the Deployment like its new set, and say what became of it."""
        revision = (new["metadata"].get("annotations") or {}).get(sets.REVISION, "1")
        annotations = (found["metadata"].get("annotations") or {}) | {sets.REVISION: revision}
        wanted: Json = dict(found.get("status") or {})
        if progressing and status.has_deadline(found):
            wanted["conditions"] = status.with_condition(wanted.get("conditions"), progressing, self.registry.now())
        same = annotations == found["metadata"].get("annotations") and wanted == (found.get("status") or {})
        return found if same else self.set_status(DEPLOYMENTS, found, wanted, annotations)

    def _make(self, found: Json, owned_sets: list[Json], revision: int) -> Json:
        body = sets.build(found, recording.copy(found["spec"]["template"]), revision)
        size = sets.first_size(found, owned_sets)
        body["spec"]["replicas"] = size
        body["metadata"]["ownerReferences"] = [reference(found)]
        try:
            made = self.create(REPLICA_SETS, found["metadata"]["namespace"], body)
        except errors.Refusal as refusal:
            if refusal.reason == "AlreadyExists":
                self._count_collision(found)
            raise
        if size:
            self._say_scaled(found, made, 0, size)
        return made

    def _count_collision(self, found: Json) -> None:
        wanted: Json = dict(found.get("status") or {})
        wanted["collisionCount"] = wanted.get("collisionCount", 0) + 1
        self.set_status(DEPLOYMENTS, found, wanted)

    def _scale(self, found: Json, one: Json, size: int) -> bool:
        """Give a set its size, and note the Deployment's; true when the size changed."""
        annotations = (one["metadata"].get("annotations") or {}) | sets.sizes(found)
        before = one["spec"].get("replicas", 1)
        if before == size and annotations == one["metadata"].get("annotations"):
            return False
        live = self.store.get(REPLICA_SETS.key, *name_of(one))
        if live is None:
            return False
        changed = live | {
            "metadata": live["metadata"] | {"annotations": annotations},
            "spec": live["spec"] | {"replicas": size},
        }
        self.set(REPLICA_SETS, live, changed)
        if before != size:
            self._say_scaled(found, one, before, size)
        return bool(before != size)

    def _say_scaled(self, found: Json, one: Json, before: int, size: int) -> None:
        way = "up" if size > before else "down"
        message = f"Scaled {way} replica set {one['metadata']['name']} from {before} to {size}"
        self.recorder.say(COMPONENT, found, "ScalingReplicaSet", message)

    def _clean_up(self, found: Json, old: list[Json]) -> None:
        """Keep only as many old sets as the history may have."""
        limit = found["spec"].get("revisionHistoryLimit", 10)
        spent = [one for one in old if sets.is_spent(one)]
        spent.sort(key=sets.revision)
        for one in spent[: max(0, len(spent) - limit)]:
            self.delete(REPLICA_SETS, one)

    # ---- status

    def _fresh(self, owned_sets: list[Json]) -> list[Json]:
        live = (self.store.get(REPLICA_SETS.key, *name_of(one)) for one in owned_sets)
        return [one for one in live if one]

    def _status(self, found: Json, owned_sets: list[Json]) -> None:
        live = self.store.get(DEPLOYMENTS.key, *name_of(found)) or found
        new = sets.find_new(live, owned_sets)
        now = self.registry.clock()
        wanted = status.rolled_out(live, owned_sets, new, now)
        if wanted != (live.get("status") or {}):
            self.set_status(DEPLOYMENTS, live, wanted)
        left = status.seconds_to_deadline(live, wanted, now)
        if left is not None:
            self.queue.add_after(name_of(live), left + 1)

    def _check_paused(self, found: Json) -> Json:
        """Say so while a rollout is paused: its deadline stands still."""
        current = status.find(found, "Progressing")
        if not status.has_deadline(found) or (current and current["reason"] == status.TIMED_OUT):
            return found
        was_paused = bool(current and current["reason"] == "DeploymentPaused")
        if bool(found["spec"].get("paused")) == was_paused:
            return found
        words = (
            ("DeploymentResumed", "Deployment is resumed")
            if was_paused
            else ("DeploymentPaused", "Deployment is paused")
        )
        wanted: Json = dict(found.get("status") or {})
        said = status.progressing("Unknown", *words)
        wanted["conditions"] = status.with_condition(wanted.get("conditions"), said, self.registry.now())
        return self.set_status(DEPLOYMENTS, found, wanted)
