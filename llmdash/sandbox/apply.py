"""Server-side apply: who owns which fields, and what happens to them when somebody writes.

After sigs.k8s.io/structured-merge-diff/v6/merge/update.go and k8s.io/apimachinery/pkg/util/managedfields.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from llmdash.sandbox import errors
from llmdash.sandbox.fieldsets import FieldSet, compare, from_json, of_object, remove, shown, with_named
from llmdash.sandbox.merging import merge
from llmdash.sandbox.schema import Type

Json = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
STRIPPED = [("f:apiVersion",), ("f:kind",)] + [
    ("f:metadata", f"f:{name}")
    for name in (
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
        "resourceVersion",
    )
]  # fmt: skip


@dataclass(frozen=True)
class Manager:
    """Who writes, how and through what. Appliers are the same in every version."""

    name: str
    operation: str = "Update"
    version: str = ""
    subresource: str = ""

    @property
    def shown(self) -> str:
        """As conflicts name it."""
        written = f'"{self.name}"'
        if self.subresource:
            written += f' with subresource "{self.subresource}"'
        return f"{written} using {self.version}" if self.operation == "Update" else written


@dataclass
class Entry:
    """What a manager owns. `version` is the API version in which appliers last wrote."""

    owned: FieldSet
    version: str
    time: str = ""


@dataclass
class Owners:
    """All entries of one object."""

    entries: dict[Manager, Entry] = field(default_factory=dict)

    def as_json(self) -> list[Json]:
        """managedFields in the real one's order: appliers first, then by time and name."""

        def order(item: tuple[Manager, Entry]) -> tuple[str, ...]:
            manager, entry = item
            return manager.operation, entry.time, manager.name, entry.version, manager.subresource

        return [_entry_json(manager, entry) for manager, entry in sorted(self.entries.items(), key=order)]


def _entry_json(manager: Manager, entry: Entry) -> Json:
    written = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": entry.version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.owned.as_json(),
    }
    if manager.subresource:
        written["subresource"] = manager.subresource
    return {key: value for key, value in written.items() if value}


def read(written: list[Json] | None) -> Owners:
    """Owners of managedFields; unreadable entries are left out."""
    owners = Owners()
    for one in written or []:
        if not one.get("operation"):
            continue
        version = one.get("apiVersion", "")
        operation = one["operation"]
        manager = Manager(
            one.get("manager", ""), operation, version if operation == "Update" else "", one.get("subresource", "")
        )
        owners.entries[manager] = Entry(from_json(one.get("fieldsV1") or {}), version, one.get("time", ""))
    return owners


def owners_of(live: Json, new: Json, *, subresource: str) -> Owners:
    """A write may set managedFields itself, `[{}]` to clear them; through a subresource it may not."""
    written = (new.get("metadata") or {}).get("managedFields")
    if subresource or not written:
        return read((live.get("metadata") or {}).get("managedFields"))
    if written == [{}]:
        return Owners()
    found = read(written)
    return found if found.entries else read((live.get("metadata") or {}).get("managedFields"))


def plain(found: Json) -> Json:
    """An object without its managedFields."""
    if "managedFields" not in (found.get("metadata") or {}):
        return found
    return found | {"metadata": {key: value for key, value in found["metadata"].items() if key != "managedFields"}}


def strip(owned: FieldSet) -> FieldSet:
    """Without what nobody can own."""
    for path in STRIPPED:
        owned = owned.without(path)
    return owned


def _take(owners: Owners, writer: Manager | None, type_: Type, *, change: tuple[Json, Json], force: bool) -> FieldSet:
    """Take changed fields from all other managers; returns what was added or modified. Raises a 409."""
    difference = compare(type_, *change)
    touched = difference.added | difference.modified
    conflicts = {}
    for manager, entry in owners.entries.items():
        if manager != writer and (lost := entry.owned & touched):
            conflicts[manager] = lost
    if conflicts and not force:
        raise _conflict(conflicts)
    for manager, entry in list(owners.entries.items()):
        if manager == writer:
            continue
        left = entry.owned - difference.removed
        if manager in conflicts:
            left = left - conflicts[manager]
        _keep(owners, manager, replace(entry, owned=left))
    return touched


