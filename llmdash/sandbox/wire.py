"""Kubernetes' protobuf, as kubectl sends it: bodies to the JSON that they stand for.

The table `recorded/types.json.gz` comes from the struct tags of k8s.io/api. The envelope is described in
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from llmdash.sandbox import recording
from llmdash.sandbox.hollow import times

Json = dict[str, Any]
Fields = dict[str, list[Any]]
MAGIC = b"k8s\0"
VARINT, FIXED64, BYTES = 0, 1, 2
ZERO_TIME = -62135596800
"""Go's zero time in epoch seconds."""


class WireError(ValueError):
    """Bytes that are no protobuf of a known type."""


@cache
def types() -> dict[str, Fields]:
    """`core/v1.Container` -> JSON name -> [number, type, is a pointer, left out when zero]."""
    found: dict[str, Fields] = recording.load("types")["types"]
    return found


def title(group_version: str, kind: str) -> str:
    """The name in the table of a kind that is served."""
    group, _, version = group_version.rpartition("/")
    return f"{group.partition('.')[0] or 'core'}/{version}.{kind}"


def decode(raw: bytes) -> Json:
    """An enveloped object with its kind. Raises WireError."""
    if not raw.startswith(MAGIC):
        raise WireError("the envelope is missing")
    envelope = dict(_parts(raw[len(MAGIC) :]))
    meta = dict(_parts(_bytes(envelope.get(1, b""))))
    version, kind = _bytes(meta.get(1, b"")).decode(), _bytes(meta.get(2, b"")).decode()
    name = title(version, kind)
    if kind == "DeleteOptions":
        name = "meta/v1.DeleteOptions"
    if name not in types():
        raise WireError(f"no type {name}")
    return {"kind": kind, "apiVersion": version} | _struct(_bytes(envelope.get(2, b"")), name)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise WireError("a number stands where bytes should")
    return value


def _parts(raw: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, int or bytes) of a message."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(raw, at)
            yield number, value
        elif wire == BYTES:
            size, at = _varint(raw, at)
            yield number, raw[at : at + size]
            at += size
        elif wire == FIXED64:
            yield number, int.from_bytes(raw[at : at + 8], "little")
            at += 8
        else:
            raise WireError(f"wire type {wire}")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(raw):
            raise WireError("a number breaks off")
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _struct(raw: bytes, name: str) -> Json:
    by_number = {entry[0]: (key, entry) for key, entry in types()[name].items()}
    found: Json = {}
    for number, value in _parts(raw):
        if number not in by_number:
            continue
        key, (_, type_, pointer, left_out) = by_number[number]
        if key.startswith("+"):
            found |= _struct(_bytes(value), type_)  # an embedded struct lies open in JSON
        elif type_.startswith("[]") and type_ != "[]byte":
            found.setdefault(key, []).append(_value(value, type_.removeprefix("[]")))
        elif type_.startswith("map[string]"):
            pair = dict(_parts(_bytes(value)))
            inner = type_.removeprefix("map[string]")
            found.setdefault(key, {})[_bytes(pair.get(1, b"")).decode()] = _value(pair.get(2, b""), inner)
        else:
            one = _value(value, type_)
            if one is not None and (pointer or not left_out or one not in ("", 0, False)):
                found[key] = one
    return found


def _value(value: Any, type_: str) -> Any:
    if type_ in ("int32", "int64"):
        return _signed(value) if isinstance(value, int) else 0
    if type_ == "bool":
        return bool(value) if isinstance(value, int) else False
    raw = _bytes(value)
    if type_ == "[]byte":
        return base64.b64encode(raw).decode()
    if type_.startswith("items:"):
        return [_value(one, type_.removeprefix("items:[]")) for _, one in _parts(raw)]
    if type_ in SPECIAL:
        return SPECIAL[type_](raw)
    return _struct(raw, type_) if type_ in types() else raw.decode()


def _time(raw: bytes) -> str | None:
    seconds = _signed(dict(_parts(raw)).get(1, ZERO_TIME)) if raw else ZERO_TIME
    return None if seconds == ZERO_TIME else times.text(seconds)


def _micro_time(raw: bytes) -> str | None:
    parts = dict(_parts(raw)) if raw else {}
    seconds = _signed(parts.get(1, ZERO_TIME))
    return None if seconds == ZERO_TIME else times.micro(seconds + parts.get(2, 0) / 1e9)


def _int_or_string(raw: bytes) -> Any:
    parts = dict(_parts(raw))
    return parts.get(3, b"").decode() if parts.get(1) else _signed(parts.get(2, 0))


def _text(raw: bytes) -> str:
    return str(dict(_parts(raw)).get(1, b"").decode())


def _json(raw: bytes) -> Any:
    inner = dict(_parts(raw)).get(1, b"")
    return msgspec.json.decode(inner) if inner else None


SPECIAL = {
    "meta/v1.Time": _time,
    "meta/v1.MicroTime": _micro_time,
    "resource.Quantity": _text,
    "intstr.IntOrString": _int_or_string,
    "meta/v1.FieldsV1": _json,
    "runtime.RawExtension": _json,
}
