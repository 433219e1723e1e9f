"""Lists: their pages and their query parameters."""

from collections.abc import Iterable

from rest_framework.exceptions import ParseError
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request


class Pages(PageNumberPagination):
    """`?page=2&page_size=50`: the rows with their number and the addresses of the neighbours."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class Newest(CursorPagination):
    """`?limit=50&cursor=…`: newest first, for what only grows."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = "-id"


def refuse_parameters(request: Request, known: Iterable[str]) -> None:
    """Name the query parameters that are not known: a filter that was mistyped must not list everything."""
    names = sorted(known)
    for name, values in request.query_params.lists():
        if name not in names:
            there = f"there are {', '.join(names)}" if names else "there are none"
            raise ParseError(f"The query parameter {name[:100]!r} is not known here; {there}.")
        if any("\0" in value for value in values):
            raise ParseError(f"The query parameter {name!r} holds a NUL.")
