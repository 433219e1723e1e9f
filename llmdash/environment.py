"""Strict readers of environment variables: a value that cannot be understood stops the start and names its variable."""

import os
import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
PERIODS = {"s": 1, "min": 60, "h": 3600}
RATE = re.compile(r"([1-9][0-9]{0,8})/(s|min|h)")


def text(name: str, default: str = "") -> str:
    """The variable's value without surrounding white space."""
    return os.environ.get(name, default).strip()


def secret(name: str, default: str = "") -> str:
    """The value of `name`, or the contents of the file that `name`_FILE points to."""
    file = text(f"{name}_FILE")
    if not file:
        return text(name) or default
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {file}: {error.strerror}") from error


def flag(name: str, *, default: bool = False) -> bool:
    """A yes or no; anything else is refused."""
    value = text(name, "1" if default else "0").lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}: {value!r} is neither yes nor no")


def number(name: str, default: float, *, low: float, high: float) -> float:
    """A number between `low` and `high`, both allowed."""
    value = text(name)
    try:
        parsed = float(value) if value else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {value!r} is not a number") from error
    if not low <= parsed <= high:
        raise ImproperlyConfigured(f"{name}: {parsed:g} is not between {low:g} and {high:g}")
    return parsed


def whole(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number between `low` and `high`, both allowed."""
    value = number(name, default, low=low, high=high)
    if value != int(value):
        raise ImproperlyConfigured(f"{name}: {value:g} is not a whole number")
    return int(value)


def rate(name: str, default: str) -> tuple[int, int] | None:
    """So many in so many seconds, written "600/min"; None for "off"."""
    value = text(name, default)
    if value.lower() == "off":
        return None
    found = RATE.fullmatch(value)
    if not found:
        raise ImproperlyConfigured(f"{name}: {value!r} is neither off nor a rate such as 600/min (or /s, /h)")
    return int(found[1]), PERIODS[found[2]]


def path(name: str) -> str:
    """An address's path without the last slash, "" for the root."""
    value = text(name).rstrip("/")
    if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
        raise ImproperlyConfigured(f"{name}: {value!r} is not a path such as /llmdash")
    return value


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]
