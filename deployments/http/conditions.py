"""Entity tags, preconditions (RFC 9110) and idempotency keys."""

import hashlib
import json
import re
from typing import Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

TAG = re.compile(r'(?:W/)?"([^"]*)"')
# Whole headers, as the OpenAPI document tells them, too. If-Match is * or tags with commas between (RFC 9110).
ENTITY_TAG = r'(W/)?"[!#-~]*"'
IF_MATCH = rf"^(\*|{ENTITY_TAG}([ \t]*,[ \t]*{ENTITY_TAG})*)$"
KEY = "^[!-~]{1,200}$"


class PreconditionRequired(APIException):
    """A change without the revision that it was made for would overwrite what others did."""

    status_code = 428
    default_code = "precondition-required"
    default_detail = 'Send the ETag of the deployment that you saw in If-Match, such as "3" for revision 3.'


def etag(*parts: object) -> str:
    """A strong entity tag of the parts."""
    return f'"{"-".join(str(part) for part in parts)}"'


def etag_of(body: Any, *parts: object) -> str:
    """A tag of the parts and of all that the body says."""
    text = json.dumps(body, sort_keys=True, default=str)
    return etag(*parts, hashlib.sha256(text.encode()).hexdigest()[:12])


def named(request: Request, missing: str = "") -> str:
    """If-Match as it was sent, empty when it was not.

    Raises ParseError for what is no such header, and PreconditionRequired with the text of `missing`, if there is one.
    """
    header: str | None = request.headers.get("If-Match")
    if header is None:
        if missing:
            raise PreconditionRequired(missing)
        return ""
    if not re.fullmatch(IF_MATCH, header.strip()):
        raise ParseError('If-Match is * or entity tags in quotes, such as "3".')
    return header.strip()


def revision_seen(request: Request, newest: int, *, required: bool = False) -> int | None:
    """The revision that If-Match names, for the services to compare; None for `*` or no header.

    A tag that says more than the revision ("3-leave") names revision 3; one that names none matches nothing.
    """
    header = named(request, PreconditionRequired.default_detail if required else "")
    if header in ("", "*"):
        return None
    numbers = [int(found[1]) for tag in TAG.findall(header) if (found := re.match(r"(\d{1,9})(?:-|$)", tag))]
    return newest if newest in numbers else max(numbers, default=0)


class PreconditionFailed(APIException):
    """The row is not as the caller saw it."""

    status_code = 412
    default_code = "precondition-failed"
    default_detail = "This was changed since you saw it. Read it again, and send its ETag."


def require_match(request: Request, tag: str) -> None:
    """If-Match must be there and name this state; a row under a lock, or the answer is old at once."""
    header = named(request, missing='Send the state that you saw: If-Match: "…", as the ETag says.')
    if header != "*" and tag.strip('"') not in TAG.findall(header):
        raise PreconditionFailed


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key header, empty when there is none. Raises ParseError for one that is none."""
    key: str | None = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(KEY, key):
        raise ParseError("An Idempotency-Key has 1 to 200 printable ASCII characters and no spaces.")
    return key or ""


def answer(request: Request, body: Any, *, tag: str = "", status: int = 200, location: str = "") -> Response:
    """The body with its entity tag, or 304 when the caller has it already."""
    headers = {name: value for name, value in (("ETag", tag), ("Location", location)) if value}
    known = request.headers.get("If-None-Match", "")
    if request.method in ("GET", "HEAD") and tag and (known.strip() == "*" or tag.strip('"') in TAG.findall(known)):
        return Response(status=304, headers=headers)
    return Response(body, status=status, headers=headers)
