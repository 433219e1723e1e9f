"""Problem details (RFC 9457) out: every refusal and failure of the API in one form.

Faults of the body stand in `errors`, each with a JSON pointer (RFC 6901). `code` is for programs, `detail` for
people, `request_id` finds the lines of the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from http import HTTPStatus
from typing import Any

import pydantic
import structlog
from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404
from django.http.request import UnreadablePostError
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import database, services
from deployments import spec as specs
from deployments.difference import changes
from deployments.http.conditions import etag, revision_seen
from deployments.http.strict import Invalid, Path, TooLarge
from deployments.models import Revision

log = structlog.get_logger(__name__)
PROBLEM = "application/problem+json"
MAX_ERRORS = 100
RETRY_SECONDS = "2"


@dataclass
class Said:
    """What a problem answer says."""

    status: int
    detail: str
    code: str = ""
    errors: Sequence[tuple[Path, str]] = ()
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def problem(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every refusal and failure of the API in one form."""
    request: Request = context["request"]
    said = explain(error)
    if isinstance(error, pydantic.ValidationError | services.SpecRefused):
        prefix = getattr(context.get("view"), "spec_at", ("spec",))
        said.errors = [((*prefix, *path), text) for path, text in said.errors]
    if isinstance(error, services.Conflict):
        said.more["changes"] = changes_since(revision_seen(request, error.newest.number), error.newest)
    return Response(
        problem_body(said, str(request.META.get("llmdash.request_id", ""))),
        status=said.status,
        headers=said.headers,
        content_type=PROBLEM,
    )


def problem_body(said: Said, request_id: str) -> dict[str, Any]:
    """The members of RFC 9457 and ours."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(said.status).phrase,
        "status": said.status,
        "detail": said.detail,
        "request_id": request_id,
    }
    if said.code:
        body["code"] = said.code
    if said.errors:
        body["errors"] = [{"pointer": pointer(path), "detail": text} for path, text in said.errors[:MAX_ERRORS]]
    return body | said.more


def pointer(path: Path) -> str:
    """A JSON pointer. pydantic marks the key of a mapping by a last part "[key]", which no document has."""
    parts = [str(part) for part in path if part != "[key]"]
    return "".join("/" + part[:200].replace("~", "~0").replace("/", "~1") for part in parts)


def changes_since(seen: int | None, newest: Revision) -> list[dict[str, Any]]:
    """What changed since the revision that the caller saw; nothing when there was no such revision."""
    before = Revision.objects.filter(deployment=newest.deployment_id, number=seen or 0).first()
    return changes(specs.dump(before.spec), specs.dump(newest.spec)) if before else []


@singledispatch
def explain(error: Exception) -> Said:
    """Put an exception into words; one that nobody foresaw is logged and says nothing of itself."""
    log.error("unexpected error in the API", exc_info=error)
    return Said(500, "Something went wrong on our side. The request_id finds it in the log.", "internal")


@explain.register
def _(error: APIException) -> Said:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    code = str(error.default_code).replace("_", "-")
    return Said(error.status_code, str(error.detail), code, headers=headers)


@explain.register
def _(error: Throttled) -> Said:
    wait = max(1, int(getattr(error, "wait", None) or 0))
    return Said(429, f"Too many requests; go on in {wait} s.", "throttled", headers={"Retry-After": str(wait)})


@explain.register
def _(error: Invalid) -> Said:
    return Said(400, str(error.detail), "invalid", error.problems)


@explain.register
def _(error: Http404) -> Said:
    return Said(404, "There is nothing here that you may see.", "not-found")


@explain.register
def _(error: PermissionDenied) -> Said:
    return Said(403, str(error) or "You may not do this.", "permission-denied")


@explain.register
def _(error: RequestDataTooBig) -> Said:
    return explain(TooLarge())


@explain.register(SuspiciousOperation)
@explain.register(UnreadablePostError)
def _(error: Exception) -> Said:
    return Said(400, "The request cannot be read.", "parse-error")


@explain.register
def _(error: ValidationError) -> Said:
    named = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    found: list[tuple[Path, str]] = [
        (() if name == NON_FIELD_ERRORS else (name,), " ".join(one.messages))
        for name, several in named.items()
        for one in several
    ]
    return Said(400, "The request holds values that are not taken.", "invalid", found)


@explain.register
def _(error: pydantic.ValidationError) -> Said:
    return Said(400, "The request holds values that are not taken.", "invalid", specs.problems(error))


@explain.register
def _(error: services.SpecRefused) -> Said:
    return Said(400, "The request holds values that are not taken.", error.code, error.problems)


@explain.register
def _(error: services.Refused) -> Said:
    return Said(409, str(error), error.code, getattr(error, "errors", ()))


@explain.register
def _(error: services.Conflict) -> Said:
    newest = error.newest
    about = {"revision": newest.number, "author": newest.author_name, "created_at": newest.created_at}
    return Said(412, str(error), error.code, more={"newest": about}, headers={"ETag": etag(newest.number)})


@explain.register
def _(error: services.KeyReused) -> Said:
    return Said(422, str(error), error.code)


@explain.register
def _(error: IntegrityError) -> Said:
    return Said(409, "Somebody else did the same at this moment; look and try again.", "conflict")


@explain.register(OperationalError)
@explain.register(InterfaceError)
@explain.register(InternalError)
def _(error: Exception) -> Said:
    if sentence := database.note(error):
        return Said(503, sentence, "read-only", headers={"Retry-After": RETRY_SECONDS})
    if not database.is_away(error):
        log.error("unexpected error of the database", exc_info=error)
        return Said(500, "Something went wrong on our side. The request_id finds it in the log.", "internal")
    log.warning("database not reachable", exc_info=error)
    return Said(503, "The database cannot be reached now.", "unavailable", headers={"Retry-After": RETRY_SECONDS})
