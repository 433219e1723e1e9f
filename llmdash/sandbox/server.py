"""The ASGI application: authenticate, take the path apart, authorise, answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import structlog

from llmdash.sandbox import auth, discovery, errors, paths, rbac, reviews, subresources
from llmdash.sandbox.auth import Tokens
from llmdash.sandbox.objects import Call
from llmdash.sandbox.registry import Registry
from llmdash.sandbox.web import HttpRequest, HttpResponse, refuse, text

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MAX_BODY = 3 * 1024 * 1024
log = structlog.get_logger(__name__)


class Application:
    """One API server. `stopping` ends its watches."""

    def __init__(self, registry: Registry, tokens: Tokens) -> None:
        self.registry = registry
        self.tokens = tokens
        self.stopping = asyncio.Event()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        response = await self.respond(request)
        if response.stream is None:
            await _send(response, send)
        else:
            await _stream(response, receive, send)

    async def respond(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request; nothing that goes wrong ends the server."""
        try:
            return await self._respond(request)
        except errors.Refusal as refusal:
            return refuse(refusal)
        except paths.NoSuchGroup:
            return text("404 page not found\n", 404)
        except paths.NoSuchResource:
            return refuse(errors.no_such_resource())
        except Exception:
            log.exception("request.failed", method=request.method, path=request.path)
            return refuse(errors.Refusal(500, "InternalError", "Internal error occurred", {}))

    async def _respond(self, http: HttpRequest) -> HttpResponse:
        if len(http.body) > MAX_BODY:
            message = f"Request entity too large: limit is {MAX_BODY}"
            raise errors.Refusal(413, "RequestEntityTooLarge", message, {})
        user = self.tokens.user(http.headers.get("authorization", ""))
        request = paths.parse(http.method, http.path, dict(http.query))
        user = auth.impersonate(self.registry.store, user, http.headers, request)
        ask = auth.ask_of(request)
        if not rbac.allowed(self.registry.store, user, ask):
            raise errors.forbidden(request.resource, request.name, rbac.denial(user, ask))
        if request.resource is None:
            return discovery.answers(http)
        call = Call(self.registry, self.tokens, self.stopping, http, request, user)
        return await dispatch(call)


async def dispatch(call: Call) -> HttpResponse:
    """To the endpoint of a resource, its subresource, or a review."""
    request, resource = call.request, call.resource
    if resource.kind in reviews.KINDS:
        return reviews.handle(call)
    if request.subresource:
        return await subresources.handle(call)
    if request.verb == "watch" and request.path.rstrip("/").endswith(f"/{request.name}") and "watch" in resource.verbs:
        return call.watch()
    if request.verb not in resource.verbs or (request.verb == "create" and request.name):
        raise errors.method_not_allowed()
    endpoints: dict[str, Callable[[], HttpResponse]] = {
        "get": call.get,
        "list": call.list,
        "watch": call.watch,
        "create": call.create,
        "update": call.update,
        "patch": call.patch,
        "delete": call.delete,
        "deletecollection": call.deletecollection,
    }
    return endpoints[request.verb]()


async def _read(scope: MutableMapping[str, Any], receive: Receive) -> HttpRequest:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > MAX_BODY:
            break
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, written = raw.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]},{written}" if name in headers else written
    many = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    query = {name: values[-1] for name, values in many.items()}
    return HttpRequest(scope["method"], scope["path"], query, headers, body, many)


def _start(response: HttpResponse) -> MutableMapping[str, Any]:
    headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
    if response.content_type:
        headers.append((b"content-type", response.content_type.encode()))
    if response.stream is None and response.code != 204:
        headers.append((b"content-length", str(len(response.body)).encode()))
    headers.append((b"cache-control", b"no-cache, private"))
    return {"type": "http.response.start", "status": response.code, "headers": headers}


async def _send(response: HttpResponse, send: Send) -> None:
    await send(_start(response))
    await send({"type": "http.response.body", "body": response.body})


async def _stream(response: HttpResponse, receive: Receive, send: Send) -> None:
    """Send parts as they come, until there are no more or the client has gone."""
    if response.stream is None:
        return
    sending = asyncio.ensure_future(_send_parts(response, send))
    gone = asyncio.ensure_future(_disconnected(receive))
    await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not sending.done():
        sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending


async def _send_parts(response: HttpResponse, send: Send) -> None:
    stream = response.stream
    if stream is None:
        return
    await send(_start(response))
    # The client waits for the headers of a watch that has nothing to say yet.
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    try:
        async for part in stream:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        closing = getattr(stream, "aclose", None)
        if closing:
            await closing()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
