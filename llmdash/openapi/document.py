"""Makes the document, once in a process: it is the same for everybody."""

from functools import cache
from typing import Any

from django.conf import settings
from django.urls import include, path
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator

from deployments import shapes
from deployments.spec import Spec
from llmdash import __version__
from llmdash.openapi import problems
from llmdash.openapi.inspector import Inspector
from llmdash.openapi.shapes import Shapes

SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of the page API tokens, `llmd_…`."},
    "session": {
        "type": "apiKey", "in": "cookie", "name": "sessionid",
        "description": "The browser's, with the CSRF token in X-CSRFToken on unsafe methods.",
    },
}  # fmt: skip


class Enumerator(EndpointEnumerator):
    """Every address once: those with a slash at the end are the same."""

    def get_api_endpoints(self, patterns: Any = None, prefix: str = "") -> Any:
        found = super().get_api_endpoints(patterns, prefix)  # type: ignore[no-untyped-call]
        return [one for one in found if one[0] == "/api/v1/" or not one[0].endswith("/")]


class Generator(SchemaGenerator):
    endpoint_inspector_cls = Enumerator


@cache
def make() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    Inspector.shapes = Shapes()
    Inspector.shapes.name(shapes.ProblemDetails, "serialization")
    Inspector.shapes.name(Spec, "validation")
    generator = Generator(patterns=[path("api/v1/", include("llmdash.api"))])  # type: ignore[no-untyped-call]
    made = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    made["info"] = {"title": "llmdash", "version": __version__, "description": "Large language models on Kubernetes."}
    made["servers"] = [{"url": settings.BASE_PATH or "/"}]
    made["components"] |= {"responses": problems.components(), "securitySchemes": SECURITY}
    return Inspector.shapes.settle(made)
