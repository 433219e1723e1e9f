"""What the OpenAPI document says of an endpoint beyond its types: written at the handler, read by `llmdash.openapi`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """One method of an endpoint. `takes` and `returns` are shapes; a view may hold them in place of its handler."""

    summary: str
    takes: Any = None
    returns: Any = None
    status: int = 200
    listed: Literal["", "pages", "cursor"] = ""  # `returns` is then one of the rows
    tagged: bool = False  # answers with an ETag
    if_match: Literal["", "may", "must"] = ""
    idempotent: bool = False  # takes an Idempotency-Key
    refuses: tuple[int, ...] = ()  # beyond what every endpoint may answer
    dry_run: bool = False  # takes ?dry_run=true, which answers 200 with a `shapes.DryRun`
    by_session: bool = False


def operation(summary: str = "", **more: Any) -> Callable[[Handler], Handler]:
    """Describe a handler. Without a summary, the first sentence of the view's docstring is one."""

    def mark(handler: Handler) -> Handler:
        handler.operation = Operation(summary, **more)  # type: ignore[attr-defined]
        return handler

    return mark
