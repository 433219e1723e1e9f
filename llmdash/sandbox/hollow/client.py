"""A tiny asynchronous Kubernetes client: objects are dicts, errors are one class. No discovery, no models."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import msgspec
import structlog

from llmdash.sandbox.hollow.kubeconfig import Connection

Json = dict[str, Any]
PatchKind = Literal["strategic-merge-patch", "merge-patch", "json-patch"]

WATCH_SECONDS = 60
IN_FLIGHT = 24
"""Requests at the same time beside watches: enough for a thousand pods, gentle to a small API server."""

log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class ApiError(Exception):
    """The API server said no; ``code`` is the HTTP status, 0 when it could not be reached."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason


class Expired(Exception):
    """A watch's resourceVersion is too old (410): list again."""


def _error(response: httpx.Response) -> ApiError:
    try:
        status = _decode(response.content)
        return ApiError(response.status_code, str(status.get("reason", "")), str(status.get("message", "")))
    except (msgspec.DecodeError, AttributeError):
        return ApiError(response.status_code, response.reason_phrase, response.text[:200])


class Client:
    """One connection pool to one API server. Paths are those of the REST API, ``/api/v1/namespaces/x/pods``."""

    def __init__(self, connection: Connection) -> None:
        headers = {"Authorization": f"Bearer {connection.token}"} if connection.token else {}
        headers["User-Agent"] = "llmdash-hollow"
        self._http = httpx.AsyncClient(
            base_url=connection.server,
            headers=headers,
            verify=connection.tls(),
            timeout=httpx.Timeout(15.0),
            limits=httpx.Limits(max_connections=IN_FLIGHT + 8, max_keepalive_connections=IN_FLIGHT + 8),
            trust_env=False,
        )
        self._turns = asyncio.Semaphore(IN_FLIGHT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def request(
        self, method: str, path: str, *, body: Json | None = None, content_type: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Json:  # fmt: skip
        """One exchange; raises ApiError."""
        content = _encode(body) if body is not None else None
        headers = {"Content-Type": content_type} if body is not None else {}
        async with self._turns:
            try:
                response = await self._http.request(method, path, content=content, headers=headers, params=query)
            except httpx.HTTPError as error:
                raise ApiError(0, type(error).__name__, str(error)) from error
        if response.status_code >= 400:
            raise _error(response)
        found = _decode(response.content)
        return found if isinstance(found, dict) else {}

    async def get(self, path: str) -> Json:
        return await self.request("GET", path)

    async def create(self, path: str, body: Json) -> Json:
        return await self.request("POST", path, body=body)

    async def patch(self, path: str, body: Json, *, kind: PatchKind = "merge-patch") -> Json:
        return await self.request("PATCH", path, body=body, content_type=f"application/{kind}+json")

    async def delete(self, path: str, *, uid: str | None = None, grace: int | None = None) -> Json:
        options: Json = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        return await self.request("DELETE", path, body=options)

    async def list(self, path: str) -> tuple[list[Json], str]:
        """All objects of a collection and the resourceVersion to watch from."""
        items: list[Json] = []
        query = {"limit": "500"}
        while True:
            page = await self.request("GET", path, query=query)
            items += page.get("items") or []
            meta = page.get("metadata") or {}
            if not meta.get("continue"):
                return items, str(meta.get("resourceVersion", ""))
            query["continue"] = str(meta["continue"])

    async def watch(self, path: str, version: str) -> AsyncIterator[tuple[str, Json]]:
        """Events of one watch until the server ends it. Raises Expired and ApiError."""
        query = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        timeout = httpx.Timeout(15.0, read=WATCH_SECONDS + 15.0)
        try:
            async with self._http.stream("GET", path, params=query, timeout=timeout) as response:
                if response.status_code >= 400:
                    await response.aread()
                    raise Expired if response.status_code == 410 else _error(response)
                async for line in _lines(response):
                    event = _decode(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise (
                            Expired
                            if status.get("code") == 410
                            else ApiError(
                                int(status.get("code") or 500), str(status.get("reason")), str(status.get("message"))
                            )
                        )
                    yield event["type"], event["object"]
        except httpx.HTTPError as error:
            raise ApiError(0, type(error).__name__, str(error)) from error


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line


async def follow(
    client: Client,
    path: str,
    *,
    on_list: Callable[[list[Json]], Awaitable[None]],
    on_event: Callable[[str, Json], Awaitable[None]],
) -> None:
    """Keep a collection in sight for ever: list, watch, watch again; after 410 list again. Backs off up to 10 s."""
    version, pause = "", 0.2
    while True:
        try:
            if not version:
                items, version = await client.list(path)
                await on_list(items)
            async for kind, found in client.watch(path, version):
                version = str(found["metadata"].get("resourceVersion") or version)
                if kind != "BOOKMARK":
                    await on_event(kind, found)
            pause = 0.2
        except Expired:
            version = ""
        except ApiError as error:
            log.warning("watch.broken", path=path, error=str(error), pause=round(pause, 1))
            if error.code:
                version = ""
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - jitter is no secret
            pause = min(10.0, pause * 2)
