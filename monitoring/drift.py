"""Where live objects differ from the manifests that we last applied. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from deployments import quantity
from deployments.manifests import labels
from monitoring.objects import Loose, Manager

# Not compared: the revision moves with each apply, and identity is checked by uid.
PARTS = ("spec", "data")
KEYS = ("mountPath", "name")
QUANTITIES = {"limits", "requests", "sizeLimit"}
# What the API server leaves out of what it was sent.
EMPTY: tuple[Any, ...] = ("", [], {}, None, False)


def differences(manifest: dict[str, Any], live: Loose) -> list[dict[str, Any]]:
    """Each leaf that differs, as {"object", "field", "wanted", "live", "rival"}; lists count as one leaf unless
    their entries are known by a key."""
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
    elif (key := known_by(wanted)) and known_by(live) and all(key in entry for entry in live):
        by_key = {entry[key]: entry for entry in live}
        for entry in wanted:
            yield from leaves(entry, by_key.get(entry[key]), (*path, str(entry[key])))
    elif isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        for place, (one, other) in enumerate(zip(wanted, live, strict=True)):
            yield from leaves(one, other, (*path, str(place)))
    elif not same(wanted, live, path):
        yield path, wanted, live


def known_by(value: Any) -> str:
    """The key that tells the entries of a list apart, such as the name of containers and variables or the place of
    mounts; "" when there is none."""
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        return ""
    for key in KEYS:
        found = [entry.get(key) for entry in value]
        if all(isinstance(one, str) for one in found) and len(set(found)) == len(found):
            return key
    return ""


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
