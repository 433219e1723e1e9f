"""How single values are written that people give: what is refused, and the sentence that says so. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic_core import core_schema

from deployments import quantity

KEPT_AS = r"^[A-Za-z0-9_]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9_])?$"  # a secret
KEPT_AS_RULE = (
    "must have letters, digits, dashes, dots and underscores, the first and last none of dash and dot, such as hf_token"
)
# Control characters, which no shell, log or form shows (tab and line feed may stand), and those that turn the direction
# of what follows, so that a line reads otherwise than it acts: https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
HIDDEN = "\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069"


def printable(text: str) -> str:
    """Refuse what a reader would not see."""
    if bad := re.search(f"[{HIDDEN}]", text):
        raise ValueError(f"contains the control character U+{ord(bad[0]):04X}")
    if re.search("[\ud800-\udfff]", text):
        raise ValueError("contains half of a surrogate pair")
    return text


def readable(text: str) -> str:
    """The same outside of a spec, with a whole sentence."""
    try:
        return printable(text)
    except ValueError as error:
        raise ValueError(sentence("", str(error))) from error


def sentence(kind: str, message: str) -> str:
    """pydantic's message in the words of the form."""
    words = {
        "extra_forbidden": "is not a known parameter",
        "missing": "is missing",
    }
    text = words.get(kind, message.removeprefix("Value error, ").replace("Input should be", "must be"))
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def a_quantity(text: str) -> str:
    """Accept a positive Kubernetes quantity, or nothing."""
    if text and (text.startswith("-") or quantity.parse(text) <= 0):
        raise ValueError("must be more than zero")
    return text


def a_time(value: Any) -> Any:
    """Refuse what JSON has no times for: a number would count as seconds."""
    if isinstance(value, str | datetime):
        return value
    raise ValueError("must be a time such as 2026-07-01T10:00:00Z")


def with_a_zone(at: datetime) -> datetime:
    """Refuse a time of which nobody knows when it is."""
    if at.tzinfo is None:
        raise ValueError("must be a time with its zone, such as 2026-07-01T10:00:00Z")
    return at


@dataclass(frozen=True)
class Written:
    """How a text is written: a pattern, and the sentence with an example that people read who wrote it otherwise."""

    pattern: str
    rule: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"pattern": self.pattern}

    def check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(self.rule)
        return text


class Printable:
    """Refuses what `printable` does, and says so in the JSON Schema, unless a pattern tells more there."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(printable, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"pattern": f"^[^{HIDDEN}]*$"} | handler(schema)


Text = Annotated[str, Printable()]
Quantity = Annotated[str, StringConstraints(max_length=30, strip_whitespace=True), AfterValidator(a_quantity)]
Moment = Annotated[datetime, BeforeValidator(a_time), Field(strict=False), AfterValidator(with_a_zone)]
