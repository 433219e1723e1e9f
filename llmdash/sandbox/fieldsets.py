"""Sets of field paths, and how they are taken from objects: what server-side apply reckons with.

After sigs.k8s.io/structured-merge-diff (fieldpath/set.go, typed/tofieldset.go, typed/compare.go, typed/remove.go).
A path element is written as in FieldsV1: `f:name`, `k:{"name":"main"}`, `v:"x"`, `i:0`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from llmdash.sandbox.schema import ANY, Type

Json = dict[str, Any]
Path = tuple[str, ...]


@dataclass(slots=True)
class FieldSet:
    """A trie: `members` are in the set, `children` lead to deeper ones."""

    members: set[str] = field(default_factory=set)
    children: dict[str, FieldSet] = field(default_factory=dict)

    def insert(self, path: Path) -> None:
        node = self
        for element in path[:-1]:
            node = node.children.setdefault(element, FieldSet())
        node.members.add(path[-1])

    def __bool__(self) -> bool:
        return bool(self.members) or any(self.children.values())

    def below(self, element: str) -> FieldSet:
        return self.children.get(element) or FieldSet()

    def __or__(self, other: FieldSet) -> FieldSet:
        names = self.children.keys() | other.children.keys()
        return FieldSet(self.members | other.members, {one: self.below(one) | other.below(one) for one in names})

    def __sub__(self, other: FieldSet) -> FieldSet:
        left = {one: node - other.children[one] if one in other.children else node for one, node in self._items()}
        return FieldSet(self.members - other.members, {one: node for one, node in left.items() if node})

    def __and__(self, other: FieldSet) -> FieldSet:
        both = {one: node & other.children[one] for one, node in self._items() if one in other.children}
        return FieldSet(self.members & other.members, {one: node for one, node in both.items() if node})

    def _items(self) -> Iterator[tuple[str, FieldSet]]:
        return iter(self.children.items())

    def paths(self, prefix: Path = ()) -> Iterator[Path]:
        """Members of a level first, then deeper ones, each in order."""
        for one in sorted(self.members):
            yield (*prefix, one)
        for one in sorted(self.children):
            yield from self.children[one].paths((*prefix, one))

    def without(self, path: Path) -> FieldSet:
        """Without a path and everything below it."""
        found = FieldSet(set(self.members), dict(self.children))
        if len(path) == 1:
            found.members.discard(path[0])
            found.children.pop(path[0], None)
        elif path[0] in found.children:
            found.children[path[0]] = found.children[path[0]].without(path[1:])
        return found

    def as_json(self) -> Json:
        """FieldsV1."""
        found: Json = {}
        for one in sorted(self.members | self.children.keys()):
            deeper = self.children[one].as_json() if one in self.children else {}
            found[one] = {".": {}, **deeper} if deeper and one in self.members else deeper
            if not deeper and one not in self.members:
                del found[one]
        return found


def from_json(written: Json) -> FieldSet:
    """A FieldSet of FieldsV1."""
    found = FieldSet()
    for one, deeper in written.items():
        if one == ".":
            continue
        if not deeper or "." in deeper:
            found.members.add(one)
        if deeper:
            found.children[one] = from_json(deeper)
    return found


def compact(value: Any) -> str:
    """JSON as Go writes it in keys."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def shown(path: Path) -> str:
    """A path for people: `.spec.containers[name="main"].image`."""
    written = ""
    for one in path:
        kind, _, rest = one.partition(":")
        if kind == "f":
            written += f".{rest}"
        elif kind == "k":
            pairs = ",".join(f"{name}={compact(value)}" for name, value in json.loads(rest).items())
            written += f"[{pairs}]"
        else:
            written += f"[={rest}]" if kind == "v" else f"[{rest}]"
    return written


def element_of(type_: Type, item: Any) -> str:
    """The path element of an item of a set or of a list by key."""
    if type_.list_type == "set":
        return f"v:{compact(item)}"
    keys = {name: _key(type_, item, name) for name in type_.keys}
    return f"k:{compact({name: value for name, value in keys.items() if value is not None})}"


def _key(type_: Type, item: Json, name: str) -> Any:
    found = item.get(name)
    if found is None and type_.element and name in type_.element.fields:
        default = type_.element.fields[name].default
        return default or None
    return found


def _leaf(type_: Type, value: Any) -> bool:
    """Whether a value counts as one: scalars and atomic structures."""
    if isinstance(value, dict):
        return type_.atomic
    if isinstance(value, list):
        return type_.shape != "list" or type_.list_type == "atomic"
    return value is not None


