"""Label and field selectors of lists, watches and objects.

The text of label selectors is read by labelparser.py. Wording of field selectors: k8s.io/apimachinery/pkg/fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from llmdash.sandbox import errors, labelparser
from llmdash.sandbox.labelparser import Requirement

Json = dict[str, Any]
Test = Callable[[Mapping[str, str]], bool]
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
    tests = [_test(one) for one in labelparser.parse(written)]
    return lambda found: all(test(found) for test in tests)


def _test(one: Requirement) -> Test:
    key, values = one.key, one.values
    if one.operator in (">", "<"):
        return _compare(key, one.operator, next(iter(values)))
    return {
        "exists": lambda found: key in found,
        "!": lambda found: key not in found,
        "!=": lambda found: found.get(key) not in values,
        "notin": lambda found: found.get(key) not in values,
    }.get(one.operator, lambda found: found.get(key) in values)


def _compare(key: str, operator: str, value: str) -> Test:
    def test(found: Mapping[str, str]) -> bool:
        try:
            has, wants = int(found[key]), int(value)
        except (KeyError, ValueError):
            return False
        return has > wants if operator == ">" else has < wants

    return test


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
