"""One drawing of a live table for all who ask for it at the same time.

Many pages that follow one busy list ask for its table again whenever something changes. A drawing that began after a
request came shows all that its own would show. So while one is drawn, those who come wait without a thread; then one of
them asks for all.

A view allows it by a header of its answer (`deployments.http.sight`), which goes no further than here. What somebody
sees is looked up for them at least every TRUST_SECONDS, as often as the event stream does.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from deployments import metrics
from deployments.http import sight as sights

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
OK = 200
SIGHT, QUESTION = sights.HEADER.lower().encode(), sights.QUESTION.lower().encode()
TRUST_SECONDS = 5.0
REMEMBERED = 10_000  # people and the tables that they look at
OWN = {b"set-cookie", b"x-request-id"}  # of one answer alone
ASKED_BY = (b"host", b"accept-encoding", b"x-forwarded-proto")  # what the same table may differ by


@dataclass
class Answer:
    """What a view said, and for whom."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    sight: bytes = b""

    async def take(self, message: dict[str, Any]) -> None:
        """Collect it, as an ASGI `send`."""
        if message["type"] == "http.response.start":
            named = {name.lower(): value for name, value in message["headers"]}
            self.status, self.sight = message["status"], named.get(SIGHT, b"")
            self.headers = [pair for pair in message["headers"] if pair[0].lower() != SIGHT]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def give(self, send: Send, *, shared: bool) -> None:
        """Send it on; to another than its asker without what is the asker's own."""
        headers = [pair for pair in self.headers if not shared or pair[0].lower() not in OWN]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


Turn = asyncio.Future["Answer | None"]
Waiting = list[Turn]  # with None it is the waiter's turn to ask


class Crowd:
    """ASGI: lets live updates share answers, passes on everything else."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.sights: OrderedDict[Hashable, tuple[bytes, float]] = OrderedDict()  # and since when it is known
        self.asking: dict[Hashable, Waiting] = {}  # for what somebody asks now, and who came meanwhile

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # WSGI takes _ and - of a name for the same.
        headers = scope.get("headers", ())
        scope["headers"] = [pair for pair in headers if pair[0].lower().replace(b"_", b"-") != QUESTION]
        given = dict(scope["headers"])
        if scope["type"] != "http" or scope["method"] != "GET" or given.get(b"hx-request") != b"true":
            return await self.app(scope, receive, send)
        table = (scope["path"], scope["query_string"], *(given.get(name) for name in ASKED_BY))
        person = (hashlib.blake2b(given.get(b"cookie", b"")).digest(), table)
        sight, known_at = self.sights.get(person, (b"", 0.0))
        if not sight or time.monotonic() - known_at > TRUST_SECONDS:
            answer = await self.ask(scope | {"headers": [*scope["headers"], (QUESTION, b"1")]}, receive)
            if answer.status != sights.ALONE or not answer.sight:  # of a view that shares nothing
                return await answer.give(send, shared=False)
            sight = answer.sight
            self.remember(person, sight)
        answer, is_anothers = await self.together(table, sight, scope, receive)
        await answer.give(send, shared=is_anothers)

    async def ask(self, scope: Scope, receive: Receive) -> Answer:
        """What the view says."""
        answer = Answer()
        await self.app(scope, receive, answer.take)
        return answer

    async def together(self, table: Hashable, sight: bytes, scope: Scope, receive: Receive) -> tuple[Answer, bool]:
        """The answer, and whether it is another's who asked after we came and sees the same."""
        key = (table, sight)
        if key in self.asking:
            turn: Turn = asyncio.get_running_loop().create_future()
            self.asking[key].append(turn)
            answer = await turn
            if answer is not None and (answer.status, answer.sight) == (OK, sight):
                metrics.SHARED.inc()
                return answer, True
            if answer is not None:
                return await self.ask(scope, receive), False
        sharing, self.asking[key] = self.asking.get(key, []), []
        ours = Answer()  # of no sight: who would have shared one that failed asks alone
        try:
            ours = await self.ask(scope, receive)
        finally:
            for turn in sharing:
                if not turn.done():
                    turn.set_result(ours)
            self.next_turn(key)
        return ours, False

    def next_turn(self, key: Hashable) -> None:
        """Let the first of those who came meanwhile ask for all of them."""
        waiting = self.asking[key]
        while waiting:
            turn = waiting.pop(0)
            if not turn.done():
                return turn.set_result(None)
        del self.asking[key]

    def remember(self, person: Hashable, sight: bytes) -> None:
        """What somebody sees now; those of whom nothing was heard for longest are forgotten."""
        self.sights.pop(person, None)
        self.sights[person] = (sight, time.monotonic())
        while len(self.sights) > REMEMBERED:
            self.sights.popitem(last=False)
