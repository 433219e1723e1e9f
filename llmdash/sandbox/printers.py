"""Cells of the tables that kubectl shows, for kinds that people look at.

After k8s.io/kubernetes/pkg/printers/internalversion/printers.go; the columns themselves are recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmdash.sandbox import ages, selectors
from llmdash.sandbox.hollow import times

Json = dict[str, Any]
Cells = list[Any]
NONE = "<none>"
UNKNOWN = "<unknown>"


def age(found: Json, now: float) -> str:
    return since(found["metadata"].get("creationTimestamp"), now)


def since(written: str | None, now: float) -> str:
    return ages.human(now - times.epoch(written)) if written else UNKNOWN


def pod(found: Json, now: float) -> Cells:
    spec, status, meta = found["spec"], found.get("status") or {}, found["metadata"]
    containers = status.get("containerStatuses") or []
    ready = sum(bool(one.get("ready")) and bool(one["state"].get("running")) for one in containers)
    reason, restarts, last = pod_reason(found)
    shown = str(restarts)
    if restarts and last:
        shown = f"{restarts} ({since(last, now)} ago)"
    gates = spec.get("readinessGates") or []
    true = {one["type"] for one in status.get("conditions") or [] if one["status"] == "True"}
    open_gates = sum(one["conditionType"] in true for one in gates)
    return [
        meta["name"], f"{ready}/{len(spec['containers'])}", reason, shown, age(found, now), status.get("podIP") or NONE,
        spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE,
        f"{open_gates}/{len(gates)}" if gates else NONE,
    ]  # fmt: skip


def pod_reason(found: Json) -> tuple[str, int, str]:
    """(the word of the Status column, restarts, when the last one ended)."""
    status, meta = found.get("status") or {}, found["metadata"]
    reason = status.get("reason") or status.get("phase") or ""
    for one in status.get("conditions") or []:
        if one["type"] == "PodScheduled" and one.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initializing, restarts, last = _init_reason(found)
    if initializing:
        reason = initializing
    else:
        reason, restarts, last = _container_reason(status, reason)
    if meta.get("deletionTimestamp"):
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason, restarts, last


def _init_reason(found: Json) -> tuple[str, int, str]:
    status = found.get("status") or {}
    init = found["spec"].get("initContainers") or []
    sidecars = {one["name"] for one in init if one.get("restartPolicy") == "Always"}
    restarts, last = 0, ""
    for index, one in enumerate(status.get("initContainerStatuses") or []):
        restarts += one.get("restartCount", 0)
        last = max(last, ((one.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or "")
        state = one.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended and not ended.get("exitCode"):
            continue
        if one["name"] in sidecars and one.get("started"):
            continue
        if ended:
            return f"Init:{ended.get('reason') or 'ExitCode:' + str(ended['exitCode'])}", restarts, last
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}", restarts, last
        return f"Init:{index}/{len(init)}", restarts, last
    return "", restarts, last


def _container_reason(status: Json, reason: str) -> tuple[str, int, str]:
    restarts, last, running = 0, "", False
    for one in reversed(status.get("containerStatuses") or []):
        restarts += one.get("restartCount", 0)
        last = max(last, ((one.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or "")
        state = one.get("state") or {}
        ended = state.get("terminated")
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif ended:
            reason = ended.get("reason") or f"ExitCode:{ended.get('exitCode')}"
        elif state.get("running") and one.get("ready"):
            running = True
    if reason == "Completed" and running:
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or [])
        reason = "Running" if ready else "NotReady"
    return reason, restarts, last


def _template(found: Json) -> tuple[str, str]:
    containers = ((found["spec"].get("template") or {}).get("spec") or {}).get("containers") or []
    return ",".join(one["name"] for one in containers), ",".join(one.get("image", "") for one in containers)


def deployment(found: Json, now: float) -> Cells:
    spec, status = found["spec"], found.get("status") or {}
    names, images = _template(found)
    return [
        found["metadata"]["name"], f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0), status.get("availableReplicas", 0), age(found, now), names, images,
        selectors.shown(spec.get("selector")),
    ]  # fmt: skip


def replica_set(found: Json, now: float) -> Cells:
    spec, status = found["spec"], found.get("status") or {}
    names, images = _template(found)
    return [
        found["metadata"]["name"], spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0),
        age(found, now), names, images, selectors.shown(spec.get("selector")),
    ]  # fmt: skip


def node(found: Json, now: float) -> Cells:
    meta, status, spec = found["metadata"], found.get("status") or {}, found.get("spec") or {}
    ready = next((one["status"] for one in status.get("conditions") or [] if one["type"] == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    words += ["SchedulingDisabled"] if spec.get("unschedulable") else []
    prefix = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(prefix) for key in meta.get("labels") or {} if key.startswith(prefix))
    info = status.get("nodeInfo") or {}
    addresses = {one["type"]: one["address"] for one in reversed(status.get("addresses") or [])}
    return [
        meta["name"], ",".join(words), ",".join(roles) or NONE, age(found, now), info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE), addresses.get("ExternalIP", NONE), info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN, info.get("containerRuntimeVersion") or UNKNOWN,
    ]  # fmt: skip


def service(found: Json, now: float) -> Cells:
    spec = found["spec"]
    kind = spec.get("type", "ClusterIP")
    external = ",".join(spec.get("externalIPs") or [])
    if kind == "LoadBalancer":
        ingress = ((found.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        external = ",".join(one.get("ip") or one.get("hostname", "") for one in ingress) or external or "<pending>"
    elif kind == "ExternalName":
        external = spec.get("externalName", "")
    ports = ",".join(_port(one) for one in spec.get("ports") or []) or NONE
    pairs = ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items()))
    return [
        found["metadata"]["name"], kind, spec.get("clusterIP") or NONE, external or NONE, ports, age(found, now),
        pairs or NONE,
    ]  # fmt: skip


def _port(one: Json) -> str:
    number = f"{one['port']}:{one['nodePort']}" if one.get("nodePort") else one["port"]
    return f"{number}/{one.get('protocol', 'TCP')}"


def event(found: Json, now: float) -> Cells:
    seen = found.get("firstTimestamp") or found.get("eventTime")
    series = found.get("series") or {}
    last = series.get("lastObservedTime") or found.get("lastTimestamp") or seen
    source = found.get("source") or {}
    made_by = source.get("component") or found.get("reportingComponent") or ""
    host = source.get("host") or (found.get("reportingInstance") if not source.get("component") else "")
    of = found.get("involvedObject") or {}
    return [
        since(last, now), found.get("type", ""), found.get("reason", ""),
        f"{of.get('kind', '').lower()}/{of.get('name')}",
        of.get("fieldPath", ""), f"{made_by}, {host}" if host else made_by, (found.get("message") or "").strip(),
        since(seen, now), series.get("count") or found.get("count") or 1, found["metadata"]["name"],
    ]  # fmt: skip


def claim(found: Json, now: float) -> Cells:
    spec, status = found["spec"], found.get("status") or {}
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    bound = bool(spec.get("volumeName"))
    modes = ",".join(short.get(one, one) for one in status.get("accessModes") or []) if bound else ""
    phase = "Terminating" if found["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        found["metadata"]["name"], phase, spec.get("volumeName", ""), (status.get("capacity") or {}).get("storage", ""),
        modes, spec.get("storageClassName", ""), spec.get("volumeAttributesClassName") or "<unset>", age(found, now),
        spec.get("volumeMode", "Filesystem"),
    ]  # fmt: skip


def binding(found: Json, now: float) -> Cells:
    role, subjects = found["roleRef"], found.get("subjects") or []
    of = {kind: ", ".join(one["name"] for one in subjects if one["kind"] == kind) for kind in ("User", "Group")}
    accounts = ", ".join(f"{s.get('namespace', '')}/{s['name']}" for s in subjects if s["kind"] == "ServiceAccount")
    return [
        found["metadata"]["name"],
        f"{role['kind']}/{role['name']}",
        age(found, now),
        of["User"],
        of["Group"],
        accounts,
    ]


def lease(found: Json, now: float) -> Cells:
    return [found["metadata"]["name"], (found.get("spec") or {}).get("holderIdentity", ""), age(found, now)]


def budget(found: Json, now: float) -> Cells:
    spec, status = found["spec"], found.get("status") or {}
    return [
        found["metadata"]["name"], str(spec.get("minAvailable", "N/A")), str(spec.get("maxUnavailable", "N/A")),
        status.get("disruptionsAllowed", 0), age(found, now),
    ]  # fmt: skip


def priority_class(found: Json, now: float) -> Cells:
    return [
        found["metadata"]["name"], found.get("value", 0), bool(found.get("globalDefault")), age(found, now),
        found.get("preemptionPolicy", ""),
    ]  # fmt: skip


def _named(found: Json, now: float, *more: Any) -> Cells:
    return [found["metadata"]["name"], *more, age(found, now)]


def _created(found: Json, now: float) -> Cells:
    del now
    return [found["metadata"]["name"], found["metadata"].get("creationTimestamp")]


PRINTERS: dict[str, Callable[[Json, float], Cells]] = {
    "Pod": pod,
    "Deployment": deployment,
    "ReplicaSet": replica_set,
    "Node": node,
    "Service": service,
    "Event": event,
    "PersistentVolumeClaim": claim,
    "RoleBinding": binding,
    "ClusterRoleBinding": binding,
    "Role": _created,
    "ClusterRole": _created,
    "Lease": lease,
    "PodDisruptionBudget": budget,
    "PriorityClass": priority_class,
    "ServiceAccount": _named,
    "ConfigMap": lambda found, now: _named(
        found, now, len({**(found.get("data") or {}), **(found.get("binaryData") or {})})
    ),
    "Secret": lambda found, now: _named(found, now, found.get("type", ""), len(found.get("data") or {})),
    "Namespace": lambda found, now: _named(found, now, (found.get("status") or {}).get("phase", "")),
    "NetworkPolicy": lambda found, now: _named(found, now, selectors.shown(found["spec"].get("podSelector"))),
}
