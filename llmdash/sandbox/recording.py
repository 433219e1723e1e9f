"""The recorded answers of a real API server, by file; see recorded/README.md."""

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]
FOLDER = Path(__file__).parent / "recorded"


def load(name: str) -> Json:
    """One recorded document, `discovery` or `openapi/apis.apps.v1`."""
    return msgspec.json.decode(raw(name), type=dict[str, Any])


def raw(name: str) -> bytes:
    """The same as it was recorded, in bytes."""
    return gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes())


def exists(name: str) -> bool:
    """Not every group's OpenAPI document was recorded."""
    return (FOLDER / f"{name}.json.gz").is_file()


@cache
def discovery() -> Json:
    """Discovery documents by path, and the aggregated ones."""
    return load("discovery")


@cache
def tables() -> Json:
    """Printer columns by `group/version/plural`."""
    return load("tables")


def copy(value: Any) -> Any:
    """A deep copy of plain JSON; ten times as fast as the copy module."""
    return msgspec.json.decode(msgspec.json.encode(value))
