"""The scheduler: pods that belong to no node get one, or are told why not. Nothing is preempted.

After k8s.io/kubernetes/pkg/scheduler; messages in controllers/fitting.py.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox.controllers import fitting
from llmdash.sandbox.controllers.base import NODES, PODS, Controller, condition
from llmdash.sandbox.registry import Writer
from llmdash.sandbox.store import Change, Name, name_of

Json = dict[str, Any]
TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
ALL: Name = ("", "")
NAME = "default-scheduler"
CLAIMS = "/persistentvolumeclaims"
SETTLE = 0.02
"""Seconds until waiting pods are tried again: changes of nodes come in flocks."""


class Scheduler(Controller):
    """Binds pods to nodes."""

    def heed(self, change: Change) -> None:
        if change.key == PODS.key and change.type != "DELETED":
            if _waits(change.object):
                self.queue.add(name_of(change.object))
            elif (change.object.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
                self._try_all()
        elif (
            change.key == PODS.key
            or (change.key == NODES.key and _matters(change))
            or change.key == "/persistentvolumeclaims"
        ):
            self._try_all()

    def _try_all(self) -> None:
        self.queue.add_after(ALL, SETTLE)

    def look(self, name: Name) -> None:
        """Place one pod, or all that wait, the important and the old ones first."""
        if name != ALL:
            found = self.store.get(PODS.key, *name)
            if found and _waits(found):
                self._place(found)
            return
        waiting = [pod for pod in self.store.list(PODS.key) if _waits(pod)]
        waiting.sort(key=lambda pod: (-pod["spec"].get("priority", 0), pod["metadata"]["creationTimestamp"]))
        for pod in waiting:
            self._place(pod)

    def _place(self, pod: Json) -> None:
        nodes = self.store.list(NODES.key)
        if missing := self._claim_missing(pod):
            self._refuse(pod, fitting.unresolvable(len(nodes), missing))
            return
        rooms = fitting.rooms(nodes, self.store.list(PODS.key))
        tried = [(room, fitting.refusals(pod, room)) for room in rooms]
        fits = [room for room, reasons in tried if not reasons]
        if fits:
            self._bind(pod, max(fits, key=lambda room: (fitting.score(pod, room), room.name)))
        else:
            self._refuse(pod, fitting.sentence(pod, tried))

    def _claim_missing(self, pod: Json) -> str:
        for volume in pod["spec"].get("volumes") or []:
            claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if not claim:
                continue
            found = self.store.get(CLAIMS, pod["metadata"]["namespace"], claim)
            if found is None:
                return f'persistentvolumeclaim "{claim}" not found'
            if (found.get("status") or {}).get("phase") != "Bound":
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _bind(self, pod: Json, room: fitting.Room) -> None:
        """A binding leaves no owner of `nodeName` behind, so it goes past the registry."""
        now = self.registry.now()
        said = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
        generation = pod["metadata"].get("generation")
        if generation:
            said["observedGeneration"] = generation
        status = pod.get("status") or {}
        kept = [one for one in status.get("conditions") or [] if one["type"] != "PodScheduled"]
        bound = pod | {
            "metadata": pod["metadata"] | {"labels": (pod["metadata"].get("labels") or {}) | _topology(room)},
            "spec": pod["spec"] | {"nodeName": room.name},
            "status": status | {"conditions": [*kept, said]},
        }
        self.store.put(PODS.key, bound)
        namespace, name = name_of(pod)
        message = f"Successfully assigned {namespace}/{name} to {room.name}"
        self.recorder.say_scheduling(pod, "Scheduled", message, action="Binding")

    def _refuse(self, pod: Json, message: str) -> None:
        before = condition(pod, "PodScheduled")
        if before and before.get("message") == message:
            return
        said: Json = {
            "type": "PodScheduled", "status": "False", "lastProbeTime": None,
            "lastTransitionTime": before["lastTransitionTime"] if before else self.registry.now(),
            "reason": "Unschedulable", "message": message,
        }  # fmt: skip
        if pod["metadata"].get("generation"):
            said["observedGeneration"] = pod["metadata"]["generation"]
        status = pod.get("status") or {}
        kept = [one for one in status.get("conditions") or [] if one["type"] != "PodScheduled"]
        changed = pod | {"status": status | {"conditions": [*kept, said]}}
        namespace, name = name_of(pod)
        writer = Writer("kube-scheduler", "status")
        self.registry.update(PODS, namespace, name, lambda live: changed, writer)
        self.recorder.say_scheduling(pod, "FailedScheduling", message, action="Scheduling")


def _topology(room: fitting.Room) -> Json:
    """The labels of place that a pod gets from its node when it is bound."""
    labels = room.node["metadata"].get("labels") or {}
    return {key: labels[key] for key in TOPOLOGY if key in labels}


def _waits(pod: Json) -> bool:
    """Whether a pod wants a node, and one of ours."""
    spec, status = pod["spec"], pod.get("status") or {}
    return (
        not spec.get("nodeName")
        and not spec.get("schedulingGates")
        and not pod["metadata"].get("deletionTimestamp")
        and spec.get("schedulerName", NAME) == NAME
        and status.get("phase", "Pending") == "Pending"
    )


def _matters(change: Change) -> bool:
    """Whether a node changed in what pods are placed by; a heartbeat does not."""
    if change.before is None or change.type == "DELETED":
        return True

    def traits(node: Json) -> tuple[Any, ...]:
        status = node.get("status") or {}
        return node.get("spec"), node["metadata"].get("labels"), status.get("allocatable")

    return traits(change.before) != traits(change.object)
