"""What the API server refuses in labels, annotations, and selectors of both.

After k8s.io/apimachinery/pkg/apis/meta/v1/validation.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox import formats
from llmdash.sandbox.errors import Cause, forbidden_value, invalid_value, required

Json = dict[str, Any]


def label_key(key: str, path: str) -> list[Cause]:
    return [invalid_value(path, key, one) for one in formats.qualified(key)]


def labels(found: Json, path: str) -> list[Cause]:
    """The path is that of them all."""
    causes: list[Cause] = []
    for key, value in found.items():
        causes += label_key(key, path)
        causes += [invalid_value(path, value, one) for one in formats.label_value(value)]
    return causes


def annotation_keys(found: Json, path: str) -> list[Cause]:
    """Their keys; upper case counts as lower case."""
    return [invalid_value(path, key, one) for key in found for one in formats.qualified(key.lower())]


def selector(found: Json, path: str) -> list[Cause]:
    """A LabelSelector."""
    causes = labels(found.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, one in enumerate(found.get("matchExpressions") or []):
        causes += expression(one, f"{path}.matchExpressions[{index}]")
    return causes


def expression(found: Json, path: str, *, of_nodes: bool = False, with_values: bool = True) -> list[Cause]:
    """One requirement of labels, of nodes when those may be compared; values that no label has are minded or not."""
    operator, values, key = found.get("operator", ""), found.get("values") or [], found.get("key", "")
    causes: list[Cause] = []
    if operator in ("In", "NotIn"):
        if not values:
            causes.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            causes.append(forbidden_value(f"{path}.values", why))
    elif of_nodes and operator in ("Gt", "Lt"):
        if len(values) != 1:
            why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            causes.append(required(f"{path}.values", why))
    else:
        causes.append(invalid_value(f"{path}.operator", operator, "not a valid selector operator"))
    causes += label_key(key, f"{path}.key")
    for index, value in enumerate(values if with_values else ()):
        causes += [invalid_value(f"{path}.values[{index}]", value, one) for one in formats.label_value(value)]
    return causes
