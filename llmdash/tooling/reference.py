"""The reference pages, made from the code: `python -m llmdash.tooling.reference FOLDER` writes them as Markdown."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmdash.settings")
django.setup()

from deployments.spec import Spec  # noqa: E402  (after Django is set up)
from llmdash.cli import cli  # noqa: E402
from llmdash.openapi.document import make  # noqa: E402

Page = Iterator[str]


def write(folder: Path) -> None:
    """Write every page into the folder."""
    for name, page in (("rest", rest), ("cli", commands), ("spec", spec)):
        (folder / f"{name}.md").write_text("\n".join(page()) + "\n", encoding="utf-8")


def commands() -> Page:
    """Every command with its help, as click prints it."""
    yield "# Commands\n\nAs `llmdash COMMAND --help` prints them. [Command line](../cli.md) tells how they are used.\n"
    for heading, names in cli.headings.items():
        yield f"## {heading}\n"
        for name in names:
            command = cli.commands[name]
            context = click.Context(command, info_name=f"llmdash {name}", max_content_width=100, terminal_width=100)
            yield f"### {name}\n\n```text\n{command.get_help(context)}\n```\n"


def rest() -> Page:
    """Every endpoint of the OpenAPI document."""
    document = make()
    yield "# REST endpoints\n\nMade from the OpenAPI document, which a running llmdash serves at `/api/schema/`;"
    yield "`/api/docs/` shows it with every body and answer. [REST](../rest.md) tells the conventions.\n"
    by_tag: dict[str, list[tuple[str, str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    for tag, found in sorted(by_tag.items()):
        yield f"## {tag}\n\n| | | Takes | Answers |\n|---|---|---|---|"
        for method, path, operation in found:
            yield f"| {operation['summary']} | `{method} {path}` | {takes(operation)} | {answers(operation)} |"
        yield ""


def takes(operation: Any) -> str:
    """Query parameters, headers and the body's shape."""
    named = [f"`{one['name']}`" for one in operation.get("parameters", []) if one["in"] in ("query", "header")]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return ", ".join([*named, *([body["$ref"].rsplit("/", 1)[1]] if "$ref" in body else [])])


def answers(operation: Any) -> str:
    """The statuses."""
    return " ".join(sorted(operation["responses"]))


def spec() -> Page:
    """Every parameter of a deployment."""
    yield "# Parameters of a deployment\n\nThe keys of `spec` by REST and in documents, and the fields of the form.\n"
    yield "| Parameter | Default | Bounds | Meaning |\n|---|---|---|---|"
    schema = Spec.model_json_schema()
    for name, field in Spec.model_fields.items():
        told = schema["properties"][name]
        default = "" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
        yield f"| `{name}` | {default} | {bounds(told)} | {field.description or told.get('description', '')} |"


def bounds(told: Any) -> str:
    """What a schema says of a value's range."""
    parts = [told, *told.get("anyOf", [])]
    words = {"minimum": "from {}", "maximum": "to {}", "maxLength": "{} characters at most", "maxItems": "{} at most"}
    found = [text.format(part[key]) for part in parts for key, text in words.items() if key in part]
    found += [" or ".join(f"`{value}`" for value in part["enum"]) for part in parts if "enum" in part]
    return ", ".join(found)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
