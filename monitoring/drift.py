"""Where live objects differ from the manifests that we last applied. Pure."""

from collections.abc import Iterator
from typing import Any

from deployments import quantity
from deployments.manifests import labels
from monitoring.objects import Loose, Manager

# Not compared: the revision moves with each apply, and identity is checked by uid.
PARTS = ("spec", "data")


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
    elif not same(wanted, live):
        yield path, wanted, live


def named(value: Any) -> bool:
    """A list whose entries are known by name, such as containers and variables."""
    return isinstance(value, list) and bool(value) and all(isinstance(e, dict) and "name" in e for e in value)


def same(wanted: Any, live: Any) -> bool:
    """Equal, or two spellings of one quantity: the API server writes 0.5 as 500m. Empty and absent are one."""
    if wanted == live or (wanted in ("", [], {}, None) and live in ("", [], {}, None)):
        return True
    try:
        return isinstance(wanted, str) and isinstance(live, str) and quantity.parse(wanted) == quantity.parse(live)
    except ValueError:
        return False


def rival(managers: list[Manager], path: tuple[str, ...]) -> str:
    """Who owns this field besides us; "" when nobody says so."""
    for entry in managers:
        part: Any = entry.fields_v1 or {}
        for key in path:
            part = part.get(f"f:{key}") if isinstance(part, dict) else None
        if part is not None and entry.manager != labels.MANAGER:
            return entry.manager
    return ""
