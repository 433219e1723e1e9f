"""JSON (RFC 8259) in, read as everybody reads it."""

import json
import re
from collections.abc import Iterable
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 32
SURROGATE = re.compile(r"[\ud800-\udfff]")
Path = tuple[str | int, ...]


class TooLarge(APIException):
    """The body is over settings.DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = 413
    default_code = "too-large"

    def __init__(self) -> None:
        super().__init__(f"A request has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KiB.")


class Invalid(APIException):
    """The body breaks rules; `problems` has the shape of `spec.problems`, with paths from the top of the body."""

    status_code = 400

    def __init__(self, problems: list[tuple[Path, str]]) -> None:
        super().__init__("The request holds values that are not taken.")
        self.problems = problems


class StrictJSONParser(BaseParser):
    """JSON (RFC 8259) as everybody reads it: UTF-8, no key twice, no NaN, bounded in size and depth."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        text = decoded(read_bounded(stream, settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
        try:
            document = json.loads(
                text, object_pairs_hook=without_doubles, parse_constant=refuse_constant, parse_float=finite
            )
        except json.JSONDecodeError as error:
            raise ParseError(f"This is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from error
        except RecursionError as error:
            raise too_deep() from error
        except ValueError as error:  # whole numbers of more than 4300 digits
            raise ParseError("This holds a number that is too long.") from error
        if not isinstance(document, dict):
            raise Invalid([((), "Must be an object.")])
        refuse_depth_and_surrogates(document)
        return document


def read_bounded(stream: IO[bytes], limit: int) -> bytes:
    """The whole body. Raises TooLarge, after reading some more: a client that still sends hears no answer."""
    body = stream.read(limit + 1)
    if len(body) <= limit:
        return body
    for _ in range(16):
        if not stream.read(limit):
            break
    raise TooLarge


def decoded(body: bytes) -> str:
    """The text of a body."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError(f"This is not UTF-8: byte {error.start} cannot be read.") from error


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a key stands twice: readers disagree about which one counts."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ParseError(f"The key {twice[:100]!r} stands twice in one object.")
    return made


def refuse_constant(name: str) -> Any:
    raise ParseError(f"{name} is not JSON.")


def finite(text: str) -> float:
    """A number that a float can hold."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ParseError(f"The number {text[:40]} is too large.")
    return value


def too_deep() -> ParseError:
    return ParseError(f"This is nested more than {MAX_DEPTH} deep.")


def refuse_depth_and_surrogates(document: Any) -> None:
    """Walk the document without recursion."""
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str) and SURROGATE.search(value):
            raise ParseError("This holds half of a surrogate pair, which is no character.")
        if isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise too_deep()
            parts: Iterable[Any] = [*value.keys(), *value.values()] if isinstance(value, dict) else value
            waiting += [(part, depth + 1) for part in parts]
