"""The query parameters of the API, as the OpenAPI document tells them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from deployments.choices import Action, Health
from deployments.http.lists import MOST

Schema = dict[str, Any]
BILLION = 999_999_999  # no number of a query has more than nine digits
NO_NUL = r"^[^\x00]*$"


def text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description} | (more or {"pattern": NO_NUL})


def several(description: str, **more: Any) -> Schema:
    """May stand several times; one of them has to hold."""
    item = {"type": "string"} | (more or {"minLength": 1, "pattern": NO_NUL})
    return {"type": "array", "items": item, "description": description}


def whole(description: str, **bounds: int) -> Schema:
    return {"type": "integer", "description": description} | bounds


def orderings(known: Iterable[str]) -> Schema:
    """What `?ordering` may be; beside what PARAMETERS says of it."""
    return {"enum": [sign + name for name in known for sign in ("", "-")]}


def values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


PARAMETERS: dict[str, Schema] = {
    "page": whole("Which page, from 1 on.", minimum=1),
    "page_size": whole("Rows of a page; 50 unless it is given, 1,000 at most.", minimum=1, maximum=MOST),
    "limit": whole("How many rows; 50 unless it is given, 1,000 at most.", minimum=1, maximum=MOST),
    "cursor": text("Where to go on: as `next` of the answer before has it."),
    "search": text("Rows whose name holds this."),
    "project": several("Only of this project, by name or id."),
    "cluster": several("Only on this cluster, by name or id."),
    "health": several("Only what is so.", enum=values(Health)),
    "name": text("Only of this name."),
    "ordering": text("The column to sort by, with - in front from the end."),
    "dry_run": text("true to be told what would change, and have nothing done.", enum=["true", "false"]),
    "action": text("Only this act.", enum=values(Action)),
}
