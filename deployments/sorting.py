"""Lists in the order that somebody asked for."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import QuerySet

Rows = TypeVar("Rows", bound=QuerySet[Any])


def in_order(rows: Rows, sort: str, sorts: Mapping[str, Sequence[Any]]) -> Rows:
    """By the columns of one of `sorts`, backwards where a dash stands before its name; the id decides between equals,
    so that no row stands on two pages. Raises KeyError."""
    first, *rest = sorts[sort.removeprefix("-")]
    return rows.order_by(f"-{first}" if sort.startswith("-") else first, *rest, "pk")
