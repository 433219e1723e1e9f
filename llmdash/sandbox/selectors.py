"""Label and field selectors of lists, watches and objects.

Grammar and wording: k8s.io/apimachinery/pkg/labels/selector.go and pkg/fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from llmdash.sandbox import errors

Json = dict[str, Any]
Test = Callable[[Mapping[str, str]], bool]
TOKEN = re.compile(r"\s*(!=|==|=|!|\(|\)|,|>|<|[^\s!=(),<>]+)")
OPERATORS = "in, notin, =, ==, !=, gt, lt"
FIELDS = {
    "/pods": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    "/events": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
    "/nodes": ("spec.unschedulable",),
    "/namespaces": ("status.phase", "name"),
    "/secrets": ("type",),
    "/services": ("spec.clusterIP", "spec.type"),
    "/replicationcontrollers": ("status.replicas",),
    "apps/replicasets": ("status.replicas",),
    "batch/jobs": ("status.successful",),
    "certificates.k8s.io/certificatesigningrequests": ("spec.signerName",),
}  # fmt: skip


def labels(written: str) -> Test:
    """A test of labels. Raises a 400 for what cannot be parsed."""
    tests = [_requirement(part) for part in _split(written)]
    return lambda found: all(test(found) for test in tests)


def _split(written: str) -> list[list[str]]:
    """The requirements, each a list of tokens."""
    parts: list[list[str]] = [[]]
    depth = 0
    for word in TOKEN.findall(written):
        depth += (word == "(") - (word == ")")
        if word == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def _requirement(tokens: list[str]) -> Test:
    if tokens[0] == "!":
        if len(tokens) != 2:
            raise _unparsable(tokens[2] if len(tokens) > 2 else "", "',', or 'end of string'")
        return lambda found: tokens[1] not in found
    key, rest = tokens[0], tokens[1:]
    if not rest:
        return lambda found: key in found
    operator = rest[0]
    if operator in ("in", "notin"):
        if len(rest) < 3 or rest[1] != "(" or rest[-1] != ")":
            raise _unparsable(rest[1] if len(rest) > 1 else "", "'('")
        values = set("".join(rest[2:-1]).split(","))
        return (
            (lambda found: found.get(key) in values)
            if operator == "in"
            else (lambda found: found.get(key) not in values)
        )
    if operator in ("=", "==", "!="):
        if len(rest) > 2:
            raise _unparsable(rest[2], "',' or 'end of string'")
        value = rest[1] if len(rest) > 1 else ""
        return (lambda found: found.get(key) != value) if operator == "!=" else (lambda found: found.get(key) == value)
    if operator in (">", "<") and len(rest) == 2:
        return _compare(key, operator, rest[1])
    raise _unparsable(operator, OPERATORS)


def _compare(key: str, operator: str, value: str) -> Test:
    def test(found: Mapping[str, str]) -> bool:
        try:
            has, wants = int(found[key]), int(value)
        except (KeyError, ValueError):
            return False
        return has > wants if operator == ">" else has < wants

    return test


def _unparsable(token: str, expected: str) -> errors.Refusal:
    return errors.bad_request(f"unable to parse requirement: found '{token}', expected: {expected}")


def of_selector(selector: Json | None) -> Test:
    """A LabelSelector object as a test; an absent one matches nothing, an empty one everything."""
    if selector is None:
        return lambda found: False
    wanted: Json = selector.get("matchLabels") or {}
    tests = [_expression(one) for one in selector.get("matchExpressions") or []]
    return lambda found: all(found.get(key) == value for key, value in wanted.items()) and all(t(found) for t in tests)


def _expression(one: Json) -> Test:
    key, values = one["key"], set(one.get("values") or [])
    return {
        "In": lambda found: found.get(key) in values,
        "NotIn": lambda found: found.get(key) not in values,
        "Exists": lambda found: key in found,
        "DoesNotExist": lambda found: key not in found,
    }[one["operator"]]


def shown(selector: Json | None) -> str:
    """A LabelSelector as kubectl prints it."""
    if not selector:
        return "<none>"
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for one in selector.get("matchExpressions") or []:
        values = ",".join(sorted(one.get("values") or []))
        word = {"In": f" in ({values})", "NotIn": f" notin ({values})"}.get(one["operator"], "")
        parts.append(f"!{one['key']}" if one["operator"] == "DoesNotExist" else f"{one['key']}{word}")
    return ",".join(parts) or "<none>"


def fields(written: str, key: str) -> Callable[[Json], bool]:
    """A test of objects by fields that their kind can be selected by. Raises a 400."""
    known = ("metadata.name", "metadata.namespace", *FIELDS.get(key, ()))
    tests: list[tuple[str, str, bool]] = []
    for part in filter(None, written.split(",")):
        found = re.match(r"^(.+?)(!=|==|=)(.*)$", part)
        if not found:
            raise errors.bad_request(f"invalid selector: '{written}'; can't understand '{part}'")
        name, operator, value = found.groups()
        if name not in known:
            raise errors.bad_request(_unknown_field(name, key))
        tests.append((name, value.replace("\\", ""), operator != "!="))
    return lambda item: all((_value(item, name) == value) is wanted for name, value, wanted in tests)


def _unknown_field(name: str, key: str) -> str:
    if key in FIELDS:
        return f"field label not supported: {name}"
    return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _value(item: Json, name: str) -> str:
    if name == "source":
        return str((item.get("source") or {}).get("component") or item.get("reportingComponent") or "")
    if name == "status.successful":
        name = "status.succeeded"
    found: Any = item
    for part in (name if name != "name" else "metadata.name").split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return str(found).lower()
    if found is None:
        return "false" if name in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(found)
