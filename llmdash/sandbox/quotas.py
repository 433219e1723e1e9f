"""What the objects of a namespace use of its ResourceQuotas, and the refusal of one that would exceed them.

After k8s.io/apiserver/pkg/admission/plugin/resourcequota and k8s.io/kubernetes/pkg/quota/v1/evaluator/core. Only what
is created is checked: an update that uses more, such as a Service that becomes a LoadBalancer, is let through.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmdash.sandbox import errors, quantity
from llmdash.sandbox.paths import Resource, resources
from llmdash.sandbox.store import Store

Json = dict[str, Any]
Amounts = dict[str, str]
KEY = "/resourcequotas"
NATIVE = ("cpu", "memory", "ephemeral-storage")
POD_NAMES = frozenset({"pods", "count/pods", *NATIVE, *(f"{kind}.{one}" for kind in ("requests", "limits")
                       for one in NATIVE)})  # fmt: skip
MUST_BE_SAID = frozenset(f"{prefix}{one}" for prefix in ("", "requests.", "limits.") for one in ("cpu", "memory"))
"""What each container has to name as soon as a quota counts it."""
ALSO_PLAIN = frozenset({"configmaps", "resourcequotas", "replicationcontrollers", "secrets"})


def check(store: Store, resource: Resource, found: Json) -> None:
    """Raises a 403 when a quota would be exceeded, or cannot tell."""
    meta = found["metadata"]
    quotas = store.list(KEY, meta["namespace"]) if resource.namespaced else ()
    concerned = [one for one in quotas if _hard(one) and concerns(one, resource, found)]
    for one in concerned:
        if missing := _unsaid(resource, found, _hard(one)):
            why = f"failed quota: {one['metadata']['name']}: must specify {missing}"
            raise errors.forbidden(resource, meta["name"], why)
    for one in concerned:
        _check_one(store, resource, found, one)


def _check_one(store: Store, resource: Resource, found: Json, quota: Json) -> None:
    hard, used = _hard(quota), usage(store, quota)
    asked = {name: count for name, count in of(resource, found).items() if name in hard and quantity.parse(count)}
    over = [
        name
        for name, count in asked.items()
        if quantity.parse(used.get(name, 0)) + quantity.parse(count) > quantity.parse(hard[name])
    ]
    if over:
        sides = {"requested": asked, "used": used, "limited": hard}
        told = ", ".join(f"{side}: {_shown(amounts, over)}" for side, amounts in sides.items())
        why = f"exceeded quota: {quota['metadata']['name']}, {told}"
        raise errors.forbidden(resource, found["metadata"]["name"], why)


def _hard(quota: Json) -> Amounts:
    """The limits that hold: those that the controller has taken over from the spec."""
    found: Amounts = (quota.get("status") or {}).get("hard") or {}
    return found


def _shown(amounts: Amounts, names: Iterable[str]) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in sorted(names))


def usage(store: Store, quota: Json) -> Amounts:
    """What is used of each thing that a quota's spec limits and that can be counted."""
    namespace = quota["metadata"]["namespace"]
    hard = (quota.get("spec") or {}).get("hard") or {}
    total = {name: "0" for name in hard if counted(name)}
    for resource in _resources(hard):
        for found in store.list(resource.key, namespace):
            if not concerns(quota, resource, found):
                continue
            for name, count in of(resource, found).items():
                if name in total:
                    total[name] = quantity.total(total[name], count)
    return total


def counted(name: str) -> bool:
    """Whether anything is counted under a name; limits of cards are not, and are accepted all the same."""
    return bool(_resources([name]))


def _resources(names: Iterable[str]) -> list[Resource]:
    """The resources whose objects use any of these names."""
    stored = {one.key: one for one in resources().values() if one.namespaced and "create" in one.verbs}
    return [one for one in stored.values() if any(_uses(one, name) for name in names)]


def _uses(resource: Resource, name: str) -> bool:
    if name == f"count/{resource.qualified}":
        return True
    if resource.key == "/pods":
        return name in POD_NAMES or _is_request_of_card(name) or name.startswith(("hugepages-", "requests.hugepages-"))
    if resource.key == "/services":
        return name in ("services", "services.loadbalancers", "services.nodeports")
    if resource.key == "/persistentvolumeclaims":
        return name in ("persistentvolumeclaims", "requests.storage") or ".storageclass.storage.k8s.io/" in name
    return not resource.group and resource.plural in ALSO_PLAIN and name == resource.plural


def _is_request_of_card(name: str) -> bool:
    return name.startswith("requests.") and "/" in name and "kubernetes.io/" not in name


