"""Differences for people: of two specs by field, of two documents by line. Pure."""

import difflib
import hashlib
import json
from itertools import zip_longest
from typing import Any

import yaml


def change(field: str, before: Any, after: Any) -> dict[str, Any]:
    """One change in the shape of `changes`."""
    return {"field": field, "before": before, "after": after}


def changes(before: Any, after: Any, path: str = "") -> list[dict[str, Any]]:
    """Every leaf that differs, as {"field": "env.0.name", "before": …, "after": …}, by field and place.

    What stands on one side only is None on the other.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            item
            for key in sorted(before.keys() | after.keys())
            for item in changes(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        ]
    if isinstance(before, list) and isinstance(after, list):
        return [
            item
            for place, (old, new) in enumerate(zip_longest(before, after))
            for item in changes(old, new, f"{path}.{place}" if path else str(place))
        ]
    return [] if before == after else [{"field": path, "before": before, "after": after}]


def as_yaml(document: Any) -> str:
    """YAML in the order of the keys, without aliases."""
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        """A string. PyYAML writes rarer line breaks into single quotes as they are, where YAML reads a blank."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"' if BREAKS & set(data) else None)


BREAKS = set("\x85\u2028\u2029")
_Plain.add_representer(str, _Plain.text)


def lines(before: str, after: str, context: int = 3) -> list[dict[str, str]]:
    """A unified difference as [{"sign": "+", "-", " " or "@", "text": …}]."""
    unified = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=context)
    return [{"sign": line[0], "text": line[1:]} for line in list(unified)[2:]]


def fingerprint(value: Any) -> str:
    """SHA-256 of a JSON value written in one canonical way."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
