"""Objects as the API server shows them to kubectl: tables by recorded columns, and metadata alone."""

from __future__ import annotations

from typing import Any

from llmdash.sandbox import printers, recording
from llmdash.sandbox.paths import Resource

Json = dict[str, Any]
META = "meta.k8s.io/v1"


def columns(resource: Resource) -> list[Json]:
    """The recorded columns; those of resources without any are name and creation."""
    found = recording.tables().get(f"{resource.group_version}/{resource.plural}")
    return list(found["columns"]) if found else [
        {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
        {"name": "Created At", "type": "date", "format": "", "description": "", "priority": 0},
    ]  # fmt: skip


def table(
    resource: Resource, items: list[Json], metadata: Json, now: float, *, include: str, header: bool = True
) -> Json:
    """A Table of some objects; `include` says what stands in each row beside its cells."""
    shown: Json = {"kind": "Table", "apiVersion": META, "metadata": metadata}
    heads = columns(resource)
    shown["columnDefinitions"] = heads if header else []
    shown["rows"] = [_row(resource, one, heads, now, include=include) for one in items]
    return shown


def _row(resource: Resource, found: Json, heads: list[Json], now: float, *, include: str) -> Json:
    row: Json = {"cells": _cells(resource, found, heads, now)}
    if resource.kind == "Pod" and (condition := _completed(found)):
        row["conditions"] = [condition]
    if include == "Object":
        row["object"] = found
    elif include != "None":
        row["object"] = partial(found)
    return row


def _cells(resource: Resource, found: Json, heads: list[Json], now: float) -> list[Any]:
    printer = printers.PRINTERS.get(resource.kind)
    if printer:
        return printer(found, now)
    plain = {
        "Name": found["metadata"]["name"],
        "Age": printers.age(found, now),
        "Created At": found["metadata"].get("creationTimestamp"),
    }
    return [plain.get(head["name"], printers.NONE) for head in heads]


def _completed(found: Json) -> Json | None:
    words = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}
    phase = (found.get("status") or {}).get("phase", "")
    if phase not in words:
        return None
    return {"type": "Completed", "status": "True", "reason": phase, "message": words[phase]}


def partial(found: Json) -> Json:
    """An object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": found["metadata"]}


def partial_list(items: list[Json], metadata: Json) -> Json:
    listed = [partial(one) for one in items]
    return {"kind": "PartialObjectMetadataList", "apiVersion": META, "metadata": metadata, "items": listed}


def plain_list(resource: Resource, items: list[Json], metadata: Json) -> Json:
    """A List; its items do not repeat their kind."""
    bare = [{key: value for key, value in one.items() if key not in ("kind", "apiVersion")} for one in items]
    return {"kind": f"{resource.kind}List", "apiVersion": resource.group_version, "metadata": metadata, "items": bare}
