"""What a Deployment's ReplicaSets should be: their names, numbers and sizes. Pure.

After k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go and rolling.go.
"""

from __future__ import annotations

from typing import Any

import msgspec

from llmdash.sandbox import recording
from llmdash.sandbox.admission import LETTERS
from llmdash.sandbox.strategy import share

Json = dict[str, Any]
HASH = "pod-template-hash"
PREFIX = "deployment.kubernetes.io/"
REVISION, HISTORY = PREFIX + "revision", PREFIX + "revision-history"
DESIRED, MOST = PREFIX + "desired-replicas", PREFIX + "max-replicas"
# Not copied from a Deployment to its sets.
OWN = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
}


def template_hash(template: Json, collisions: int) -> str:
    """A short name of a template. FNV-1a as in Kubernetes, but over JSON: the hashes are not the real one's."""
    found = 0x811C9DC5
    for byte in msgspec.json.encode(template, order="deterministic") + (b"%d" % collisions if collisions else b""):
        found = ((found ^ byte) * 0x01000193) & 0xFFFFFFFF
    return "".join(LETTERS[ord(digit) % len(LETTERS)] for digit in str(found))


def age(found: Json) -> tuple[str, str]:
    return found["metadata"]["creationTimestamp"], found["metadata"]["name"]


def revision(found: Json) -> int:
    written = (found["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(written) if written.isdigit() else 0


def _bare(template: Json) -> Json:
    """A template without the hash, for comparison."""
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    kept = {key: value for key, value in meta.items() if key not in ("labels", "creationTimestamp") and value}
    return template | {"metadata": kept | ({"labels": labels} if labels else {})}


def find_new(found: Json, owned_sets: list[Json]) -> Json | None:
    """The oldest set with the Deployment's template."""
    wanted = _bare(found["spec"]["template"])
    return next((one for one in owned_sets if _bare(one["spec"]["template"]) == wanted), None)


def next_revision(old: list[Json]) -> int:
    return max((revision(one) for one in old), default=0) + 1


def build(found: Json, template: Json, number: int) -> Json:
    """A new set for a template."""
    collisions = (found.get("status") or {}).get("collisionCount", 0)
    name = template_hash(found["spec"]["template"], collisions)
    meta = template.setdefault("metadata", {})
    meta["labels"] = (meta.get("labels") or {}) | {HASH: name}
    selector = recording.copy(found["spec"]["selector"])
    selector["matchLabels"] = (selector.get("matchLabels") or {}) | {HASH: name}
    annotations = _copied(found) | {REVISION: str(number)} | sizes(found)
    spec: Json = {"selector": selector, "template": template}
    if found["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = found["spec"]["minReadySeconds"]
    return {
        "metadata": {
            "name": f"{found['metadata']['name']}-{name}", "labels": meta["labels"], "annotations": annotations
        },
        "spec": spec,
    }  # fmt: skip


def _copied(found: Json) -> Json:
    return {key: value for key, value in (found["metadata"].get("annotations") or {}).items() if key not in OWN}


def numbered(found: Json, new: Json, number: int) -> Json:
    """The new set with the Deployment's annotations, its number in the history and its pace."""
    before = new["metadata"].get("annotations") or {}
    annotations = before | _copied(found)
    if revision(new) < number:
        annotations[REVISION] = str(number)
        if before.get(REVISION):
            past = [*filter(None, before.get(HISTORY, "").split(",")), before[REVISION]]
            annotations[HISTORY] = ",".join(past)
    spec = dict(new["spec"])
    pace = found["spec"].get("minReadySeconds", 0)
    if spec.get("minReadySeconds", 0) != pace:
        spec["minReadySeconds"] = pace
    return new | {"metadata": new["metadata"] | {"annotations": annotations}, "spec": spec}


# ---- sizes


def bounds(found: Json) -> tuple[int, int]:
    """(surge, unavailable) as counts; never both 0."""
    spec = found["spec"]
    if spec["strategy"]["type"] != "RollingUpdate":
        return 0, 0
    rolling, replicas = spec["strategy"].get("rollingUpdate") or {}, spec["replicas"]
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, replicas)


def sizes(found: Json) -> Json:
    """The annotations by which a set remembers the Deployment's size."""
    replicas = found["spec"]["replicas"]
    return {DESIRED: str(replicas), MOST: str(replicas + bounds(found)[0])}


def size(found: Json) -> int:
    return int(found["spec"].get("replicas", 1))


def available(found: Json) -> int:
    return int((found.get("status") or {}).get("availableReplicas", 0))


def is_scaling(found: Json, owned_sets: list[Json]) -> bool:
    """Whether the Deployment's size changed since its active sets were last sized."""
    for one in owned_sets:
        desired = (one["metadata"].get("annotations") or {}).get(DESIRED)
        if size(one) > 0 and desired is not None and desired != str(found["spec"]["replicas"]):
            return True
    return False


def first_size(found: Json, owned_sets: list[Json]) -> int:
    """With how many pods a new set begins."""
    return _grown(found, sum(map(size, owned_sets)), 0)


def new_replicas(found: Json, owned_sets: list[Json], new: Json) -> int:
    """How many pods the new set should have now."""
    if size(new) >= found["spec"]["replicas"]:
        return int(found["spec"]["replicas"])
    return _grown(found, sum(map(size, owned_sets)), size(new))


def _grown(found: Json, total: int, current: int) -> int:
    replicas = int(found["spec"]["replicas"])
    if found["spec"]["strategy"]["type"] != "RollingUpdate":
        return replicas
    most = replicas + bounds(found)[0]
    return current + max(0, min(most - total, replicas - current)) if total < most else current


def shrunk(found: Json, old: list[Json], new: Json) -> list[tuple[Json, int]]:
    """(set, new size) of the old sets that may give up pods."""
    if not sum(map(size, old)):
        return []
    least = found["spec"]["replicas"] - bounds(found)[1]
    room = sum(map(size, [*old, new])) - least - (size(new) - available(new))
    if room <= 0:
        return []
    sized = {one["metadata"]["name"]: size(one) for one in old}
    for one in old:
        sick = min(room, sized[one["metadata"]["name"]] - available(one))
        if sick > 0:
            sized[one["metadata"]["name"]] -= sick
            room -= sick
    spare = sum(map(available, [*old, new])) - least
    for one in old:
        name = one["metadata"]["name"]
        less = min(sized[name], spare)
        if less > 0:
            sized[name] -= less
            spare -= less
    return [(one, sized[one["metadata"]["name"]]) for one in old if sized[one["metadata"]["name"]] != size(one)]


def shared_out(found: Json, owned_sets: list[Json], new: Json | None) -> list[tuple[Json, int]]:
    """(set, size) after a Deployment was resized: one active set gets it all, several their share."""
    active = [one for one in owned_sets if size(one) > 0]
    replicas = found["spec"]["replicas"]
    if len(active) <= 1:
        target = active[0] if active else new or (owned_sets[-1] if owned_sets else None)
        return [(target, replicas)] if target is not None else []
    if new is not None and size(new) == replicas and available(new) == replicas:
        return [(one, 0) for one in active if one is not new] + [(new, replicas)]
    if found["spec"]["strategy"]["type"] != "RollingUpdate":
        return []
    allowed = replicas + bounds(found)[0] if replicas else 0
    total = sum(map(size, active))
    left = allowed - total
    result: list[tuple[Json, int]] = []
    for one in sorted(active, key=lambda one: (-size(one), age(one))):
        part = round(size(one) * left / total) if total else 0
        result.append((one, max(0, size(one) + part)))
    surplus = allowed - sum(count for _, count in result)
    first, count = result[0]
    result[0] = first, max(0, count + surplus)
    return result


def is_spent(found: Json) -> bool:
    """An old set that nothing depends on."""
    status = found.get("status") or {}
    return (
        not size(found)
        and not status.get("replicas")
        and status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
        and not found["metadata"].get("deletionTimestamp")
    )
