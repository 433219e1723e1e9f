"""What the API server says about itself: version, groups, resources and their schemas."""

from __future__ import annotations

from functools import cache
from typing import Any

from llmdash.sandbox import errors, recording
from llmdash.sandbox.web import JSON, HttpRequest, HttpResponse, answer, form, text

Json = dict[str, Any]
SUFFIX = "+llmdash-sandbox"
AGGREGATED = "APIGroupDiscoveryList"
HEALTH = ("/healthz", "/livez", "/readyz")


@cache
def version() -> Json:
    """The version that was recorded, marked as a simulation of it."""
    found: Json = dict(recording.discovery()["paths"]["/version"])
    return found | {"gitVersion": found["gitVersion"] + SUFFIX}


def answers(request: HttpRequest) -> HttpResponse:  # noqa: PLR0911  (one for each kind of path)
    """The answer to a path that is no resource. Raises a 406."""
    path = request.path.rstrip("/") or "/"
    if path.startswith(HEALTH):
        return text("ok")
    if path == "/version":
        return answer(version())
    if path in ("/api", "/apis"):
        return _roots(request, path)
    if path in recording.discovery()["paths"]:
        return answer(recording.discovery()["paths"][path], media=form(request.headers.get("accept", "")).media)
    if path.startswith("/apis/") and (found := _group(path.removeprefix("/apis/"))):
        return answer(found)
    if path == "/openapi/v3":
        return HttpResponse(body=openapi_index())
    if path.startswith("/openapi/v3/"):
        return _openapi(path.removeprefix("/openapi/v3/"))
    if path == "/":
        return answer({"paths": sorted([*recording.discovery()["paths"], *HEALTH, "/openapi/v3"])})
    return text("404 page not found\n", 404)


def _roots(request: HttpRequest, path: str) -> HttpResponse:
    wanted = form(request.headers.get("accept", ""), may=(AGGREGATED,))
    if wanted.shown:
        found = answer(recording.discovery()["aggregated"][path])
        found.content_type = f"{JSON};g=apidiscovery.k8s.io;v=v2;as={AGGREGATED}"
        return found
    return answer(recording.discovery()["paths"][path], media=wanted.media)


def _group(name: str) -> Json | None:
    groups = recording.discovery()["paths"]["/apis"]["groups"]
    found = next((one for one in groups if one["name"] == name), None)
    return {"kind": "APIGroup", "apiVersion": "v1", **found} if found else None


@cache
def openapi_index() -> bytes:
    """The index of those documents that were recorded."""
    index = recording.load("openapi/index")
    kept = {path: one for path, one in index["paths"].items() if _recorded(path)}
    body: bytes = answer({"paths": kept}).body
    return body


def _recorded(path: str) -> bool:
    return recording.exists(f"openapi/{path.replace('/', '.')}")


def _openapi(path: str) -> HttpResponse:
    if not path or ".." in path or not _recorded(path):
        raise errors.no_such_resource()
    return HttpResponse(body=recording.raw(f"openapi/{path.replace('/', '.')}"))
