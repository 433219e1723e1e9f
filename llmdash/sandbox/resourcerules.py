"""What the API server refuses in requests and limits, and in what a quota limits.

After k8s.io/kubernetes/pkg/apis/core/validation and pkg/apis/core/helper.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox import formats
from llmdash.sandbox.errors import Cause, forbidden_value, invalid_value, required
from llmdash.sandbox.quantity import parse

Json = dict[str, Any]
OF_CONTAINERS = frozenset({"cpu", "memory", "ephemeral-storage"})
COUNTS = frozenset({
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip
OF_QUOTAS = OF_CONTAINERS | COUNTS | {
    "requests.storage", *(f"{kind}.{one}" for kind in ("requests", "limits") for one in OF_CONTAINERS)
}  # fmt: skip
STANDARD = OF_QUOTAS | {"storage"}
SCOPES = frozenset({
    "BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "PriorityClass", "CrossNamespacePodAffinity",
})  # fmt: skip


def resources(found: Json, path: str) -> list[Cause]:
    """Requests and limits of a container."""
    limits, requests = found.get("limits") or {}, found.get("requests") or {}
    causes: list[Cause] = []
    for name, limit in limits.items():
        causes += _amount(name, limit, f"{path}.limits[{name}]")
    for name, asked in requests.items():
        causes += _amount(name, asked, f"{path}.requests[{name}]")
        limit = limits.get(name)
        if limit is not None and parse(asked) != parse(limit) and not _may_overcommit(name):
            causes.append(invalid_value(f"{path}.requests", asked, f"must be equal to {name} limit of {limit}"))
        elif limit is not None and parse(asked) > parse(limit):
            why = f"must be less than or equal to {name} limit of {limit}"
            causes.append(invalid_value(f"{path}.requests", asked, why))
        elif limit is None and not _may_overcommit(name):
            causes.append(required(f"{path}.limits", "Limit must be set for non overcommitable resources"))
    names = {*limits, *requests}
    if any(one.startswith("hugepages-") for one in names) and not names & {"cpu", "memory"}:
        causes.append(forbidden_value(path, "HugePages require cpu or memory"))
    return causes


def _amount(name: str, amount: Any, path: str) -> list[Cause]:
    causes = _name(name, path)
    if "/" not in name:
        if name not in OF_CONTAINERS and not name.startswith("hugepages-"):
            causes.append(invalid_value(path, name, "must be a standard resource for containers"))
    elif not _is_native(name) and not _is_extended(name):
        causes.append(invalid_value(path, name, "doesn't follow extended resource name standard"))
    return causes + _quantity(name, amount, path)


def _name(name: str, path: str) -> list[Cause]:
    wrong = formats.qualified(name)
    if not wrong and "/" not in name and name not in STANDARD and not name.startswith("hugepages-"):
        wrong = ["must be a standard resource type or fully qualified"]
    return [invalid_value(path, name, one) for one in wrong]


def _quantity(name: str, amount: Any, path: str) -> list[Cause]:
    causes = [invalid_value(path, amount, "must be greater than or equal to 0")] if parse(amount) < 0 else []
    if (name in COUNTS or _is_extended(name)) and parse(amount) != parse(amount).to_integral():
        causes.append(invalid_value(path, amount, "must be an integer"))
    return causes


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _is_extended(name: str) -> bool:
    return not _is_native(name) and not name.startswith("requests.") and not formats.qualified(f"requests.{name}")


def _may_overcommit(name: str) -> bool:
    return _is_native(name) and not name.startswith("hugepages-")


def quota(found: Json, path: str) -> list[Cause]:
    """The spec of a ResourceQuota."""
    causes: list[Cause] = []
    for name, amount in (found.get("hard") or {}).items():
        at = f"{path}.hard[{name}]"
        causes += _name(name, at)
        if "/" not in name and name not in OF_QUOTAS and not name.startswith(("hugepages-", "requests.hugepages-")):
            causes.append(invalid_value(at, name, "must be a standard resource for quota"))
        causes += _quantity(name, amount, at)
    scopes = found.get("scopes") or []
    return causes + [
        invalid_value(f"{path}.scopes", scopes, "unsupported scope") for one in scopes if one not in SCOPES
    ]
