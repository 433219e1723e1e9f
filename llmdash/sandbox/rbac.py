"""Who may do what: Roles and their bindings, evaluated as Kubernetes' RBAC authorizer does.

After k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac and pkg/apis/rbac/v1/evaluation_helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from llmdash.sandbox.store import Store

Json = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"


@dataclass(frozen=True)
class User:
    """Somebody who was recognised. `extra` values travel with impersonation."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def account(self) -> tuple[str, str] | None:
        """(namespace, name) of a ServiceAccount."""
        return account_of(self.name)

    def as_json(self) -> Json:
        found: Json = {"username": self.name, "uid": self.uid, "groups": list(self.groups)}
        found["extra"] = {key: list(values) for key, values in self.extra}
        return {key: value for key, value in found.items() if value}


def account_of(name: str) -> tuple[str, str] | None:
    """The ServiceAccount that a user name stands for."""
    parts = name.split(":")
    return (parts[2], parts[3]) if len(parts) == 4 and name.startswith("system:serviceaccount:") else None


def account_groups(namespace: str) -> tuple[str, ...]:
    """What every ServiceAccount of a namespace belongs to."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")


@dataclass(frozen=True)
class Ask:
    """One thing that somebody wants to do; `path` for what is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = field(default="")

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def allowed(store: Store, user: User, ask: Ask) -> bool:
    """Whether a rule that applies to the user allows it."""
    if MASTERS in user.groups:
        return True
    return any(_matches(rule, ask) for rule in rules(store, user, ask.namespace))


def rules(store: Store, user: User, namespace: str) -> Iterator[Json]:
    """All rules that apply to a user, cluster-wide and in a namespace."""
    for binding in store.list(f"{GROUP}/clusterrolebindings"):
        if _bound(binding, user, ""):
            yield from _rules_of(store, binding["roleRef"], "")
    if namespace:
        for binding in store.list(f"{GROUP}/rolebindings", namespace):
            if _bound(binding, user, namespace):
                yield from _rules_of(store, binding["roleRef"], namespace)


def _rules_of(store: Store, reference: Json, namespace: str) -> list[Json]:
    plural = "roles" if reference["kind"] == "Role" else "clusterroles"
    role = store.get(f"{GROUP}/{plural}", namespace if plural == "roles" else "", reference["name"])
    return list((role or {}).get("rules") or [])


def _bound(binding: Json, user: User, namespace: str) -> bool:
    for one in binding.get("subjects") or []:
        if one["kind"] == "User" and one["name"] == user.name:
            return True
        if one["kind"] == "Group" and one["name"] in user.groups:
            return True
        where = one.get("namespace") or namespace
        if one["kind"] == "ServiceAccount" and user.account == (where, one["name"]):
            return True
    return False


def _matches(rule: Json, ask: Ask) -> bool:
    verbs = rule.get("verbs") or []
    if "*" not in verbs and ask.verb not in verbs:
        return False
    if ask.path:
        return any(_path_matches(one, ask.path) for one in rule.get("nonResourceURLs") or [])
    groups, names = rule.get("apiGroups") or [], rule.get("resourceNames") or []
    if ("*" not in groups and ask.group not in groups) or (names and ask.name not in names):
        return False
    kinds = rule.get("resources") or []
    if "*" in kinds or ask.full_resource in kinds:
        return True
    return bool(ask.subresource) and f"*/{ask.subresource}" in kinds


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def denial(user: User, ask: Ask) -> str:
    """The sentence after `is forbidden: `."""
    if ask.path:
        return f'User "{user.name}" cannot {ask.verb} path "{ask.path}"'
    where = f'in the namespace "{ask.namespace}"' if ask.namespace else "at the cluster scope"
    return f'User "{user.name}" cannot {ask.verb} resource "{ask.full_resource}" in API group "{ask.group}" {where}'