def concerns(quota: Json, resource: Resource, found: Json) -> bool:
    """Whether a quota counts an object: it names what that uses, and is in all of its scopes, which only pods have."""
    spec = quota.get("spec") or {}
    if not any(_uses(resource, name) for name in spec.get("hard") or {}):
        return False
    selected = (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    scopes = [{"scopeName": one, "operator": "Exists"} for one in spec.get("scopes") or []] + selected
    return all(resource.key == "/pods" and _in_scope(found, one) for one in scopes)


def _in_scope(pod: Json, scope: Json) -> bool:
    name, spec = scope["scopeName"], pod["spec"]
    if name in ("BestEffort", "NotBestEffort"):
        best_effort = (pod.get("status") or {}).get("qosClass") == "BestEffort"
        return best_effort is (name == "BestEffort")
    if name in ("Terminating", "NotTerminating"):
        return (spec.get("activeDeadlineSeconds") is not None) is (name == "Terminating")
    if name == "PriorityClass":
        held, values = spec.get("priorityClassName") or "", scope.get("values") or []
        return {"In": held in values, "NotIn": held not in values, "Exists": bool(held)}.get(
            scope["operator"], not held
        )
    return False


def of(resource: Resource, found: Json) -> Amounts:
    """What one object uses."""
    one = {f"count/{resource.qualified}": "1"}
    spec = found.get("spec") or {}
    if resource.key == "/pods":
        ended = (found.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        return one if ended else one | _of_resources(*(_of_pod(spec, kind) for kind in ("requests", "limits")))
    if resource.key == "/services":
        return one | _of_service(spec)
    if resource.key == "/persistentvolumeclaims":
        return one | _of_claim(spec)
    return one | ({resource.plural: "1"} if not resource.group and resource.plural in ALSO_PLAIN else {})


def _of_resources(requests: Amounts, limits: Amounts) -> Amounts:
    found = {"pods": "1"}
    for name in NATIVE:
        if name in requests:
            found |= {name: requests[name], f"requests.{name}": requests[name]}
        if name in limits:
            found[f"limits.{name}"] = limits[name]
    for name, count in requests.items():
        if name.startswith("hugepages-"):
            found |= {name: count, f"requests.{name}": count}
        elif "/" in name:
            found[f"requests.{name}"] = count
    return found


def _of_pod(spec: Json, kind: str) -> Amounts:
    """All containers together, or the greediest init container with the sidecars before it where that is more."""
    together: Amounts = {}
    peak: Amounts = {}
    beside: Amounts = {}
    for one in spec.get("initContainers") or []:
        asked = _asked(one, kind)
        if one.get("restartPolicy") == "Always":
            beside, together = _plus(beside, asked), _plus(together, asked)
        else:
            peak = _most(peak, _plus(beside, asked))
    for one in spec.get("containers") or []:
        together = _plus(together, _asked(one, kind))
    return _most(together, peak)


def _asked(container: Json, kind: str) -> Amounts:
    return (container.get("resources") or {}).get(kind) or {}


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return one | {name: quantity.total(one.get(name, "0"), count) for name, count in other.items()}


def _most(one: Amounts, other: Amounts) -> Amounts:
    more = {name: count for name, count in other.items() if quantity.parse(count) > quantity.parse(one.get(name, 0))}
    return one | more


def _of_service(spec: Json) -> Amounts:
    found = {"services": "1"}
    if spec.get("type") == "LoadBalancer":
        found["services.loadbalancers"] = "1"
    if spec.get("type") in ("LoadBalancer", "NodePort"):
        found["services.nodeports"] = str(len(spec.get("ports") or []))
    return found


def _of_claim(spec: Json) -> Amounts:
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")
    found = {"persistentvolumeclaims": "1", "requests.storage": storage}
    if kind := spec.get("storageClassName"):
        found |= {f"{kind}.storageclass.storage.k8s.io/{name}": count for name, count in found.items()}
    return found


def _unsaid(resource: Resource, found: Json, hard: Amounts) -> str:
    """The cpu and memory that containers do not name though the quota counts it: `limits.cpu for: main,side`."""
    if resource.key != "/pods":
        return ""
    spec, missing = found["spec"], []
    for name in sorted(MUST_BE_SAID & hard.keys()):
        without = sorted(
            one["name"]
            for one in [*spec.get("containers", []), *spec.get("initContainers", [])]
            if name not in _of_resources(_asked(one, "requests"), _asked(one, "limits"))
        )
        if without:
            missing.append(f"{name} for: {','.join(without)}")
    return "; ".join(missing)
