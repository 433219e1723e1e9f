"""Events as the control plane reports them: those of controllers count up, those of the scheduler form series."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from llmdash.sandbox import paths
from llmdash.sandbox.hollow import times
from llmdash.sandbox.registry import Deletion, Registry, Writer

Json = dict[str, Any]
EVENTS = paths.get("", "v1", "events")
SCHEDULER = "default-scheduler"
TTL = 3600.0
"""Seconds that an event is kept, as `--event-ttl` has it by default."""
KEPT = 4096


@dataclass
class Recorder:
    """Writes events. An event that cannot be written is dropped, as everywhere."""

    registry: Registry
    _known: OrderedDict[tuple[str, ...], str] = field(default_factory=OrderedDict)

    def say(self, component: str, found: Json, reason: str, message: str, *, warning: bool = False) -> None:
        """A controller's event; the same one again raises its count.

        Some controllers refer to objects by less than the rest: nodes have no version there, evicted pods not even
        a uid.
        """
        key = (component, found["metadata"]["uid"], reason, message)
        now = self.registry.now()
        name = self._known.get(key, "")
        namespace = found["metadata"].get("namespace") or "default"
        if name and (live := self.registry.store.get(EVENTS.key, namespace, name)):
            self._write(namespace, live | {"count": live.get("count", 1) + 1, "lastTimestamp": now}, component)
            return
        body = self._body(found, reason, message, warning=warning) | {
            "source": {"component": component}, "firstTimestamp": now, "lastTimestamp": now, "count": 1,
            "eventTime": None, "reportingComponent": component, "reportingInstance": "",
        }  # fmt: skip
        self._create(key, namespace, body, component)

    def say_scheduling(self, pod: Json, reason: str, message: str, *, action: str) -> None:
        """The scheduler's event, in the newer form; the same one again becomes a series."""
        key = (SCHEDULER, pod["metadata"]["uid"], reason, message)
        now = times.micro(self.registry.clock())
        namespace = pod["metadata"]["namespace"]
        live = self.registry.store.get(EVENTS.key, namespace, self._known.get(key, ""))
        if live:
            count = (live.get("series") or {}).get("count", 1) + 1
            self._write(namespace, live | {"series": {"count": count, "lastObservedTime": now}}, "kube-scheduler")
            return
        body = self._body(pod, reason, message, warning=reason == "FailedScheduling") | {
            "source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": now, "action": action,
            "reportingComponent": SCHEDULER, "reportingInstance": f"{SCHEDULER}-llmdash-sandbox",
        }  # fmt: skip
        self._create(key, namespace, body, "kube-scheduler")

    def _body(self, found: Json, reason: str, message: str, *, warning: bool) -> Json:
        meta = found["metadata"]
        of = {"kind": found["kind"], "namespace": meta.get("namespace"), "name": meta["name"]}
        of["apiVersion"] = found["apiVersion"]
        if reason != "TaintManagerEviction":
            of["uid"] = meta["uid"]
            of["resourceVersion"] = meta.get("resourceVersion") if found["kind"] != "Node" else None
        return {
            "metadata": {"name": f"{meta['name']}.{time.time_ns():x}"},
            "involvedObject": {key: value for key, value in of.items() if value},
            "reason": reason,
            "message": message,
            "type": "Warning" if warning else "Normal",
        }

    def _create(self, key: tuple[str, ...], namespace: str, body: Json, manager: str) -> None:
        space = self.registry.store.get("/namespaces", "", namespace)
        if space is None or space["metadata"].get("deletionTimestamp"):
            return
        made = self.registry.create(EVENTS, namespace, body, Writer(manager))
        self._known[key] = made["metadata"]["name"]
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _write(self, namespace: str, changed: Json, manager: str) -> None:
        name = changed["metadata"]["name"]
        self.registry.update(EVENTS, namespace, name, lambda live: changed, Writer(manager))

    def expire(self) -> None:
        """Remove what nobody will ask about any more."""
        oldest = self.registry.clock() - TTL
        for one in self.registry.store.list(EVENTS.key):
            seen = (one.get("series") or {}).get("lastObservedTime") or one.get("lastTimestamp") or one.get("eventTime")
            if times.epoch(seen or one["metadata"]["creationTimestamp"]) < oldest:
                meta = one["metadata"]
                self.registry.delete(EVENTS, meta["namespace"], meta["name"], Deletion())
