"""Lists: their pages and their query parameters."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_framework.exceptions import NotFound, ParseError
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request

from deployments.sorting import Rows, in_order

USUAL, MOST = 50, 1000
NUMBERS = ("limit", "page", "page_size")


def size_of(request: Request, name: str) -> int:
    """How many rows the caller wants. Raises ParseError for what is no size: who asks for more than MOST and got fewer
    might take them for all."""
    text = request.query_params.get(name, str(USUAL))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MOST):
        raise ParseError(f"The query parameter {name!r} must be a whole number from 1 to {MOST}.")
    return int(text)


class Pages(PageNumberPagination):
    """`?page=2&page_size=50`: the rows with their number and the addresses of the neighbours."""

    page_size = USUAL

    def get_page_size(self, request: Request) -> int:
        return size_of(request, "page_size")

    def get_page_number(self, request: Request, paginator: Any) -> int:
        """Raises ParseError for what is no number; a page that there is not is not found."""
        text = request.query_params.get("page", "1")
        if not (text.isascii() and text.isdecimal() and text.strip("0")):
            raise ParseError("The query parameter 'page' must be a whole number from 1 on.")
        return int(text[:18])  # no list has so many


class Newest(CursorPagination):
    """`?limit=50&cursor=…`: newest first, for what only grows."""

    page_size = USUAL
    ordering = "-id"

    def get_page_size(self, request: Request) -> int:
        return size_of(request, "limit")

    def decode_cursor(self, request: Request) -> Any:
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise ParseError("The cursor is not one of ours.") from error


def ordered(rows: Rows, request: Request, known: Mapping[str, Sequence[Any]]) -> Rows:
    """`?ordering=-name`, by the columns of one of `known`, the first where none is named. Raises ParseError."""
    given = request.query_params.get("ordering", next(iter(known)))
    if given.removeprefix("-") not in known:
        raise ParseError(f"There is no ordering {given[:40]!r}; there are {', '.join(known)}, each also with -.")
    return in_order(rows, given, known)


def refuse_parameters(request: Request, known: Iterable[str]) -> None:
    """Name the query parameters that are not known: a filter that was mistyped must not list everything."""
    names = sorted(known)
    for name, values in request.query_params.lists():
        if name not in names:
            there = f"there are {', '.join(names)}" if names else "there are none"
            raise ParseError(f"The query parameter {name[:100]!r} is not known here; {there}.")
        if name in NUMBERS and not all(values):
            raise ParseError(f"The query parameter {name!r} is empty; it is a number.")
        if any("\0" in value for value in values):
            raise ParseError(f"The query parameter {name!r} holds a NUL.")
