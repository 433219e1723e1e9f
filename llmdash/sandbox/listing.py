"""Lists: selectors, pages that stay consistent while things change, and versions to read at.

After k8s.io/apiserver/pkg/storage (continue.go) and registry/generic.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llmdash.sandbox import errors, selectors
from llmdash.sandbox.paths import Request, Resource
from llmdash.sandbox.store import Name, Store, TooOld

Json = dict[str, Any]
Test = Callable[[Json], bool]
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True)
class Page:
    """A part of a list and its metadata."""

    items: list[Json]
    metadata: Json


def matcher(resource: Resource, query: Mapping[str, str]) -> Test:
    """Both selectors of a request as one test. Raises a 400."""
    labels = selectors.labels(query.get("labelSelector", ""))
    fields = selectors.fields(query.get("fieldSelector", ""), resource.key)
    return lambda found: labels(found["metadata"].get("labels") or {}) and fields(found)


def page(store: Store, request: Request, query: Mapping[str, str]) -> Page:
    """The page that a request asks for. Raises a 400, 410 or 504."""
    resource = request.resource
    if resource is None:
        raise errors.no_such_resource()
    test = matcher(resource, query)
    limit = int(query.get("limit") or 0)
    version, start = store.version, ""
    asked = parse_version(query.get("resourceVersion", ""))
    if query.get("continue"):
        version, start = _read(query["continue"])
    elif asked > store.version:
        raise errors.too_large_version(asked, store.version)
    elif query.get("resourceVersionMatch") == "Exact":
        version = asked
    held = _held(store, resource, version, start=start, exact=not query.get("continue"))
    chosen = [(name, held[name]) for name in sorted(held) if _after(name, request.namespace, start)]
    matching = [(name, one) for name, one in chosen if test(one)]
    return _cut(matching, limit, request, version=store.version if version < 0 else version, query=query)


def _held(store: Store, resource: Resource, version: int, *, start: str, exact: bool) -> Mapping[Name, Json]:
    if version in (store.version, -1):
        return store.objects[resource.key]
    try:
        return store.at(resource.key, version)
    except TooOld:
        if exact:
            raise errors.expired("The resourceVersion for the provided list is too old.") from None
        refusal = errors.expired(TOO_OLD)
        refusal.metadata = {"continue": _write(-1, start.lstrip("/"))}
        raise refusal from None


def _after(name: Name, namespace: str, start: str) -> bool:
    if namespace and name[0] != namespace:
        return False
    return not start or _position(name, namespace) >= start


def _position(name: Name, namespace: str) -> str:
    """Where an object stands in a list, relative to the namespace of the list."""
    return f"/{name[1]}" if namespace or not name[0] else f"/{name[0]}/{name[1]}"


def _cut(
    matching: list[tuple[Name, Json]], limit: int, request: Request, *, version: int, query: Mapping[str, str]
) -> Page:
    metadata: Json = {"resourceVersion": str(version)}
    if limit and len(matching) > limit:
        last = matching[limit - 1][0]
        metadata["continue"] = _write(version, _position(last, request.namespace) + "\0")
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(matching) - limit
        matching = matching[:limit]
    return Page([one for _, one in matching], metadata)


def parse_version(written: str) -> int:
    """A resourceVersion, 0 when there is none. Raises a 400."""
    if not written:
        return 0
    if not written.isdigit():
        raise errors.bad_request(
            f'invalid resource version: resourceVersion: Invalid value: "{written}": '
            f'strconv.ParseUint: parsing "{written}": invalid syntax'
        )
    return int(written)


def _write(version: int, start: str) -> str:
    token = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()


def _read(token: str) -> tuple[int, str]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise _broken("illegal base64 data at input byte 0") from error
    try:
        found = json.loads(raw)
        return int(found["rv"]), "/" + str(found["start"]).lstrip("/")
    except (ValueError, KeyError, TypeError) as error:
        first = repr(chr(raw[0])).replace("\\x", "\\u00") if raw else "''"
        raise _broken(f"invalid character {first} looking for beginning of value") from error


def _broken(why: str) -> errors.Refusal:
    return errors.bad_request(f"invalid continue token: continue key is not valid: {why}")
