"""Entity tags, preconditions (RFC 9110) and idempotency keys."""

import hashlib
import json
import re
from typing import Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

TAG = re.compile(r'(?:W/)?"([^"]*)"')


class PreconditionRequired(APIException):
    """A change without the revision that it was made for would overwrite what others did."""

    status_code = 428
    default_detail = 'Send the revision that you saw: If-Match: "3", as the ETag of the deployment says.'


def etag(*parts: object) -> str:
    """A strong entity tag of the parts."""
    return f'"{"-".join(str(part) for part in parts)}"'


def etag_of(body: Any, *parts: object) -> str:
    """A tag of the parts and of all that the body says."""
    text = json.dumps(body, sort_keys=True, default=str)
    return etag(*parts, hashlib.sha256(text.encode()).hexdigest()[:12])


def revision_seen(request: Request, newest: int, *, required: bool = False) -> int | None:
    """The revision that If-Match names, for the services to compare; None for `*` or no header.

    A tag that says more than the revision ("3-leave") names revision 3; one that names none matches nothing.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header and required:
        raise PreconditionRequired
    if header in ("", "*"):
        return None
    numbers = [int(found[1]) for tag in TAG.findall(header) if (found := re.match(r"(\d{1,9})(?:-|$)", tag))]
    return newest if newest in numbers else max(numbers, default=0)


class PreconditionFailed(APIException):
    """The row is not as the caller saw it."""

    status_code = 412
    default_detail = "This was changed since you saw it. Read it again, and send its ETag."


def require_match(request: Request, tag: str) -> None:
    """If-Match must be there and name this state; a row under a lock, or the answer is old at once."""
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise PreconditionRequired('Send the state that you saw: If-Match: "…", as the ETag says.')
    if header != "*" and tag.strip('"') not in TAG.findall(header):
        raise PreconditionFailed


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key header, empty when there is none."""
    key: str = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 200 or not key.isascii() or not key.isprintable():
        raise ParseError("An Idempotency-Key has at most 200 printable ASCII characters.")
    return key


def answer(request: Request, body: Any, *, tag: str = "", status: int = 200, location: str = "") -> Response:
    """The body with its entity tag, or 304 when the caller has it already."""
    headers = {name: value for name, value in (("ETag", tag), ("Location", location)) if value}
    known = request.headers.get("If-None-Match", "")
    if request.method in ("GET", "HEAD") and tag and (known.strip() == "*" or tag.strip('"') in TAG.findall(known)):
        return Response(status=304, headers=headers)
    return Response(body, status=status, headers=headers)
