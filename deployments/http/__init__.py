"""What every endpoint of the API shares at the wire."""

from deployments.http.conditions import answer, etag, etag_of, idempotency_key, require_match, revision_seen
from deployments.http.lists import Newest, Pages, ordered, refuse_parameters
from deployments.http.problems import problem
from deployments.http.rendering import Json
from deployments.http.strict import Invalid, StrictJSONParser

__all__ = [
    "Invalid",
    "Json",
    "Newest",
    "Pages",
    "StrictJSONParser",
    "answer",
    "etag",
    "etag_of",
    "idempotency_key",
    "ordered",
    "problem",
    "refuse_parameters",
    "require_match",
    "revision_seen",
]
