"""A TLS proxy before the API server that a test makes slow, silent or gone, that shows other certificates, and answers
in the server's stead."""

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.controlplane.ports import free_ports
from tests.deployments.kube.servers import HOUR, Authority, tls

T = TypeVar("T")
PIECE = 65_536
LIVES = 20 * HOUR


@dataclass(frozen=True)
class Asked:
    """A request that came by: when, by `time.monotonic()`, its method and its target."""

    method: str
    target: str
    at: float = field(default_factory=time.monotonic)


Rule = Callable[[Asked], bytes | None]  # a whole answer instead of the API server's, or None


class Proxy:
    """Forwards to the API server on a port of loopback. `delay` is seconds that each request waits on its way there;
    `is_silent` keeps what comes on both ways, as a half-open connection does; `rule` may answer itself; `asked` tells
    every request."""

    def __init__(self, port: int, folder: Path) -> None:
        self.target = port
        self.delay, self.is_silent = 0.0, False
        self.rule: Rule | None = None
        self.asked: list[Asked] = []
        self.attempts = 0  # to connect, while nobody is let through
        self.authority = Authority.make()
        [self.port] = free_ports(1)
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.show()

    def show(self, authority: Authority | None = None, *, name: str = "127.0.0.1", **validity: Any) -> None:
        """Answer with another certificate from now on, of this authority and for this name; `start` and `lives` are
        its validity. Open connections are cut."""
        pair = (authority or self.authority).issue(name, **({"lives": LIVES} | validity))
        self._do(self._listen(tls(self._folder, pair)))

    def cut(self) -> None:
        """End every connection that is open."""
        self._do(self._cut())

    def refuse(self, *, refusing: bool = True) -> None:
        """Let nobody through, as when the server is gone, and count who tries; or let them through again."""
        if refusing:
            self.attempts = 0
            self._do(self._turn_away())
        else:
            self.show()

    def stop(self) -> None:
        self.is_silent = False
        self._do(self._stop_listening())
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def count(self, method: str, part: str, since: float = 0.0) -> int:
        """How many requests of a method had this in their target."""
        return sum(one.method == method and part in one.target and one.at >= since for one in list(self.asked))

    # ---- in the loop's thread

    def _do(self, act: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(20)

    async def _listen(self, context: ssl.SSLContext) -> None:
        await self._stop_listening()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context, limit=1 << 20)

    async def _stop_listening(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        await self._cut()

    async def _turn_away(self) -> None:
        async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.attempts += 1
            writer.transport.abort()

        await self._stop_listening()
        self._server = await asyncio.start_server(count, "127.0.0.1", self.port)

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        with contextlib.suppress(OSError):
            there, onward = await asyncio.open_connection("127.0.0.1", self.target, ssl=trusting)
            self._open |= {writer, onward}
            back = asyncio.create_task(self._answers(there, writer))
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    await self._request(reader, writer, onward)
            onward.transport.abort()
            await back
            self._open -= {writer, onward}
        writer.transport.abort()

    async def _request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, onward: asyncio.StreamWriter
    ) -> None:  # fmt: skip
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(method, target)
        self.asked.append(asked)
        await self._wait()
        await asyncio.sleep(self.delay)
        if said := self.rule(asked) if self.rule else None:
            writer.write(said)
            await writer.drain()
            return
        onward.write(head + body)
        await onward.drain()

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await there.read(PIECE):
                await self._wait()
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()

    async def _wait(self) -> None:
        while self.is_silent:
            await asyncio.sleep(0.05)
