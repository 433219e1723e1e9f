"""The shapes of objects from the recorded OpenAPI documents: what is a list by key, a set, or one atomic value.

Extensions: https://kubernetes.io/docs/reference/using-api/server-side-apply/#custom-resources-and-server-side-apply
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from llmdash.sandbox import recording

Json = dict[str, Any]
Shape = Literal["struct", "map", "list", "scalar", "any"]
PREFIX = "#/components/schemas/"


@dataclass(slots=True)
class Type:
    """One shape. `element` is that of a map's or list's values; `scalar` the JSON type, "" when several are taken.

    `keys` of a list by key are its identity for server-side apply; `defaults` are of those keys.
    """

    name: str = ""
    shape: Shape = "any"
    fields: dict[str, Field] = field(default_factory=dict)
    element: Type | None = None
    list_type: str = "atomic"
    keys: tuple[str, ...] = ()
    atomic: bool = False
    scalar: str = ""
    format: str = ""
    go: str = ""
    """Its name in the table of Go types, `core/v1.Container`."""
    open: bool = False
    """Takes members that it does not name."""

    def child(self, name: str) -> Type:
        """The type of a member."""
        if self.shape == "struct":
            found = self.fields.get(name)
            return found.type if found else ANY
        return self.element or ANY


@dataclass(slots=True)
class Field:
    """A member of a struct. `inline` ones are never absent: Go has them as plain structs, not as pointers."""

    type: Type
    inline: bool = False
    required: bool = False
    default: Any = None
    merge_key: str = ""
    strategies: frozenset[str] = frozenset()


ANY = Type()


class Types:
    """All named types; a type of one document stands for its namesakes in the others."""

    def __init__(self) -> None:
        self._named: dict[str, Type] = {}
        self._kinds: dict[tuple[str, str], Type] = {}
        self._loaded: set[str] = set()

    def of(self, group_version: str, kind: str, *, document: str = "") -> Type:
        """The type of a kind; ANY where the OpenAPI document was not recorded. A Scale is of another group than the
        `document` that it stands in."""
        self._load(document or group_version)
        return self._kinds.get((group_version, kind)) or self._metadata_only()

    def _metadata_only(self) -> Type:
        """For kinds whose document was not recorded: their metadata is known all the same."""
        if ("", "") not in self._kinds:
            text = Field(Type(shape="scalar", scalar="string"))
            metadata = self.of("v1", "ConfigMap").fields["metadata"]
            fields = {"apiVersion": text, "kind": text, "metadata": metadata}
            self._kinds["", ""] = Type(shape="struct", fields=fields, open=True)
        return self._kinds["", ""]

    def _load(self, group_version: str) -> None:
        if group_version in self._loaded:
            return
        self._loaded.add(group_version)
        root = "apis" if "/" in group_version else "api"
        name = f"openapi/{root}.{group_version.replace('/', '.')}"
        if not recording.exists(name):
            return
        schemas: Json = recording.load(name)["components"]["schemas"]
        for title, node in schemas.items():
            for one in node.get("x-kubernetes-group-version-kind", ()):
                version = f"{one['group']}/{one['version']}" if one["group"] else one["version"]
                if "metadata" in node.get("properties", {}):
                    self._kinds[version, one["kind"]] = self._resolve(title, schemas)

    def _resolve(self, title: str, schemas: Json) -> Type:
        if title not in self._named:
            package, _, name = title.rpartition(".")
            made = self._named[title] = Type(name=name, go="/".join(package.split(".")[-2:]) + f".{name}")
            self._fill(made, schemas[title], schemas)
        return self._named[title]

    def _build(self, node: Json, schemas: Json) -> Type:
        reference = node.get("$ref") or (node["allOf"][0].get("$ref") if "allOf" in node else None)
        if reference:
            return self._resolve(reference.removeprefix(PREFIX), schemas)
        made = Type()
        self._fill(made, node, schemas)
        return made

    def _fill(self, made: Type, node: Json, schemas: Json) -> None:
        made.atomic = node.get("x-kubernetes-map-type") == "atomic"
        made.format = node.get("format", "")
        kind = node.get("type")
        if kind == "array":
            made.shape, made.element = "list", self._build(node["items"], schemas)
            made.list_type = node.get("x-kubernetes-list-type", "atomic")
            made.keys = tuple(node.get("x-kubernetes-list-map-keys", ()))
        elif kind == "object" and "properties" in node:
            made.shape = "struct"
            needed = set(node.get("required", ()))
            for name, one in node["properties"].items():
                made.fields[name] = self._field(one, schemas, required=name in needed)
        elif kind == "object" and "additionalProperties" in node:
            made.shape, made.element = "map", self._build(node["additionalProperties"], schemas)
        elif kind in ("string", "integer", "boolean", "number"):
            made.shape, made.scalar = "scalar", kind
        elif "oneOf" in node:
            made.shape = "scalar"

    def _field(self, node: Json, schemas: Json, *, required: bool) -> Field:
        default = node.get("default")
        return Field(
            self._build(node, schemas),
            inline=default == {} and isinstance(default, dict),
            required=required,
            default=default,
            merge_key=node.get("x-kubernetes-patch-merge-key", ""),
            strategies=frozenset(filter(None, node.get("x-kubernetes-patch-strategy", "").split(","))),
        )


@cache
def types() -> Types:
    """The process's types; documents are read as their kinds are first asked for."""
    return Types()


def of(group_version: str, kind: str, *, document: str = "") -> Type:
    """The type of a kind."""
    return types().of(group_version, kind, document=document)


def zero(type_: Type) -> Json:
    """What Go's empty object of a type says in JSON: structs within structs stand there, pointers do not."""
    found: Json = {}
    for name, one in type_.fields.items():
        if one.inline:
            found[name] = zero(one.type)
        elif one.required:
            found[name] = _zero_scalar(one.type)
    return found


def _zero_scalar(type_: Type) -> Any:
    if type_.shape != "scalar":
        return None
    return {"string": "", "integer": 0, "boolean": False, "number": 0}.get(type_.scalar)
