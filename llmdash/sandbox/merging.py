"""Merging an applied configuration into an object, by the schema's list keys and sets.

After sigs.k8s.io/structured-merge-diff/v6/typed/merge.go; the order of merged lists is its order.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox.fieldsets import element_of
from llmdash.sandbox.schema import ANY, Type


def merge(type_: Type, live: Any, wanted: Any) -> Any:
    """`live` overlaid with `wanted`: structures merge member by member, leaves and atomic ones are replaced."""
    if isinstance(live, dict) and isinstance(wanted, dict) and not type_.atomic:
        found = dict(live)
        for name, value in wanted.items():
            found[name] = merge(type_.child(name), live[name], value) if name in live else value
        return found
    keyed = type_.shape == "list" and type_.list_type in ("map", "set")
    if keyed and isinstance(live, list) and isinstance(wanted, list):
        return _merge_lists(type_, live, wanted)
    return wanted


def _merge_lists(type_: Type, live: list[Any], wanted: list[Any]) -> list[Any]:
    """Items of both, those of `wanted` in its order and those of `live` alone about where they stood."""
    inner = type_.element or ANY
    left = [(element_of(type_, item), item) for item in live]
    right = [(element_of(type_, item), item) for item in wanted]
    before, after = dict(left), dict(right)
    shared = [key for key, _ in right if key in before]
    found: list[Any] = []
    done: set[str] = set()
    i = j = 0
    while i < len(left) or j < len(right):
        upcoming = next((key for key in shared if key not in done), None)
        if i < len(left):
            key, item = left[i]
            if key not in after:
                found.append(item)
                i += 1
                continue
            if key in done or (key != upcoming and upcoming is not None):
                i += 1
                continue
            if j < len(right) and right[j][0] == key:
                i += 1
        if j < len(right):
            key, item = right[j]
            found.append(merge(inner, before[key], item) if key in before else item)
            done.add(key)
            j += 1
    return found