def members(type_: Type, value: Any) -> Iterator[tuple[str, Type, Any]]:
    """(path element, type, value) of what is inside of a structure that is not atomic."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield f"f:{name}", type_.child(name), one
    elif isinstance(value, list):
        for item in value:
            yield element_of(type_, item), type_.element or ANY, item


def of_object(type_: Type, value: Any) -> FieldSet:
    """What an applied configuration says: leaves, list items, and members of maps."""
    found = FieldSet()
    for element, inner, one in members(type_, value):
        if _leaf(inner, one):
            found.members.add(element)
        elif one:
            found.children[element] = of_object(inner, one)
        listed = not element.startswith("f:")
        named = type_.shape == "struct" and element[2:] in type_.fields
        if listed or not named or one is None or one == {}:
            found.members.add(element)
    return found


@dataclass(slots=True)
class Comparison:
    """What a change added, modified and removed."""

    added: FieldSet = field(default_factory=FieldSet)
    modified: FieldSet = field(default_factory=FieldSet)
    removed: FieldSet = field(default_factory=FieldSet)


ABSENT: Any = object()


def compare(type_: Type, old: Any, new: Any) -> Comparison:
    """How two objects differ, structures that are new or gone included."""
    found = Comparison()
    _compare_inside(type_, old, new, (found.added, found.modified, found.removed))
    return found


Trio = tuple[FieldSet, FieldSet, FieldSet]


def _compare_inside(type_: Type, old: Any, new: Any, into: Trio) -> None:
    before = {} if old is ABSENT else {one: (inner, value) for one, inner, value in members(type_, old)}
    after = {} if new is ABSENT else {one: (inner, value) for one, inner, value in members(type_, new)}
    for element in before.keys() | after.keys():
        inner, was = before.get(element, (ANY, ABSENT))
        inner, now = after.get(element, (inner, ABSENT))
        if was is not ABSENT and now is not ABSENT and was == now:
            continue
        _compare_member(inner, (element, was, now), into)


def _compare_member(type_: Type, member: tuple[str, Any, Any], into: Trio) -> None:
    element, old, new = member
    added, modified, removed = into
    both_empty = not _filled(old) and not _filled(new)
    if _is_leaf(type_, old) or _is_leaf(type_, new) or both_empty:
        (added if old is ABSENT else removed if new is ABSENT else modified).members.add(element)
        if not _same_shape(old, new):
            _descend(type_, member, into)
        return
    _descend(type_, member, into)
    if old is ABSENT:
        added.members.add(element)
    elif new is ABSENT:
        removed.members.add(element)


def _descend(type_: Type, member: tuple[str, Any, Any], into: Trio) -> None:
    element, old, new = member
    inner = FieldSet(), FieldSet(), FieldSet()
    _compare_inside(type_, _open(type_, old), _open(type_, new), inner)
    for whole, part in zip(into, inner, strict=True):
        if part:
            whole.children[element] = part


def _open(type_: Type, value: Any) -> Any:
    return value if isinstance(value, dict | list) and value and not _leaf(type_, value) else ABSENT


def _filled(value: Any) -> bool:
    return value is not ABSENT and value is not None and (bool(value) or not isinstance(value, dict | list))


def _is_leaf(type_: Type, value: Any) -> bool:
    return value is not ABSENT and _leaf(type_, value)


def _same_shape(old: Any, new: Any) -> bool:
    return old is ABSENT or new is ABSENT or type(old) is type(new)


def with_named(type_: Type, value: FieldSet) -> FieldSet:
    """The set in which each struct member that leads somewhere is a member itself (EnsureNamedFieldsAreMembers)."""
    found = FieldSet(set(value.members))
    for element, deeper in value.children.items():
        if element.startswith("f:"):
            if type_.shape == "struct" and element[2:] in type_.fields:
                found.members.add(element)
            inner = type_.child(element[2:])
        else:
            inner = type_.element or ANY
        found.children[element] = with_named(inner, deeper)
    return found


def remove(type_: Type, value: Any, paths: FieldSet) -> Any:
    """The value without some paths; a structure that loses its last member becomes None."""
    if not value or not isinstance(value, dict | list) or _leaf(type_, value):
        return value
    kept: list[tuple[str, Any]] = []
    for element, inner, one in members(type_, value):
        if element in paths.members:
            continue
        deeper = paths.children.get(element)
        kept.append((element, remove(inner, one, deeper) if deeper else one))
    if isinstance(value, dict):
        return {element[2:]: one for element, one in kept} or None
    return [one for _, one in kept] or None
