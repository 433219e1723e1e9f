"""Whether a pod fits a node, and why not, in the scheduler's words. Pure.

After k8s.io/kubernetes/pkg/scheduler/framework/plugins; a node is refused by the first filter that minds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from llmdash.sandbox.quantity import parse

Json = dict[str, Any]
UNSCHEDULABLE = "node(s) were unschedulable"
TAINTED = "node(s) had untolerated taint(s)"
AFFINITY = "node(s) didn't match Pod's node affinity/selector"
NAME = "node(s) didn't match the requested node name"
PORTS = "node(s) didn't have free ports for the requested pod ports"
TOO_MANY = "Too many pods"
HELPLESS = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
CORDON = "node.kubernetes.io/unschedulable"


@dataclass
class Room:
    """One node and what its pods ask of it."""

    node: Json
    used: Counter[str] = field(default_factory=Counter)
    pods: list[Json] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.node["metadata"]["name"])

    @property
    def allocatable(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (self.node.get("status") or {}).get("allocatable") or {}
        return found

    def free(self, resource: str) -> Decimal:
        return parse(self.allocatable.get(resource, 0)) - self.used[resource]


def requests(pod: Json) -> Counter[str]:
    """What a pod asks for: its containers together, or its greediest init container where that is more."""
    spec = pod["spec"]
    total: Counter[str] = Counter()
    beside: Counter[str] = Counter()
    peak: Counter[str] = Counter()
    for one in spec.get("initContainers") or []:
        asked = _asked(one)
        if one.get("restartPolicy") == "Always":
            beside += asked
            total += asked
        else:
            peak |= asked + beside
    for one in spec.get("containers") or []:
        total += _asked(one)
    for name, value in (spec.get("overhead") or {}).items():
        total[name] += parse(value)  # type: ignore[assignment]
    return total | peak


def _asked(container: Json) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, value in ((container.get("resources") or {}).get("requests") or {}).items():
        found[name] = parse(value)  # type: ignore[assignment]
    return found


def rooms(nodes: Iterable[Json], pods: Iterable[Json]) -> list[Room]:
    """Every node with what is taken of it."""
    found = {node["metadata"]["name"]: Room(node) for node in nodes}
    for pod in pods:
        room = found.get(pod["spec"].get("nodeName") or "")
        if room and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            room.used += requests(pod)
            room.pods.append(pod)
    return list(found.values())


def refusals(pod: Json, room: Room) -> list[str]:
    """Why a pod does not fit, [] when it does."""
    for test in (_cordon, _node_name, _taints, _affinity, _ports):
        if reason := test(pod, room):
            return [reason]
    return _resources(pod, room)


def _cordon(pod: Json, room: Room) -> str:
    taint = {"key": CORDON, "effect": "NoSchedule"}
    cordoned = (room.node.get("spec") or {}).get("unschedulable")
    return UNSCHEDULABLE if cordoned and not tolerated(pod, taint) else ""


def _node_name(pod: Json, room: Room) -> str:
    wanted = pod["spec"].get("nodeName")
    return NAME if wanted and wanted != room.name else ""


def _taints(pod: Json, room: Room) -> str:
    taints = (room.node.get("spec") or {}).get("taints") or []
    hard = [one for one in taints if one["effect"] in ("NoSchedule", "NoExecute")]
    return TAINTED if any(not tolerated(pod, one) for one in hard) else ""


def tolerated(pod: Json, taint: Json) -> bool:
    """Whether one of the pod's tolerations covers a taint."""
    return any(covers(one, taint) for one in pod["spec"].get("tolerations") or [])


