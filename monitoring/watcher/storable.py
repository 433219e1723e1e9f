"""What a database takes of what others wrote."""

import re
from typing import Any

import msgspec

MAX_TEXT = 4000  # characters
MAX_WHOLE = 2**63 - 1
MAX_COUNT = 2**31 - 1
LONG_NUMBER = re.compile(rb"[0-9]{19}")
ENCODER = msgspec.json.Encoder()


def storable(value: Any) -> Any:
    """JSON values without NUL, which PostgreSQL refuses even inside JSON, and without text that has no end."""
    if isinstance(value, list):
        return [storable(entry) for entry in value]
    return value if is_plain(value) else cleaned(value)


def is_plain(value: Any) -> bool:
    """Whether nothing has to be done, told by the value's JSON in a fraction of the time of looking at each part."""
    try:
        text = ENCODER.encode(value)
    except (TypeError, ValueError):  # text that is no Unicode
        return False
    return len(text) <= MAX_TEXT and b"\\u0000" not in text and not LONG_NUMBER.search(text)


def cleaned(value: Any) -> Any:
    """The value, part by part."""
    if isinstance(value, str):
        text = value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}…"
        return text.replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [cleaned(entry) for entry in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(entry) for key, entry in value.items()}
    return min(value, MAX_WHOLE) if isinstance(value, int) else value
