"""Where live objects differ from the manifests that we last applied. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from deployments import quantity
from deployments.manifests import labels
from monitoring.objects import Loose, Manager

# Not compared: the revision moves with each apply, and identity is checked by uid.
PARTS = ("spec", "data")
QUANTITIES = {"limits", "requests", "sizeLimit"}
# What the API server leaves out of what it was sent.
EMPTY: tuple[Any, ...] = ("", [], {}, None, False)


def differences(manifest: dict[str, Any], live: Loose) -> list[dict[str, Any]]:
    """Each leaf that differs, as {"object", "field", "wanted", "live", "rival"}; lists count as one leaf unless
    their entries have names."""
    name = f"{manifest['kind']}/{manifest['metadata']['name']}"
    metadata = manifest["metadata"]
    wanted = {part: manifest[part] for part in PARTS if part in manifest} | {
        "metadata": {"labels": metadata.get("labels", {})}
    }
    have = {"spec": live.spec, "data": live.data or {}, "metadata": {"labels": live.metadata.labels or {}}}
    return [
        {
            "object": name,
            "field": ".".join(path),
            "wanted": want,
            "live": got,
            "rival": rival(live.metadata.managed_fields or [], path),
        }
        for path, want, got in leaves(wanted, have, ())
    ]


def leaves(wanted: Any, live: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, wanted, live) of every difference; fields that we do not set are not ours to judge."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        for key, value in wanted.items():
            yield from leaves(value, live.get(key), (*path, key))
    elif named(wanted) and named(live):
        by_name = {entry["name"]: entry for entry in live}
        for entry in wanted:
            yield from leaves(entry, by_name.get(entry["name"]), (*path, entry["name"]))
    elif isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        for place, (one, other) in enumerate(zip(wanted, live, strict=True)):
            yield from leaves(one, other, (*path, str(place)))
    elif not same(wanted, live, path):
        yield path, wanted, live


def named(value: Any) -> bool:
    """A list whose entries are known by name, such as containers and variables."""
    return isinstance(value, list) and bool(value) and all(isinstance(e, dict) and "name" in e for e in value)


def same(wanted: Any, live: Any, path: Sequence[str] = ()) -> bool:
    """Equal; or, where quantities stand, two spellings of one: the API server writes 0.5 as 500m. Empty and absent
    are one."""
    if wanted == live or (wanted in EMPTY and live in EMPTY):
        return True
    if QUANTITIES.isdisjoint(path) or not isinstance(live, str):
        return False
    try:
        return quantity.parse(str(wanted)) == quantity.parse(live)
    except ValueError:
        return False


def rival(managers: list[Manager], path: tuple[str, ...]) -> str:
    """Who owns this field besides us; "" when nobody says so."""
    others = [entry for entry in managers if entry.manager != labels.MANAGER and entry.fields_v1]
    return next((entry.manager for entry in others if owns(entry.fields_v1, path)), "")


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
    by_name = {found: part for name, part in entries.items() if (found := entry_name(name))}
    if by_name:
        return key in by_name and owns(by_name[key], rest)
    return any(owns(part, rest) for part in entries.values())


def entry_name(key: str) -> str:
    """The name in k:{"name":"vllm"}; "" for entries with other keys, such as ports."""
    try:
        found = json.loads(key.removeprefix("k:"))
    except ValueError:
        return ""
    return str(found.get("name", "")) if isinstance(found, dict) else ""
