"""Tables, JSON and YAML on standard output; remarks on standard error."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import humanize

from deployments.difference import as_yaml

Row = dict[str, Any]
Column = tuple[str, Callable[[Row], Any]]
format_option = click.option(
    "-o", "--output", "shape", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True,
    help="How to print it.",
)  # fmt: skip


def show(rows: Sequence[Row], columns: Sequence[Column], shape: str, noun: str) -> None:
    """Rows as people or programs want them."""
    if shape != "table":
        document(list(rows), shape)
    elif rows:
        table([[text(read(row)) for _, read in columns] for row in rows], [title for title, _ in columns])
    else:
        click.echo(f"No {noun}.", err=True)


def document(value: Any, shape: str) -> None:
    """One value as JSON or YAML."""
    if shape == "json":
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        click.echo(as_yaml(value), nl=False)


def table(rows: Iterable[Sequence[str]], titles: Sequence[str]) -> None:
    """Columns that are as wide as their widest cell, two spaces apart."""
    lines = [list(titles), *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(titles))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def text(value: Any) -> str:
    """A cell; nothing is a dash."""
    said = "-" if value in (None, "") else str(value)
    return "".join(char if char.isprintable() else "?" for char in said)


def ago(moment: str | None) -> str:
    """How long ago, as kubectl writes it: 5 minutes is 5m."""
    if not moment:
        return "-"
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def size(number: float) -> str:
    """Bytes in words."""
    return humanize.naturalsize(number, binary=True)
