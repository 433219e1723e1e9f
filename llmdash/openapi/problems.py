"""The refusals that an operation may answer with, as responses that many operations name."""

from typing import Any

PROBLEM = "application/problem+json"
# Status: the name of the response, and what it means.
REFUSALS: dict[int, tuple[str, str]] = {
    400: ("BadRequest", "The request cannot be read, or holds values that are not taken: `errors` says where."),
    401: ("Unauthorized", "Neither a good token nor a session."),
    403: ("Forbidden", "Seen, but not allowed: the role, or the token's scope, does not reach."),
    404: ("NotFound", "Not there, or not for the caller to see."),
    406: ("NotAcceptable", "The API speaks JSON."),
    409: ("Conflict", "Not possible as things are; `code` says why."),
    411: ("LengthRequired", "The body came in chunks."),
    412: ("PreconditionFailed", "Another change was made since the one that If-Match names."),
    413: ("TooLarge", "The body is too large."),
    415: ("UnsupportedMediaType", "The body is not JSON."),
    422: ("KeyReused", "The Idempotency-Key was used for another request."),
    428: ("PreconditionRequired", "Say by If-Match what you saw."),
    429: ("TooManyRequests", "Wait for the seconds in Retry-After."),
    503: ("Unavailable", "The database cannot be reached now."),
}
ALWAYS = (400, 401, 406, 429, 503)
UNSAFE = (403, 411, 413, 415)
HEADERS = {
    401: ("WWW-Authenticate", "string", "How to show who you are."),
    429: ("Retry-After", "integer", "Seconds."),
    503: ("Retry-After", "integer", "Seconds."),
}


def components() -> dict[str, Any]:
    """`components.responses`."""
    return {name: response(status, text) for status, (name, text) in REFUSALS.items()}


def response(status: int, text: str) -> dict[str, Any]:
    """One of them."""
    made: dict[str, Any] = {
        "description": text,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
    if status in HEADERS:
        name, kind, meaning = HEADERS[status]
        made["headers"] = {name: {"schema": {"type": kind}, "description": meaning}}
    return made


def named(*statuses: int) -> dict[str, Any]:
    """References to those of an operation, by status."""
    return {str(status): {"$ref": f"#/components/responses/{REFUSALS[status][0]}"} for status in sorted(set(statuses))}
