"""Requests and answers between the ASGI server and the API: bodies, queries, and which form an answer takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import yaml

from llmdash.sandbox import errors

Json = dict[str, Any]
JSON, YAML = "application/json", "application/yaml"


@dataclass(frozen=True)
class HttpRequest:
    """One request, its body read. Header names are lower case; of a repeated query parameter the last one counts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    many: Mapping[str, list[str]] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """Go's idea of a true parameter: there, and neither `0` nor `false`."""
        return name in self.query and self.query[name] not in ("0", "false")

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", JSON).partition(";")[0].strip().lower()

    @property
    def manager(self) -> str:
        """The field manager: asked for, or the beginning of the User-Agent."""
        return self.query.get("fieldManager") or self.headers.get("user-agent", "unknown").partition("/")[0][:128]


@dataclass
class HttpResponse:
    """One answer: a body, or a stream of parts."""

    code: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None


@dataclass(frozen=True)
class Form:
    """What the client takes: JSON or YAML, as it is or `shown` as another kind."""

    media: str = JSON
    shown: str = ""


def form(accept: str, *, may: tuple[str, ...] = ()) -> Form:
    """The first range of an Accept header that can be served; `may` are the kinds to show things as. Raises a 406."""
    for one in (accept or JSON).split(","):
        media, *rest = [part.strip() for part in one.split(";")]
        given = dict(part.split("=", 1) for part in rest if "=" in part)
        if media in ("*/*", "application/*"):
            media = JSON
        if media not in (JSON, YAML):
            continue
        shown = given.get("as", "")
        if not shown:
            return Form(media)
        if shown in may and given.get("v") in ("v1", "v2"):
            return Form(media, shown)
    raise errors.not_acceptable()


def answer(value: Any, *, code: int = 200, media: str = JSON, headers: dict[str, str] | None = None) -> HttpResponse:
    """A value in the form that was asked for."""
    if media == YAML:
        text = yaml.dump(value, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=True)
        return HttpResponse(code, text.encode(), YAML, headers or {})
    return HttpResponse(code, msgspec.json.encode(value) + b"\n", JSON, headers or {})


def text(words: str, code: int = 200) -> HttpResponse:
    return HttpResponse(code, words.encode(), "text/plain; charset=utf-8")


def refuse(refusal: errors.Refusal) -> HttpResponse:
    """A refusal as its Status object."""
    return answer(refusal.body(), code=refusal.code, headers=dict(refusal.headers))
