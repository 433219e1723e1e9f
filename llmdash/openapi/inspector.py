"""Reads one operation: drf-spectacular walks the routes, our handlers say the rest."""

import re
from typing import Any

import uritemplate
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from deployments.api.described import Operation
from deployments.api.parameters import PARAMETERS
from deployments.http.conditions import IF_MATCH, KEY
from deployments.rules import KEPT_AS
from deployments.shapes import DryRun
from llmdash.openapi import problems
from llmdash.openapi.shapes import Shapes, page_of

TOKEN, SESSION = {"token": list[str]()}, {"session": list[str]()}
ROW: dict[str, Any] = {"type": "string", "format": "uuid"}
OF_PATH: dict[str, dict[str, Any]] = {
    "number": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "secret": {"type": "string", "pattern": KEPT_AS},
    "pod": {"type": "string", "pattern": "^[-a-z0-9]{1,253}$"},
}
HEADERS = {
    "If-Match": 'The ETag that you saw, such as "3"; * for whatever stands there.',
    "If-None-Match": "The ETag that you have: 304 when it still holds.",
    "Idempotency-Key": "1 to 200 printable ASCII characters, no spaces; a repeated request with the key acts once.",
}
MEANT = {
    200: "As asked.",
    201: "Made.",
    202: "The wish is saved as this revision, whose outcome says later what came of it.",
    204: "Done.",
}
PATTERNS = {"Idempotency-Key": {"pattern": KEY}, "If-Match": {"pattern": IF_MATCH}}
ANSWERED = {"ETag": "Names this state, for If-Match and If-None-Match.", "Location": "Where it is."}


class Inspector(AutoSchema):
    """An operation from `described.Operation`."""

    shapes = Shapes()  # of the document that is being made; see `document.make`

    @property
    def described(self) -> Operation:
        said: Operation = getattr(self.view, self.method.lower()).operation
        return said

    def get_operation_id(self) -> str:
        words = [self.method.lower(), *(word.replace("-", "_") for word in self._tokenize_path())]
        return "_".join([*words, "item"] if self.path.endswith("}") else words)

    def get_tags(self) -> list[str]:
        return [(self._tokenize_path() or ["index"])[0]]

    def get_summary(self) -> str:
        return self.described.summary or re.split(r"[.:](?:\s|$)", str(self.view.__doc__), maxsplit=1)[0]

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own is so
        reads = self.method == "GET" or not self.described.summary
        return " ".join(str(self.view.__doc__).split()) if reads else ""

    def get_auth(self) -> list[Any]:
        return [SESSION] if self.described.by_session else [TOKEN, SESSION]

    def get_override_parameters(self) -> list[Any]:
        return [*self.of_path(), *self.of_query(), *self.of_headers()]

    def of_path(self) -> list[OpenApiParameter]:
        """The ids in the address."""
        return [
            OpenApiParameter(name, OF_PATH.get(name, ROW), OpenApiParameter.PATH)
            for name in sorted(uritemplate.variables(self.path))
        ]

    def of_query(self) -> list[OpenApiParameter]:
        """What a list is narrowed by."""
        known = getattr(self.view, "parameters", ()) if self.method == "GET" else ("dry_run",) * self.described.dry_run
        told = {name: PARAMETERS.get(name, {}) | getattr(self.view, "described", {}).get(name, {}) for name in known}
        required = getattr(self.view, "required", ())
        return [
            OpenApiParameter(
                name, {key: value for key, value in schema.items() if key != "description"},
                OpenApiParameter.QUERY, required=name in required, description=schema["description"],
            )
            for name, schema in told.items()
        ]  # fmt: skip

    def of_headers(self) -> list[OpenApiParameter]:
        """Preconditions and keys."""
        said, text = self.described, {"type": "string"}
        required = {"If-Match": said.if_match == "must"} if said.if_match else {}
        required |= {"If-None-Match": False} if said.tagged and self.method == "GET" else {}
        required |= {"Idempotency-Key": False} if said.idempotent else {}
        return [
            OpenApiParameter(
                name, text | PATTERNS.get(name, {}),
                OpenApiParameter.HEADER, required=must, description=HEADERS[name],
            )
            for name, must in required.items()
        ]  # fmt: skip

    def get_request_serializer(self) -> Any:
        shape = self.described.takes or getattr(self.view, "takes", None)
        return {"application/json": self.shapes.name(shape, "validation")} if shape else None

    def get_response_serializers(self) -> Any:
        said = self.described
        shape = said.returns or getattr(self.view, "returns", None)
        if said.status == 204:
            return {"204": None}
        body = self.shapes.name(shape, "serialization")
        tried = {"200": self.shapes.name(DryRun, "serialization")} if said.dry_run else {}
        return {str(said.status): page_of(body, said.listed) if said.listed else body} | tried

    def get_operation(self, *args: Any) -> Any:
        made = super().get_operation(*args) or {}
        said, answers = self.described, made["responses"]
        good = answers[str(said.status)]
        good["description"] = MEANT[said.status]
        names = ["ETag"] * said.tagged + ["Location"] * (said.status in (201, 202) and said.tagged)
        if names:
            good["headers"] = {
                name: {"schema": {"type": "string"}, "description": ANSWERED[name], "required": True} for name in names
            }
        if said.tagged and self.method == "GET":
            answers["304"] = {"description": "You have it already."}
        made["responses"] = answers | problems.named(*self.refusals())
        if "requestBody" in made:
            made["requestBody"]["required"] = self.needs_body()
        return made

    def needs_body(self) -> bool:
        """Whether a request without a body is refused: not where nothing has to be said."""
        shape: Any = self.described.takes or getattr(self.view, "takes", None)
        return any(field.is_required() for field in shape.model_fields.values())

    def refusals(self) -> list[int]:
        """The statuses of refusals."""
        said = self.described
        unsafe = problems.UNSAFE if self.method != "GET" else ()
        unseen = (404,) if "{" in self.path or said.listed else ()
        return [*problems.ALWAYS, *unsafe, *unseen, *said.refuses]
