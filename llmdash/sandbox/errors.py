"""Refusals as Kubernetes words them: each is a Status object with its HTTP code.

Wording: k8s.io/apimachinery/pkg/api/errors; every sentence was compared with recorded/errors.json.gz.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmdash.sandbox.paths import Resource

Json = dict[str, Any]


class Refusal(Exception):
    """An answer of 400 or more; `headers` travel with it."""

    def __init__(
        self, code: int, reason: str, message: str, details: Json | None = None, *, headers: Json | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers: Json = headers or {}
        self.metadata: Json = {}

    def body(self) -> Json:
        """The Status object."""
        status: Json = {"kind": "Status", "apiVersion": "v1", "metadata": self.metadata, "status": "Failure"}
        status["message"] = self.message
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing wrong with an object: a path in it, the machine's reason and the person's message."""

    field: str
    reason: str
    message: str

    def as_json(self) -> Json:
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(field: str, detail: str = "") -> Cause:
    return Cause(field, "FieldValueRequired", f"Required value: {detail}" if detail else "Required value")


def invalid_value(field: str, value: Any, detail: str) -> Cause:
    return Cause(field, "FieldValueInvalid", f"Invalid value: {_shown(value)}: {detail}")


def forbidden_value(field: str, detail: str) -> Cause:
    return Cause(field, "FieldValueForbidden", f"Forbidden: {detail}")


def unsupported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    known = ", ".join(f'"{one}"' for one in supported)
    return Cause(field, "FieldValueNotSupported", f"Unsupported value: {_shown(value)}: supported values: {known}")


def duplicate(field: str, value: Any) -> Cause:
    return Cause(field, "FieldValueDuplicate", f"Duplicate value: {_shown(value)}")


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def named(resource: Resource, name: str = "") -> Json:
    """The `details` of most refusals: which object of which resource."""
    found = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in found.items() if value}


def not_found(resource: Resource, name: str) -> Refusal:
    return Refusal(404, "NotFound", f'{resource.qualified} "{name}" not found', named(resource, name))


def no_such_resource() -> Refusal:
    return Refusal(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> Refusal:
    return Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def already_exists(resource: Resource, name: str) -> Refusal:
    return Refusal(409, "AlreadyExists", f'{resource.qualified} "{name}" already exists', named(resource, name))


def conflict(resource: Resource, name: str, why: str, *, kind: str = "") -> Refusal:
    """`kind` where the real one names the object by its kind, as it does for preconditions."""
    details = {"name": name, "kind": kind} if kind else named(resource, name)
    title = kind or resource.qualified
    return Refusal(409, "Conflict", f'Operation cannot be fulfilled on {title} "{name}": {why}', details)


def modified(resource: Resource, name: str) -> Refusal:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> Refusal:
    """422 with a cause for each field; many of them stand in brackets."""
    told = list(dict.fromkeys(f"{one.field}: {one.message}" for one in causes))
    listed = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    details = {"name": name, "group": group, "kind": kind, "causes": [one.as_json() for one in causes]}
    details = {key: value for key, value in details.items() if value}
    title = f"{kind}.{group}" if group else kind
    return Refusal(422, "Invalid", f'{title} "{name}" is invalid: {listed}', details)


def bad_request(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message)


def internal(message: str, code: int = 500) -> Refusal:
    """An error without a reason, as those that the real server did not foresee."""
    return Refusal(code, "", message)


def forbidden(resource: Resource | None, name: str, why: str, *, causes: list[Json] | None = None) -> Refusal:
    if resource is None:
        return Refusal(403, "Forbidden", f"forbidden: {why}", {})
    title = f'{resource.qualified} "{name}"' if name else resource.qualified
    details = named(resource, name) | ({"causes": causes} if causes else {})
    return Refusal(403, "Forbidden", f"{title} is forbidden: {why}", details)


def unauthorized() -> Refusal:
    return Refusal(401, "Unauthorized", "Unauthorized")


def unsupported_media_type() -> Refusal:
    return Refusal(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def not_acceptable() -> Refusal:
    known = (
        "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, "
        "application/vnd.kubernetes.protobuf;stream=watch"
    )
    return Refusal(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {known}", {})


def expired(message: str) -> Refusal:
    return Refusal(410, "Expired", message)


def too_large_version(asked: int, current: int) -> Refusal:
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return Refusal(504, "Timeout", message, details, headers={"retry-after": "1"})


class ApplyConflict(Refusal):
    """Others own fields that were applied."""

    def __init__(self, message: str, causes: list[Json]) -> None:
        super().__init__(409, "Conflict", message, {"causes": causes})
