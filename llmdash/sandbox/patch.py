"""JSON patch (RFC 6902), merge patch (RFC 7386) and Kubernetes' strategic merge patch."""

from __future__ import annotations

import json
from typing import Any

from llmdash.sandbox import converting, decode, errors, recording
from llmdash.sandbox.schema import ANY, Field, Type

Json = dict[str, Any]
DIRECTIVE = "$patch"
ORDER = "$setElementOrder/"
DELETE = "$deleteFromPrimitiveList/"
RETAIN = "$retainKeys"
MAX_OPERATIONS = 10_000
KINDS = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}


def carry_out(kind: str, type_: Type, live: Json, change: Any) -> Json:
    """The object with a change of one of three kinds. Raises a 422 when it then has a value of another type."""
    found: Any
    if kind == "strategic":
        found = strategic_merge(type_, live, change)
        shown, wrong = converting.go(change), converting.unconvertible(found, type_)
    else:
        found = json_patch(live, change) if kind == "json" else merge_patch(live, change)
        first = (
            {key: found[key] for key in ("apiVersion", "kind") if key in found} if isinstance(found, dict) else found
        )
        shown = json.dumps(first | found, separators=(",", ":"), ensure_ascii=False)
        wrong = decode.misread(found, type_)
    if wrong:
        raise errors.invalid("", "", "", [errors.invalid_value("patch", shown, wrong)])
    patched: Json = found
    return patched


def _failed() -> errors.Refusal:
    """The real one hides what was wrong with a JSON patch that cannot be carried out."""
    message = "the server rejected our request due to an error in our request"
    return errors.Refusal(422, "Invalid", message, {})


def json_patch(found: Any, operations: Any) -> Any:
    """Carry out each operation in turn. Raises 400 for what is no patch, 422 for one that does not fit."""
    if not isinstance(operations, list) or len(operations) > MAX_OPERATIONS:
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        )
    found = recording.copy(found)
    for one in operations:
        try:
            found = _operate(found, one)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise _failed() from error
    return found


def _operate(found: Any, one: Json) -> Any:
    kind, path = one["op"], _pointer(one["path"])
    if kind == "test":
        if _at(found, path) != one.get("value"):
            raise ValueError(path)
        return found
    if kind in ("move", "copy"):
        source = _pointer(one["from"])
        value = recording.copy(_at(found, source))
        if kind == "move":
            found = _remove(found, source)
        return _add(found, path, value)
    if kind == "remove":
        return _remove(found, path)
    if kind == "replace":
        _at(found, path)
        return _add(_remove(found, path), path, one.get("value")) if path else one.get("value")
    if kind == "add":
        return _add(found, path, one.get("value"))
    raise ValueError(kind)


def _pointer(written: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in written.split("/")[1:]]


def _at(found: Any, path: list[str]) -> Any:
    for part in path:
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


def _add(found: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _at(found, path[:-1]), path[-1]
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        if not 0 <= index <= len(parent):
            raise IndexError(last)
        parent.insert(index, value)
    else:
        parent[last] = value
    return found


def _remove(found: Any, path: list[str]) -> Any:
    parent, last = _at(found, path[:-1]), path[-1]
    if isinstance(parent, list):
        del parent[int(last)]
    else:
        del parent[last]
    return found


def merge_patch(found: Any, change: Any) -> Any:
    """Null removes, objects merge, everything else replaces."""
    if not isinstance(change, dict):
        return change
    merged = dict(found) if isinstance(found, dict) else {}
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def strategic_merge(type_: Type, found: Any, change: Any) -> Any:
    """As a merge patch, but lists with a merge key merge item by item, and directives are followed.

    After k8s.io/apimachinery/pkg/util/strategicpatch/patch.go: `$patch`, `$retainKeys`, `$setElementOrder/…`,
    `$deleteFromPrimitiveList/…`.
    """
    if not isinstance(change, dict):
        return change
    if change.get(DIRECTIVE) == "replace":
        return {name: value for name, value in change.items() if name != DIRECTIVE}
    if change.get(DIRECTIVE) == "delete":
        return {}
    merged = dict(found) if isinstance(found, dict) else {}
    if RETAIN in change:
        merged = {name: value for name, value in merged.items() if name in change[RETAIN]}
    for name, value in change.items():
        if name in (DIRECTIVE, RETAIN) or name.startswith(ORDER):
            continue
        if name.startswith(DELETE):
            target = name.removeprefix(DELETE)
            merged[target] = [one for one in merged.get(target) or [] if one not in value]
        elif value is None:
            merged.pop(name, None)
        else:
            merged[name] = _member(type_.fields.get(name), type_.child(name), merged.get(name), change=(name, change))
    _order(type_, merged, change)
    return merged


def _member(declared: Field | None, type_: Type, found: Any, *, change: tuple[str, Json]) -> Any:
    name, whole = change
    value = whole[name]
    if isinstance(value, dict):
        return strategic_merge(type_, found, value)
    if isinstance(value, list) and declared and "merge" in declared.strategies:
        return _merge_list(type_, declared.merge_key, found or [], value)
    return value


def _merge_list(type_: Type, key: str, found: list[Any], change: list[Any]) -> list[Any]:
    if not key:
        return list(found) + [one for one in change if one not in found]
    if any(isinstance(one, dict) and one.get(DIRECTIVE) == "replace" and len(one) == 1 for one in change):
        return [one for one in change if DIRECTIVE not in one]
    merged = list(found)
    for one in change:
        if key not in one:
            raise errors.Refusal(500, "", f"map: {_go_map(one)} does not contain declared merge key: {key}")
        places = [index for index, old in enumerate(merged) if old.get(key) == one[key]]
        if one.get(DIRECTIVE) == "delete":
            merged = [old for old in merged if old.get(key) != one[key]]
        elif places and one.get(DIRECTIVE) != "replace":
            merged[places[0]] = strategic_merge(type_.element or ANY, merged[places[0]], one)
        else:
            fresh = {name: value for name, value in one.items() if name != DIRECTIVE}
            merged = [old for old in merged if old.get(key) != one[key]]
            merged.append(strategic_merge(type_.element or ANY, {}, fresh))
    return merged


def _order(type_: Type, merged: Json, change: Json) -> None:
    for name, wanted in change.items():
        if not name.startswith(ORDER):
            continue
        target = name.removeprefix(ORDER)
        declared = type_.fields.get(target)
        key = declared.merge_key if declared else ""
        places = [one.get(key) if isinstance(one, dict) else one for one in wanted]
        items = merged.get(target) or []
        known = [one for one in items if _identity(one, key) in places]
        known.sort(key=lambda one: places.index(_identity(one, key)))
        rest = [one for one in items if _identity(one, key) not in places]
        if items:
            merged[target] = known + rest


def _identity(item: Any, key: str) -> Any:
    return item.get(key) if isinstance(item, dict) else item


def _go_map(found: Json) -> str:
    return "map[" + " ".join(f"{name}:{value}" for name, value in sorted(found.items())) + "]"
