"""Values that many objects of a cluster share, held once: a watcher keeps tens of thousands of objects. Pure."""

from functools import lru_cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
KEPT = 50_000  # values, such as a namespace, a reason, a time; those asked for longest ago are forgotten
ENCODER = msgspec.json.Encoder()


@lru_cache(KEPT, typed=True)
def interned(value: T) -> T:
    """A value that equals this one, the same for all who ask."""
    return value


@lru_cache(16)
def parsed(text: bytes) -> dict[str, Any]:
    """A part of an object, {} for none and for what is no object. Not to be changed. Raises DecodeError, and
    UnicodeDecodeError for text that is no UTF-8."""
    found = msgspec.json.decode(text) if text else {}
    return found if isinstance(found, dict) else {}
