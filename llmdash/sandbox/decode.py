"""Request bodies to objects of a known shape: types checked, unknown and duplicate fields told, nulls dropped."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
import yaml

from llmdash.sandbox import errors, wire
from llmdash.sandbox.paths import Resource
from llmdash.sandbox.quantity import QuantityError, canonical
from llmdash.sandbox.schema import ANY, Type

Json = dict[str, Any]
# Times that Go writes even when they are not set.
NULLS = {"lastProbeTime", "eventTime", "firstTimestamp", "lastTimestamp"}
GO = {"string": "string", "boolean": "bool", "number": "float64"}
JSON_NAMES = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}


@dataclass
class Found:
    """A decoded body and what a strict reader would mind about it."""

    value: Any
    complaints: list[str] = field(default_factory=list)


class WrongType(ValueError):
    """A value that Go could not read into its field."""


def body(raw: bytes, *, kind: str, yaml_too: bool = False) -> Found:
    """JSON, protobuf, or YAML where that is allowed; duplicate members are told by their path. Raises a 400."""
    if raw.startswith(wire.MAGIC):
        try:
            return Found(wire.decode(raw))
        except (wire.WireError, UnicodeDecodeError) as error:
            raise errors.bad_request(
                f"the object provided is unrecognized (must be of type {kind}): {error}"
            ) from error
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        if yaml_too and (value := _yaml(raw)) is not None:
            return Found(value)
        message = _go_json_error(raw, error)
        told = raw.decode("utf-8", "replace")
        raise errors.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
            f"json parse error: {message} ({told})"
        ) from error
    return Found(value, _duplicates(raw))


def _yaml(raw: bytes) -> Any:
    try:
        return yaml.load(raw, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None


def _go_json_error(raw: bytes, error: Exception) -> str:
    if "truncated" in str(error) or not raw:
        return "unexpected end of JSON input"
    return "invalid character looking for beginning of value"


def _duplicates(raw: bytes) -> list[str]:
    """Paths of members that stand twice in one object. Cheap when there are none, which is nearly always."""
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> Json:
        found: Json = {}
        for name, value in items:
            if name in found:
                found.setdefault("\0", []).append(name)
            found[name] = value
        return found

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            twice.extend(f'duplicate field "{path}{name}"' for name in value.pop("\0", []))
            for name, one in value.items():
                walk(one, f"{path}{name}.")
        elif isinstance(value, list):
            for index, one in enumerate(value):
                walk(one, f"{path[:-1]}[{index}].")

    walk(json.loads(raw, object_pairs_hook=pairs), "")
    return twice


def as_type(found: Found, type_: Type, resource: Resource, kind: str = "") -> Json:
    """The body as an object of the type; unknown members are dropped and told. Raises a 400."""
    kind = kind or resource.kind
    if not isinstance(found.value, dict):
        raise errors.bad_request(f"the object provided is unrecognized (must be of type {kind})")
    version = str(found.value.get("apiVersion", ""))
    try:
        read: Json = shape(found.value, type_, "", found.complaints)
    except (WrongType, QuantityError) as error:
        said = f'{kind} in version "{version.rpartition("/")[2]}" cannot be handled as a {kind}: {error}'
        raise errors.bad_request(said) from error
    return read


def misread(value: Any, type_: Type) -> str:
    """What Go says when it reads a value that is none of the type; "" when it is one."""
    try:
        shape(value, type_, "", [])
    except (WrongType, QuantityError) as error:
        return str(error)
    return ""


def shape(value: Any, type_: Type, path: str, told: list[str], *, owner: str = "") -> Any:
    """A value as its type wants it; `told` collects unknown fields. Raises WrongType and QuantityError."""
    if type_.shape == "any" or value is None:
        return value
    if type_.name == "Quantity":
        if not isinstance(value, str | int | float):
            raise QuantityError
        return canonical(value)
    if type_.shape == "scalar":
        return _scalar(value, type_, path, owner)
    if type_.shape == "list":
        return _list(value, type_, path, told, owner=owner)
    if not isinstance(value, dict):
        raise WrongType(_unmarshal(value, path, owner, (type_.name and f"v1.{type_.name}") or "map[string]string"))
    if type_.shape == "map":
        inner = type_.element or ANY
        return {name: shape(one, inner, f"{path}.{name}", told, owner=owner) for name, one in value.items()}
    return _struct(value, type_, path, told)


def _struct(value: Json, type_: Type, path: str, told: list[str]) -> Json:
    read: Json = {}
    for name, one in value.items():
        at = f"{path}.{name}" if path else name
        declared = type_.fields.get(name)
        if declared is None:
            if type_.open:
                read[name] = one
            else:
                told.append(f'unknown field "{at}"')
        elif (one is not None or name in NULLS) and not _omitted(type_, name, one):
            read[name] = shape(one, declared.type, at, told, owner=type_.name)
    return read


def _omitted(type_: Type, name: str, value: Any) -> bool:
    """Go does not write the zeros of what is no pointer and may be left out."""
    entry = wire.types().get(type_.go, {}).get(name)
    if entry is None:
        return (
            value in ([], {}) and type_.fields[name].type.shape in ("list", "map") and not type_.fields[name].required
        )
    _, _, pointer, left_out = entry
    if isinstance(value, dict) and type_.fields[name].type.shape != "map":
        return False
    return bool(left_out) and not pointer and not value


def _list(value: Any, type_: Type, path: str, told: list[str], *, owner: str) -> list[Any]:
    if not isinstance(value, list):
        inner = type_.element or ANY
        raise WrongType(_unmarshal(value, path, owner, f"[]{_go(inner)}"))
    inner = type_.element or ANY
    return [shape(one, inner, f"{path}[{index}]", told, owner=owner) for index, one in enumerate(value)]


def _scalar(value: Any, type_: Type, path: str, owner: str) -> Any:
    if type_.scalar == "string":
        good = isinstance(value, str)
    elif type_.scalar == "boolean":
        good = isinstance(value, bool)
    elif type_.scalar == "integer":
        good = isinstance(value, int) and not isinstance(value, bool)
    else:
        good = not isinstance(value, list | dict)
    if not good:
        raise WrongType(_unmarshal(value, path, owner, _go(type_)))
    return value


def _go(type_: Type) -> str:
    if type_.scalar == "integer":
        return type_.format or "int32"
    return GO.get(type_.scalar) or (f"v1.{type_.name}" if type_.name else "string")


def _unmarshal(value: Any, path: str, owner: str, wanted: str) -> str:
    where = "".join(part if "]" not in part else part.partition("[")[0] for part in path)
    said = JSON_NAMES.get(type(value), "value")
    return f"json: cannot unmarshal {said} into Go struct field {owner}.{where} of type {wanted}"