def _keep(owners: Owners, manager: Manager, entry: Entry) -> None:
    if entry.owned:
        owners.entries[manager] = entry
    else:
        owners.entries.pop(manager, None)


def update(type_: Type, owners: Owners, manager: Manager, *, live: Json, new: Json, now: str) -> Owners:
    """Ownership after a plain write: the writer owns what it changed, others lose it."""
    found = Owners(dict(owners.entries))
    touched = strip(_take(found, None, type_, change=(plain(live), plain(new)), force=True))
    if touched:
        before = found.entries.get(manager)
        owned = touched | before.owned if before else touched
        found.entries[manager] = Entry(owned, manager.version, now)
    found.entries = {one: replace(entry, owned=strip(entry.owned)) for one, entry in found.entries.items()}
    return found


def apply(
    type_: Type, owners: Owners, manager: Manager, *, live: Json, config: Json, version: str, now: str, force: bool
) -> tuple[Json, Owners]:
    """The object and its ownership after a configuration was applied. Raises a 409 with a cause for each conflict."""
    bare, wanted = plain(live), plain(config)
    last = owners.entries.get(manager)
    merged: Json = merge(type_, bare, wanted)
    owned = of_object(type_, wanted)
    found = Owners(dict(owners.entries))
    found.entries[manager] = Entry(owned, version)
    if last:
        merged = _prune(type_, merged, found, last.owned)
    # One who only joins in gets no time: nothing of the object changed.
    found.entries[manager].time = now if merged != bare else last.time if last else ""
    _take(found, manager, type_, change=(bare, merged), force=force)
    entries = {one: replace(entry, owned=strip(entry.owned)) for one, entry in found.entries.items()}
    return merged, Owners({one: entry for one, entry in entries.items() if entry.owned})


def _prune(type_: Type, merged: Json, owners: Owners, last: FieldSet) -> Json:
    """Remove what the applier owned, unless it or somebody else owns it now."""
    pruned = remove(type_, merged, with_named(type_, last)) or {}
    managed = FieldSet()
    for entry in owners.entries.values():
        managed = managed | entry.owned
    whole = with_named(type_, of_object(type_, merged))
    left = with_named(type_, of_object(type_, pruned))
    pruned = remove(type_, merged, whole - (left | with_named(type_, managed))) or {}
    left = with_named(type_, of_object(type_, pruned))
    dangling = (whole - left) & with_named(type_, last)
    found: Json = remove(type_, merged, dangling) or {}
    return found


def was_applied_by_client(type_: Type, live: Json, refusal: errors.ApplyConflict) -> bool:
    """Whether all that is in conflict is what `kubectl apply` wrote itself before it applied by the server.

    After k8s.io/apimachinery/pkg/util/managedfields/internal/lastappliedmanager.go.
    """
    written = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if not written:
        return False
    try:
        before: Json = json.loads(written)
    except ValueError:
        return False
    difference = compare(type_, plain(live), before)
    own = of_object(type_, before) - difference.modified - difference.added - difference.removed
    mine = {shown(path) for path in own.paths()}
    causes: list[Json] = (refusal.details or {})["causes"]
    return all(one["field"] in mine for one in causes)


def _conflict(conflicts: dict[Manager, FieldSet]) -> errors.Refusal:
    causes, lines, count = [], [], 0
    for manager in sorted(conflicts, key=lambda one: one.shown):
        paths = [shown(path) for path in conflicts[manager].paths()]
        count += len(paths)
        lines += [f"conflicts with {manager.shown}:", *(f"- {path}" for path in paths)]
        message = f"conflict with {manager.shown}"
        causes += [{"reason": "FieldManagerConflict", "message": message, "field": path} for path in paths]
    if count == 1:
        return errors.ApplyConflict(
            f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}", causes
        )
    return errors.ApplyConflict(f"Apply failed with {count} conflicts: " + "\n".join(lines), causes)
