"""The schemas of bodies: pydantic's models for what comes in, typed dicts for what goes out."""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from deployments.shapes import SPEC
from deployments.spec import Spec

REF = "#/components/schemas/{model}"
STAND_IN = "x-shape"


class Shapes:
    """Collects the shapes that operations name; at the end all their schemas are made together, so names agree."""

    def __init__(self) -> None:
        self.wanted: list[tuple[Any, JsonSchemaMode]] = []

    def name(self, shape: Any, mode: JsonSchemaMode) -> dict[str, Any]:
        """A stand-in for the schema, which `settle` puts in its place."""
        if (shape, mode) not in self.wanted:
            self.wanted.append((shape, mode))
        return {STAND_IN: self.wanted.index((shape, mode))}

    def settle(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the schemas in place."""
        adapters = [(place, mode, TypeAdapter(shape)) for place, (shape, mode) in enumerate(self.wanted)]
        made, found = TypeAdapter.json_schemas(adapters, ref_template=REF)
        settled: dict[str, Any] = placed(document, {place: schema for (place, _), schema in made.items()})
        settled["components"].setdefault("schemas", {}).update(placed(found.get("$defs", {}), {}))
        return settled


def placed(part: Any, made: dict[Any, Any]) -> Any:
    """A part of the document without stand-ins."""
    if isinstance(part, dict):
        if SPEC in part:
            return {"$ref": REF.format(model=Spec.__name__)}
        if STAND_IN in part:
            return made[part[STAND_IN]]
        return {key: placed(value, made) for key, value in part.items()}
    return [placed(value, made) for value in part] if isinstance(part, list) else part


def page_of(row: dict[str, Any], kind: str) -> dict[str, Any]:
    """A list with the addresses of its neighbours."""
    address = {"type": ["string", "null"], "format": "uri"}
    properties: dict[str, Any] = {"count": {"type": "integer", "minimum": 0}} if kind == "pages" else {}
    properties |= {"next": address, "previous": address, "results": {"type": "array", "items": row}}
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}
