"""Where a live object differs from its manifest, leaf by leaf. Pure.

Only what the manifest says is compared: fields that we do not set are not ours to judge.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from deployments import quantity

# Not compared: the revision moves with each apply, and identity is checked by uid.
PARTS = ("spec", "data")
KEYS = ("mountPath", "name")
QUANTITIES = {"limits", "requests", "sizeLimit"}
# What the API server leaves out of what it was sent.
EMPTY: tuple[Any, ...] = ("", [], {}, None, False)


def differences(manifest: dict[str, Any], live: dict[str, Any]) -> list[dict[str, Any]]:
    """Each leaf that differs, as {"field": "spec.replicas", "wanted", "live"}; lists count as one leaf unless their
    entries are known by a key."""
    return [{"field": ".".join(path), "wanted": want, "live": got} for path, want, got in differing(manifest, live)]


def differing(manifest: dict[str, Any], live: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, wanted, live) of every difference of spec, data and labels."""
    wanted = {part: manifest[part] for part in PARTS if part in manifest}
    have = {part: live.get(part) or {} for part in PARTS}
    yield from leaves(
        wanted | {"metadata": {"labels": manifest["metadata"].get("labels", {})}},
        have | {"metadata": {"labels": live.get("metadata", {}).get("labels") or {}}},
        (),
    )


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
