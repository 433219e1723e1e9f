"""What a Deployment says of itself: counts, and the conditions Available, Progressing and ReplicaFailure. Pure.

After k8s.io/kubernetes/pkg/controller/deployment/progress.go; the sentences are compared with the recording.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox.controllers.replicasets import available, bounds, size
from llmdash.sandbox.hollow import times

Json = dict[str, Any]
TIMED_OUT = "ProgressDeadlineExceeded"
DONE = "NewReplicaSetAvailable"
NO_DEADLINE = 2**31 - 1


def find(found: Json, kind: str) -> Json | None:
    return _find((found.get("status") or {}).get("conditions"), kind)


def _find(conditions: list[Json] | None, kind: str) -> Json | None:
    return next((one for one in conditions or [] if one["type"] == kind), None)


def progressing(status: str, reason: str, message: str) -> Json:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message}


def has_deadline(found: Json) -> bool:
    return bool(found["spec"].get("progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE)


def with_condition(conditions: list[Json] | None, new: Json, now: str, *, renew: bool = False) -> list[Json]:
    """Conditions with a new one at the end; one of the same status and reason stays, unless it is renewed."""
    current = _find(conditions, new["type"])
    if current and not renew and (current["status"], current["reason"]) == (new["status"], new["reason"]):
        return list(conditions or [])
    moved = current["lastTransitionTime"] if current and current["status"] == new["status"] else now
    made = {
        "type": new["type"], "status": new["status"], "lastUpdateTime": now, "lastTransitionTime": moved,
        "reason": new["reason"], "message": new["message"],
    }  # fmt: skip
    return [one for one in conditions or [] if one["type"] != new["type"]] + [made]


def _total(owned_sets: list[Json], name: str) -> int:
    return sum((one.get("status") or {}).get(name, 0) for one in owned_sets)


def counted(found: Json, owned_sets: list[Json], new: Json | None, now: str) -> Json:
    """Counts and the condition Available; zeros are left out, as Go does."""
    before = found.get("status") or {}
    ready = sum(map(available, owned_sets))
    counts = {
        "observedGeneration": found["metadata"].get("generation", 0),
        "replicas": _total(owned_sets, "replicas"),
        "updatedReplicas": _total([new] if new else [], "replicas"),
        "readyReplicas": _total(owned_sets, "readyReplicas"),
        "availableReplicas": ready,
        "unavailableReplicas": max(0, sum(map(size, owned_sets)) - ready),
    }
    status: Json = {key: value for key, value in counts.items() if value}
    status["terminatingReplicas"] = _total(owned_sets, "terminatingReplicas")
    if "collisionCount" in before:
        status["collisionCount"] = before["collisionCount"]
    enough = ready >= found["spec"]["replicas"] - bounds(found)[1]
    said = {"type": "Available", "status": str(enough)}
    if enough:
        said |= {"reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability."}
    else:
        message = "Deployment does not have minimum availability."
        said |= {"reason": "MinimumReplicasUnavailable", "message": message}
    status["conditions"] = with_condition(before.get("conditions"), said, now)
    return status


def rolled_out(found: Json, owned_sets: list[Json], new: Json | None, clock: float) -> Json:
    """The whole status."""
    now = times.text(clock)
    status = counted(found, owned_sets, new, now)
    current = _find(status["conditions"], "Progressing")
    if not has_deadline(found):
        status["conditions"] = [one for one in status["conditions"] if one["type"] != "Progressing"]
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0) and current and current["reason"] == DONE
    paused = found["spec"].get("paused") or found["metadata"].get("deletionTimestamp")
    if has_deadline(found) and not settled and not paused:
        title = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{found["metadata"]["name"]}"'
        _progress(found, status, title, clock)
    _failure(status, owned_sets, now)
    return status


def _progress(found: Json, status: Json, title: str, clock: float) -> None:
    now, before = times.text(clock), found.get("status") or {}
    conditions = status["conditions"]
    if is_complete(found, status):
        said = progressing("True", DONE, f"{title} has successfully progressed.")
        status["conditions"] = with_condition(conditions, said, now)
    elif _moved(before, status):
        said = progressing("True", "ReplicaSetUpdated", f"{title} is progressing.")
        status["conditions"] = with_condition(conditions, said, now, renew=True)
    elif _timed_out(found, conditions, clock):
        said = progressing("False", TIMED_OUT, f"{title} has timed out progressing.")
        status["conditions"] = with_condition(conditions, said, now)


def _failure(status: Json, owned_sets: list[Json], now: str) -> None:
    """A set that cannot make its pods is the Deployment's trouble."""
    failed = next((f for one in reversed(owned_sets) if (f := find(one, "ReplicaFailure"))), None)
    if failed:
        status["conditions"] = with_condition(status["conditions"], failed, now)
    else:
        status["conditions"] = [one for one in status["conditions"] if one["type"] != "ReplicaFailure"]


def is_complete(found: Json, status: Json) -> bool:
    """All pods are new and available, and no old one is left."""
    wanted = found["spec"]["replicas"]
    counts = ("updatedReplicas", "replicas", "availableReplicas")
    seen = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
    return seen and all(status.get(name, 0) == wanted for name in counts)


def _moved(before: Json, status: Json) -> bool:
    def old(counts: Json) -> int:
        return int(counts.get("replicas", 0) - counts.get("updatedReplicas", 0))

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old(status) < old(before) or any(status.get(name, 0) > before.get(name, 0) for name in grown)


def _timed_out(found: Json, conditions: list[Json], clock: float) -> bool:
    current = _find(conditions, "Progressing")
    if current is None or current["reason"] == DONE:
        return False
    if current["reason"] == TIMED_OUT:
        return True
    deadline = times.epoch(current["lastUpdateTime"]) + found["spec"]["progressDeadlineSeconds"]
    return bool(deadline < clock)


def seconds_to_deadline(found: Json, status: Json, clock: float) -> float | None:
    """When to look again for a deadline that passes; None when none is running."""
    current = _find(status.get("conditions"), "Progressing")
    if (
        not has_deadline(found)
        or current is None
        or current["reason"] in (DONE, TIMED_OUT)
        or is_complete(found, status)
    ):
        return None
    return times.epoch(current["lastUpdateTime"]) + float(found["spec"]["progressDeadlineSeconds"]) - clock
