"""Examples of bodies, made from their schemas."""

from typing import Any

Schema = dict[str, Any]
# What says more than its type does, by the name of the key.
TOLD: dict[str, Any] = {
    "access": "read", "actor": "maria", "author": "maria", "cluster": "east", "code": "conflict", "days": 90,
    "gpus": 1, "group": "llm-team", "llm": "Qwen/Qwen3-8B", "name": "qwen3-8b", "namespace": "team-a",
    "node": "gpu-node-01", "port": 8000, "project": "team-a", "reason": "More visitors on Monday", "replicas": 3,
    "revision": 2, "role": "operator", "runtime": "vllm", "sentence": "3 of 3 replicas serve.", "target": "qwen3-8b",
    "user": "maria", "api_url": "https://10.0.0.1:6443", "kubernetes_version": "v1.36.2", "field": "replicas",
    "before": 1, "after": 3, "action": "scale", "kind": "deployment", "prefix": "llmd_k3vq8hTz2W",
    "token": "llmd_k3vq8hTz2W_…", "value": "hf_…", "message": "", "ready": 3, "wanted": 3, "applied": 2,
    "observed_revision": 2, "health": "serving", "problem": "", "url": "/deployments/…/", "where": "team-a",
}  # fmt: skip
SPEC = {"llm": "Qwen/Qwen3-8B", "gpus": 1, "replicas": 3}
FORMATS = {"uuid": "0d6f4a5e-3b1c-4c67-9a53-0f2f6c1f8a11", "date-time": "2026-11-26T09:30:00Z", "uri": "…?page=2"}
MARKS = {"string": "text", "integer": 1, "number": 1.0, "boolean": True}
TYPES: dict[type, str] = {str: "string", int: "integer"}


class Examples:
    """Makes examples with the components of a document at hand."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.schemas: dict[str, Schema] = document["components"]["schemas"]

    def resolve(self, schema: Schema) -> Schema:
        """The schema that a reference names."""
        return self.schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema

    def of(self, schema: Schema, name: str = "", *, brief: bool = False) -> Any:
        """A value; `brief` leaves out what may be left out."""
        if schema.get("$ref", "").endswith("/Spec"):
            return SPEC
        schema = self.resolve(schema)
        if "anyOf" in schema:
            return self.of(next(part for part in schema["anyOf"] if part.get("type") != "null"), name, brief=brief)
        if name in TOLD and TYPES.get(type(TOLD[name])) == schema.get("type", "string") and "enum" not in schema:
            return TOLD[name]
        return self.by_type(schema, name, brief=brief)

    def by_type(self, schema: Schema, name: str, *, brief: bool) -> Any:
        """A value that the type allows."""
        kinds = schema.get("type", "object")
        kind = kinds[0] if isinstance(kinds, list) else kinds
        if kind == "object":
            needed = schema.get("required", []) if brief else schema.get("properties", {})
            return {key: self.of(schema["properties"][key], key, brief=brief) for key in needed}
        if kind == "array":
            item = self.of(schema.get("items", {}), name, brief=brief)
            return [item] if item != {} else []
        if values := schema.get("enum"):
            return next(value for value in values if value)
        return FORMATS.get(schema.get("format", ""), MARKS[kind])
