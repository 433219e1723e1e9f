"""Who owns a field of a live object, by its managedFields. Pure."""

import json
from collections.abc import Iterable, Sequence
from typing import Any


def owner(managers: Iterable[tuple[str, Any]], path: Sequence[str], *, besides: str) -> str:
    """The manager of this field besides one; "" when there is none. `managers` are (name, fieldsV1)."""
    others = [(name, fields) for name, fields in managers if name != besides and fields]
    return next((name for name, fields in others if owns(fields, path)), "")


def owns(fields: Any, path: Sequence[str]) -> bool:
    """Whether a set of managed fields holds a path. {} holds all below it; entries of lists stand under their keys.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/: `f:` names a field, `k:` an entry by its keys.
    """
    if not path or fields == {}:
        return True
    if not isinstance(fields, dict):
        return False
    key, *rest = path
    if (child := fields.get(f"f:{key}")) is not None:
        return owns(child, rest)
    entries = {name: part for name, part in fields.items() if name.startswith("k:")}
    keyed = {name: keys(name) for name in entries}
    if exact := [name for name, found in keyed.items() if key in found.values()]:
        return any(owns(entries[name], rest) for name in exact)
    # Ports stand under their numbers, and we know them by name: any of them will do.
    return any(owns(part, rest) for name, part in entries.items() if not {"name", "mountPath"} & keyed[name].keys())


def keys(entry: str) -> dict[str, str]:
    """k:{"name":"vllm"} as {"name": "vllm"}."""
    try:
        found = json.loads(entry.removeprefix("k:"))
    except ValueError:
        return {}
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}
