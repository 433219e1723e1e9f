"""The document for readers: groups of operations, each with what the page shows of it."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from llmdash.openapi import document, problems
from llmdash.openapi.examples import Examples, Schema


@dataclass(frozen=True)
class Field:
    """A parameter, or a key of a body."""

    name: str
    place: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True)
class Shown:
    """One operation. `answers` is (status, what it means); examples are texts, empty where there is no body."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    fields: list[Field]
    answers: list[tuple[str, str]]
    request: str
    answer: str
    curl: str

    def holds(self, words: list[str]) -> bool:
        """Whether each of the words stands somewhere in it."""
        all_of_it = f"{self.method} {self.path} {self.summary} {self.text} {[f.name for f in self.fields]}".lower()
        return all(word in all_of_it for word in words)


@cache
def operations() -> dict[str, list[Shown]]:
    """All operations by group."""
    made = document.make()
    reader = Reader(made)
    groups: dict[str, list[Shown]] = {}
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(reader.read(path, method.upper(), operation))
    return groups


@cache
def spec() -> list[Field]:
    """The parameters of a deployment."""
    return list(Reader(document.make()).keys({"$ref": "#/components/schemas/Spec"}))


def found(text: str) -> dict[str, list[Shown]]:
    """Those that hold every word of the text."""
    words = text.lower().split()
    groups = {name: [one for one in shown if one.holds(words)] for name, shown in operations().items()}
    return {name: shown for name, shown in groups.items() if shown}


class Reader:
    """Turns operations into what is shown."""

    def __init__(self, made: dict[str, Any]) -> None:
        self.examples = Examples(made)

    def read(self, path: str, method: str, operation: dict[str, Any]) -> Shown:
        body = schema_of(operation.get("requestBody", {}))
        good = min(operation["responses"])
        request = self.as_text(body, brief=True)
        return Shown(
            id=operation["operationId"],
            method=method,
            path=path,
            summary=operation["summary"],
            text=operation.get("description", ""),
            fields=[*self.parameters(operation), *self.keys(body)],
            answers=list(self.answers(operation)),
            request=request,
            answer=self.as_text(schema_of(operation["responses"][good])),
            curl=curl(path, method, operation, request),
        )

    def parameters(self, operation: dict[str, Any]) -> Iterator[Field]:
        for one in operation.get("parameters", []):
            kind = self.kind(one["schema"])
            yield Field(one["name"], one["in"], kind, one.get("required", False), one.get("description", ""))

    def keys(self, body: Schema | None) -> Iterator[Field]:
        """The keys of a body."""
        schema = self.examples.resolve(body or {})
        for name, part in schema.get("properties", {}).items():
            text = part.get("description", "") or self.examples.resolve(part).get("description", "")
            yield Field(name, "body", self.kind(part), name in schema.get("required", []), text)

    def kind(self, schema: Schema) -> str:
        """A type in words."""
        if "$ref" in schema:
            name: str = schema["$ref"].rsplit("/", 1)[1]
            return name if "enum" not in self.examples.resolve(schema) else self.kind(self.examples.resolve(schema))
        if values := schema.get("enum"):
            return " | ".join(json.dumps(value) for value in values)
        if "anyOf" in schema:
            return " or ".join(self.kind(part) for part in schema["anyOf"])
        if schema.get("type") == "array":
            return f"several: {self.kind(schema['items'])}" if "items" in schema else "array"
        word = str(schema.get("format") or schema.get("type", "any"))
        bounds = [str(schema.get(name, "")) for name in ("minimum", "maximum")]
        return f"{word} {bounds[0]}…{bounds[1]}" if any(bounds) else word

    def answers(self, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for status, said in sorted(operation["responses"].items()):
            yield status, said["description"] if "description" in said else problems.REFUSALS[int(status)][1]

    def as_text(self, schema: Schema | None, *, brief: bool = False) -> str:
        """An example as JSON text, "" for no body."""
        if schema is None:
            return ""
        return json.dumps(self.examples.of(schema, brief=brief), indent=2, ensure_ascii=False)


def schema_of(holder: dict[str, Any]) -> Schema | None:
    """The schema of a JSON body, None without one."""
    content = holder.get("content", {}).get("application/json")
    return content["schema"] if content else None


def curl(path: str, method: str, operation: dict[str, Any], request: str) -> str:
    """A command to copy, "" where a token will not do. Ids are variables of the shell."""
    if not any("token" in one for one in operation["security"]):
        return ""
    address = path.replace("{id}", "$ID").replace("{member}", "$MEMBER").replace("{number}", "$NUMBER")
    lines = [f'curl "$LLMDASH_SERVER{address}"' if method == "GET" else f'curl -X {method} "$LLMDASH_SERVER{address}"']
    lines.append('-H "Authorization: Bearer $LLMDASH_TOKEN"')
    if any(one["name"] == "If-Match" and one.get("required") for one in operation.get("parameters", [])):
        lines.append("-H 'If-Match: \"2\"'")
    if request and request != "{}":
        brief = json.dumps(json.loads(request), ensure_ascii=False)
        lines += ['-H "Content-Type: application/json"', f"-d {shlex.quote(brief)}"]
    return " \\\n  ".join(lines)
