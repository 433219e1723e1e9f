"""The least HTTP server that the two endpoints need: raw ASGI on uvicorn, with or without TLS, inside our loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK = "127.0.0.1"
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``query`` holds the first value of each parameter."""

    method: str
    path: tuple[str, ...]
    query: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole body, or a stream of pieces."""

    body: bytes | AsyncIterator[bytes] = b""
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"


Handler = Callable[[Request], Awaitable[Response]]


def json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, "application/json")


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stream(pieces: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Send pieces until they end or the reader goes away."""

    async def pump() -> None:
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    tasks = [asyncio.create_task(pump()), asyncio.create_task(_until_gone(receive))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def application(handler: Handler) -> Callable[[Any, Receive, Send], Awaitable[None]]:
    """An ASGI application around one handler."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        path = tuple(part for part in scope["path"].split("/") if part)
        answer = await handler(Request(scope["method"], path, query, await _body(receive)))
        headers = [(b"content-type", answer.content_type.encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if isinstance(answer.body, bytes):
            await send({"type": "http.response.body", "body": answer.body})
            return
        await _stream(answer.body, receive, send)
        await send({"type": "http.response.body", "body": b""})

    return app


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the agent, which stops its servers itself."""
        yield


def listen(port: int) -> socket.socket:
    """A loopback socket on this port, or on any free one when it is 0 or taken."""
    for wanted in (port, 0):
        # Named as TCP, or asyncio would not switch Nagle's algorithm off: 40 ms for each request.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((LOOPBACK, wanted))
        except OSError:
            bound.close()
            continue
        return bound
    raise OSError("no free port on loopback")


async def run(handler: Handler, bound: socket.socket, *, pair: Path | None = None) -> None:
    """Serve until cancelled; ``pair`` is a PEM file with certificate and key."""
    config = uvicorn.Config(
        application(handler),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        ssl_certfile=str(pair) if pair else None,
        ssl_keyfile=str(pair) if pair else None,
    )
    server = _Server(config)
    try:
        await server.serve(sockets=[bound])
    except asyncio.CancelledError:
        await server.shutdown(sockets=[bound])
        raise


def certificate(path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key in one file, made when absent; API servers do not check it
    unless they are told a kubelet CA."""
    if path.exists():
        return path
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "system:node:hollow")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=825))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    path.touch(mode=0o600)
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + pem)
    return path
