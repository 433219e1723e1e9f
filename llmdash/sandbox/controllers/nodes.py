"""The life of nodes: who stops renewing a lease is marked, tainted, and in the end emptied.

After k8s.io/kubernetes/pkg/controller/nodelifecycle and pkg/controller/tainteviction.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from llmdash.sandbox.admission import NOT_READY, UNREACHABLE
from llmdash.sandbox.controllers import fitting
from llmdash.sandbox.controllers.base import MANAGER, NODES, PODS, Controller, condition
from llmdash.sandbox.hollow import times
from llmdash.sandbox.registry import Writer
from llmdash.sandbox.store import Change, Name, name_of

Json = dict[str, Any]
COMPONENT = "node-controller"
LEASES = "coordination.k8s.io/leases"
PERIOD = 1.0
SILENT = ("NodeStatusUnknown", "Kubelet stopped posting node status.")
TOLD_BY_KUBELET = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
OURS = (NOT_READY, UNREACHABLE, fitting.CORDON)


@dataclass
class Nodes(Controller):
    """Looks at every node once a second. `grace` is how long one may be silent, in seconds."""

    grace: float = 12.0
    _seen: dict[str, tuple[Any, float]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def heed(self, change: Change) -> None:
        if change.key == NODES.key and change.type != "DELETED":
            self.queue.add(name_of(change.object))
        elif change.key == PODS.key and change.type == "ADDED" and change.object["spec"].get("nodeName"):
            self.queue.add(("", change.object["spec"]["nodeName"]))

    async def run(self) -> None:
        self.begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.queue.work(self.look, self.title))
            tasks.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            for found in self.store.list(NODES.key):
                self.queue.add(name_of(found))
            await asyncio.sleep(PERIOD)

    def look(self, name: Name) -> None:
        found = self.store.get(NODES.key, *name)
        if found is None:
            self._seen.pop(name[1], None)
            self._known.discard(found["metadata"]["uid"] if found else "")
            return
        if found["metadata"]["uid"] not in self._known:
            self._known.add(found["metadata"]["uid"])
            message = f"Node {name[1]} event: Registered Node {name[1]} in Controller"
            self.recorder.say(COMPONENT, found, "RegisteredNode", message)
        if self._is_silent(found):
            found = self._mark_silent(found)
        found = self._taint(found)
        self._tell_pods(found)
        self._evict(found)

    def _is_silent(self, found: Json) -> bool:
        """Time counts from when a sign of life was last seen to change, so clocks need not agree."""
        name, now = found["metadata"]["name"], self.registry.clock()
        lease = self.store.get(LEASES, "kube-node-lease", name)
        ready = condition(found, "Ready") or {}
        sign = ((lease or {}).get("spec") or {}).get("renewTime"), ready.get("lastHeartbeatTime")
        before, since = self._seen.get(name, (None, now))
        if sign != before:
            self._seen[name] = sign, now
            return False
        return now - since > self.grace

    def _mark_silent(self, found: Json) -> Json:
        status = found.get("status") or {}
        conditions = {one["type"]: one for one in status.get("conditions") or []}
        if all((conditions.get(kind) or {}).get("status") == "Unknown" for kind in TOLD_BY_KUBELET):
            return found
        now = self.registry.now()
        for kind in TOLD_BY_KUBELET:
            old = conditions.get(kind, {"type": kind})
            if old.get("status") != "Unknown":
                said = {"status": "Unknown", "reason": SILENT[0], "message": SILENT[1], "lastTransitionTime": now}
                conditions[kind] = old | said
        return self.set_status(NODES, found, status | {"conditions": list(conditions.values())})

    def _taint(self, found: Json) -> Json:
        """Taints follow the condition Ready and the cordon."""
        ready = (condition(found, "Ready") or {}).get("status")
        spec = found.get("spec") or {}
        wanted: list[tuple[str, str]] = []
        if ready != "True":
            key = UNREACHABLE if ready == "Unknown" else NOT_READY
            wanted += [(key, "NoSchedule")] + ([(key, "NoExecute")] if ready else [])
        if spec.get("unschedulable"):
            wanted.append((fitting.CORDON, "NoSchedule"))
        held = spec.get("taints") or []
        kept = [one for one in held if one["key"] not in OURS or (one["key"], one["effect"]) in wanted]
        have = {(one["key"], one["effect"]) for one in kept}
        now = self.registry.now()
        kept += [
            {"key": key, "effect": effect, "timeAdded": now} for key, effect in wanted if (key, effect) not in have
        ]
        if kept == held:
            return found
        bare = {key: value for key, value in spec.items() if key != "taints"}
        return self.set(NODES, found, found | {"spec": bare | ({"taints": kept} if kept else {})})

    def _pods(self, found: Json) -> list[Json]:
        name = found["metadata"]["name"]
        return [pod for pod in self.store.list(PODS.key) if pod["spec"].get("nodeName") == name]

    def _tell_pods(self, found: Json) -> None:
        """Pods of a node that is not ready are not ready either; the kubelet says otherwise when it is back."""
        ready = condition(found, "Ready")
        if ready is None or ready["status"] == "True":
            return
        told = False
        for pod in self._pods(found):
            said = condition(pod, "Ready")
            if said is None or said["status"] != "True":
                continue
            changed = said | {"status": "False", "lastTransitionTime": self.registry.now()}
            others = [one for one in pod["status"]["conditions"] if one is not said]
            self.set_status(PODS, pod, pod["status"] | {"conditions": [*others, changed]})
            self.recorder.say(COMPONENT, pod, "NodeNotReady", "Node is not ready", warning=True)
            told = True
        if told or self._just_now(ready):
            name = found["metadata"]["name"]
            self._say_once(found, ready, f"Node {name} status is now: NodeNotReady")

    def _just_now(self, ready: Json) -> bool:
        return self.registry.clock() - times.epoch(ready["lastTransitionTime"]) < 2 * PERIOD

    def _say_once(self, found: Json, ready: Json, message: str) -> None:
        mark = f"{found['metadata']['uid']}/{ready['lastTransitionTime']}"
        if mark not in self._known:
            self._known.add(mark)
            self.recorder.say(COMPONENT, found, "NodeNotReady", message)

    def _evict(self, found: Json) -> None:
        """Pods that do not tolerate a NoExecute taint, or no longer, are deleted."""
        taints = [one for one in (found.get("spec") or {}).get("taints") or [] if one["effect"] == "NoExecute"]
        if not taints:
            return
        for pod in self._pods(found):
            if pod["metadata"].get("deletionTimestamp"):
                continue
            left = self._patience(pod, taints)
            if left <= 0:
                self._oust(pod)

    def _patience(self, pod: Json, taints: list[Json]) -> float:
        """Seconds that a pod may stay; infinite when it tolerates everything for good."""
        left = float("inf")
        for taint in taints:
            covering = [one for one in pod["spec"].get("tolerations") or [] if fitting.covers(one, taint)]
            if not covering:
                return 0.0
            seconds = [one["tolerationSeconds"] for one in covering if one.get("tolerationSeconds") is not None]
            if seconds:
                since = times.epoch(taint.get("timeAdded")) or self.registry.clock()
                left = min(left, since + min(seconds) - self.registry.clock())
        return left

    def _oust(self, pod: Json) -> None:
        namespace, name = name_of(pod)
        message = f"Marking for deletion Pod {namespace}/{name}"
        self.recorder.say("taint-eviction-controller", pod, "TaintManagerEviction", message)
        said = {
            "type": "DisruptionTarget", "status": "True", "lastProbeTime": None,
            "lastTransitionTime": self.registry.now(), "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
        }  # fmt: skip
        status = pod.get("status") or {}
        others = [one for one in status.get("conditions") or [] if one["type"] != "DisruptionTarget"]
        changed = pod | {"status": status | {"conditions": [*others, said]}}
        self.registry.update(PODS, namespace, name, lambda live: changed, Writer(MANAGER, "status"))
        self.delete(PODS, pod)