def covers(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def _affinity(pod: Json, room: Room) -> str:
    labels = room.node["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return AFFINITY
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return ""
    fits = any(matches_term(term, labels, room.name) for term in required.get("nodeSelectorTerms") or [])
    return "" if fits else AFFINITY


def matches_term(term: Json, labels: Mapping[str, str], name: str) -> bool:
    """A node selector term: all of its expressions; an empty one matches nothing."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    return all(_matches(one, labels) for one in expressions) and all(
        _matches(one, {"metadata.name": name}) for one in fields
    )


def _matches(one: Json, labels: Mapping[str, str]) -> bool:
    key, values = one["key"], one.get("values") or []
    tests: dict[str, Callable[[], bool]] = {
        "In": lambda: labels.get(key) in values,
        "NotIn": lambda: labels.get(key) not in values,
        "Exists": lambda: key in labels,
        "DoesNotExist": lambda: key not in labels,
        "Gt": lambda: key in labels and int(labels[key]) > int(values[0]),
        "Lt": lambda: key in labels and int(labels[key]) < int(values[0]),
    }
    try:
        return tests[one["operator"]]()
    except (KeyError, ValueError, IndexError):
        return False


def _ports(pod: Json, room: Room) -> str:
    wanted = host_ports(pod)
    return PORTS if wanted and any(wanted & host_ports(other) for other in room.pods) else ""


def host_ports(pod: Json) -> set[tuple[int, str]]:
    return {
        (port["hostPort"], port.get("protocol", "TCP"))
        for one in pod["spec"].get("containers") or []
        for port in one.get("ports") or []
        if port.get("hostPort")
    }


def _resources(pod: Json, room: Room) -> list[str]:
    found = []
    if len(room.pods) + 1 > parse(room.allocatable.get("pods", 110)):
        found.append(TOO_MANY)
    asked = requests(pod)
    return found + [f"Insufficient {name}" for name, count in sorted(asked.items()) if count > room.free(name)]


def can_make_room(pod: Json, room: Room, reasons: list[str]) -> bool:
    """Whether the node could hold the pod if it were empty."""
    if any(not one.startswith(("Insufficient", TOO_MANY, PORTS)) for one in reasons):
        return False
    return all(count <= parse(room.allocatable.get(name, 0)) for name, count in requests(pod).items())


def sentence(pod: Json, tried: list[tuple[Room, list[str]]]) -> str:
    """What the scheduler says of a pod that fits nowhere."""
    if not tried:
        return "no nodes available to schedule pods"
    why = Counter(reason for _, reasons in tried for reason in reasons)
    helpful = sum(can_make_room(pod, room, reasons) for room, reasons in tried)
    preemption = {NO_VICTIMS: helpful, HELPLESS: len(tried) - helpful}
    head = f"0/{len(tried)} nodes are available:"
    return (
        f"{head} {_counted(why)}. no new claims to deallocate, preemption: {head} "
        f"{_counted({reason: count for reason, count in preemption.items() if count})}."
    )


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in found.items()))


def unresolvable(count: int, why: str) -> str:
    """What it says when something else than nodes is missing; the odd end is the real one's."""
    return f"0/{count} nodes are available: {why}. not found"


def score(pod: Json, room: Room) -> float:
    """How good a node is: much left, few brothers there, the image present, preferences met.

    A brother counts for more than a present image, as by the real one's weights (PodTopologySpread 2, ImageLocality 1).
    """
    asked = requests(pod)
    left = [
        float((room.free(name) - asked[name]) / parse(room.allocatable[name]))
        for name in ("cpu", "memory")
        if parse(room.allocatable.get(name, 0))
    ]
    owner = _owner(pod)
    brothers = sum(_owner(one) == owner for one in room.pods) if owner else 0
    held = {name for image in (room.node.get("status") or {}).get("images") or [] for name in image["names"]}
    present = sum(one.get("image") in held for one in pod["spec"].get("containers") or [])
    return sum(left) / max(1, len(left)) - 2 * brothers + present / 4 + _preferred(pod, room) / 100


def _owner(pod: Json) -> str:
    return next((one["uid"] for one in pod["metadata"].get("ownerReferences") or [] if one.get("controller")), "")


def _preferred(pod: Json, room: Room) -> float:
    labels = room.node["metadata"].get("labels") or {}
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or []
    return float(sum(one["weight"] for one in terms if matches_term(one["preference"], labels, room.name)))
