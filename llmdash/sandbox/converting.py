"""Patched and applied objects to Go's types, and its words for a value of another type.

Nothing of these is read from JSON by the real server, so neither are its words those of decode.py. After
k8s.io/apimachinery/pkg/runtime/converter.go and sigs.k8s.io/structured-merge-diff/v6/typed/validate.go.
"""

from __future__ import annotations

import json
from typing import Any

from llmdash.sandbox.quantity import QuantityError, parse
from llmdash.sandbox.schema import ANY, Type

KINDS = {bool: "bool", int: "int64", float: "float64", str: "string", list: "slice", dict: "map"}
JSON_KINDS = {bool: "bool", float: "number", list: "array", dict: "object"}
GO = {list: "[]interface {}", dict: "map[string]interface {}"} | {one: KINDS[one] for one in (bool, int, float, str)}
SCALARS = {"string": "string", "boolean": "bool", "number": "float64", "integer": "int32"}


def unconvertible(value: Any, type_: Type) -> str:
    """What the converter says of the first value that does not fit; "" when all do."""
    if value is None or (type_.shape == "any" and not type_.name):
        return ""
    if type_.name == "Quantity":
        return _quantity(value)
    if type_.name == "IntOrString":
        return _int_or_string(value)
    if type_.shape == "scalar":
        return _scalar(value, type_)
    if type_.shape == "list":
        if not isinstance(value, list):
            return f"cannot restore slice from {KINDS[type(value)]}"
        return next(filter(None, (unconvertible(one, type_.element or ANY) for one in value)), "")
    if not isinstance(value, dict):
        place = "map from" if type_.shape == "map" else "struct from:"
        return f"cannot restore {place} {KINDS[type(value)]}"
    return next(filter(None, (unconvertible(one, type_.child(name)) for name, one in value.items())), "")


def _quantity(value: Any) -> str:
    try:
        parse("" if isinstance(value, bool | list | dict) else value)
    except QuantityError as error:
        return str(error)
    return ""


def _int_or_string(value: Any) -> str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return ""
    shown = f"number {go(value)}" if isinstance(value, float) else JSON_KINDS[type(value)]
    return f"json: cannot unmarshal {shown} into Go value of type int32"


def _scalar(value: Any, type_: Type) -> str:
    if type_.scalar not in SCALARS:
        return ""
    wanted = type_.format if type_.scalar == "integer" and type_.format else SCALARS[type_.scalar]
    found = KINDS[type(value)]
    numeric = type_.scalar in ("integer", "number")
    if found == wanted or (numeric and (found == "int64" or (found == "float64" and value == int(value)))):
        return ""
    if (numeric and found == "float64") or (wanted == "string" and found in ("int64", "float64")):
        return f"cannot convert {found} to {wanted}"
    return f"unrecognized type: {wanted}"


def undeclared(value: Any, type_: Type, path: str = "") -> str:
    """What server-side apply says of the first member that has another type or that the schema does not know."""
    if value is None:
        return ""
    if type_.shape in ("map", "struct"):
        return _undeclared_members(value, type_, path)
    if type_.shape == "list":
        if not isinstance(value, list):
            return f"{path}: expected list, got &{{{go(value)}}}"
        inner = type_.element or ANY
        told = (undeclared(one, inner, f"{path}[{_place(one, index, type_)}]") for index, one in enumerate(value))
        return next(filter(None, told), "")
    return _misfit(value, type_, path)


def _undeclared_members(value: Any, type_: Type, path: str) -> str:
    if not isinstance(value, dict):
        return f"{path}: expected map, got &{{{go(value)}}}"
    for name, one in value.items():
        if type_.shape == "struct" and name not in type_.fields and not type_.open:
            return f"{path}.{name}: field not declared in schema"
        if told := undeclared(one, type_.child(name), f"{path}.{name}"):
            return told
    return ""


def _place(item: Any, index: int, type_: Type) -> str:
    """An item of a list by its keys, where the list has some: `name="main"`."""
    if not type_.keys or not isinstance(item, dict):
        return str(index)
    fields = (type_.element or ANY).fields
    held = {key: item.get(key, fields[key].default if key in fields else None) for key in type_.keys}
    return ",".join(f"{key}={json.dumps(one)}" for key, one in held.items() if one is not None)


def _misfit(value: Any, type_: Type, path: str) -> str:
    if type_.scalar in ("integer", "number") and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"{path}: expected numeric (int or float), got {GO[type(value)]}"
    if type_.scalar == "boolean" and not isinstance(value, bool):
        return f"{path}: expected boolean, got &{{{go(value)}}}"
    if type_.scalar == "string" and not isinstance(value, str) and type_.name not in ("Quantity", "Time", "MicroTime"):
        return f"{path}: expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}"
    return ""


def go(value: Any) -> str:
    """As Go prints it with %v: `map[a:1 b:[x y]]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go(one)}" for key, one in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go, value)) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def _go_syntax(value: Any) -> str:
    """As Go prints it with %#v."""
    if isinstance(value, dict):
        return "map[string]interface {}{" + ", ".join(f'"{k}":{_go_syntax(v)}' for k, v in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(_go_syntax, value)) + "}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else go(value)
