"""The event stream: one response for each open page, carrying signals that something changed.

Signals come once to each process, by Redis or by reading the `Signal` rows, and go from there to the pages that may
see them. The response holds no database connection between messages.
"""

import asyncio
import contextlib
import contextvars
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import redis.asyncio as aioredis
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections, connection
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from deployments import metrics
from deployments.models import Cluster, ClusterStatus, Deployment, Project, Signal
from deployments.stream import CHANNEL
from llmdash.accounts.models import User

log = structlog.get_logger(__name__)
PING_SECONDS = 15.0
POLL_SECONDS = 0.25
VISIBLE_SECONDS = 5.0
LOOK_SECONDS = 1.0  # between two looks for rows that are new
READY_SECONDS = 2.0
QUEUE = 500
SEEN_SECONDS = 5.0
LATE_SECONDS = 2  # a row with a lower number may be committed this much later than a higher one

Message = dict[str, Any]
SEEN = "seen"


@dataclass(frozen=True)
class Signalled:
    """A signal as the pages get it, written once for all of them; `came` is on the monotonic clock."""

    topic: str
    id: str
    text: str
    came: float


Batch = list[Signalled] | None  # what came together, nothing for a sign of life; None: some were lost


def event(name: str, data: Message, number: int | None = None) -> str:
    """One event in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"


PING, RESET = event("ping", {}), event("reset", {})


class Hub:
    """Hands each signal of this process to every open stream."""

    def __init__(self) -> None:
        self.queues: set[asyncio.Queue[Batch]] = set()
        self.tasks: list[asyncio.Task[None]] = []
        self.ready = asyncio.Event()
        self.missed = False

    async def listening(self) -> bool:
        """Return once signals are heard, and whether they were before. Not for ever: without Redis pages are told to
        ask again and again."""
        before = self.ready.is_set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ready.wait(), READY_SECONDS)
        return before

    def begin(self) -> None:
        """From now on signals are heard; pages may have missed some if it was not so before."""
        self.ready.set()
        if self.missed:
            self.give(None)
        self.missed = False

    def join(self) -> "asyncio.Queue[Batch]":
        """A queue that gets every signal from now on; None in it means that some were lost."""
        queue: asyncio.Queue[Batch] = asyncio.Queue(QUEUE)
        self.queues.add(queue)
        if not self.tasks:
            # Each in a context of its own: that of this request ends, and its thread with it.
            self.tasks = [
                asyncio.create_task(self.keep(work), context=contextvars.Context())
                for work in (self.listen, self.tell_ages, self.ping)
            ]
        return queue

    def leave(self, queue: "asyncio.Queue[Batch]") -> None:
        """Forget a queue; with the last one, listening ends."""
        self.queues.discard(queue)
        if not self.queues:
            for task in self.tasks:
                task.cancel()
            self.tasks = []
            self.ready.clear()

    def give(self, messages: list[Message] | None) -> None:
        """Put what came together into every queue; a full one is emptied and told that it lost some."""
        came = time.monotonic()
        batch = None if messages is None else [signalled(message, came) for message in messages]
        for queue in self.queues:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
            queue.put_nowait(batch)

    async def ping(self) -> None:
        """Tell every page now and then that its stream lives."""
        while True:
            await asyncio.sleep(PING_SECONDS)
            self.give([])

    async def keep(self, work: Callable[[], Awaitable[None]]) -> None:
        """Work for ever; after any trouble every page is told to ask for everything again."""
        while True:
            try:
                await work()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("the signals broke off; trying again", error=str(error))
                self.missed = True
                await asyncio.sleep(1)
                self.give(None)

    async def listen(self) -> None:
        """Read signals from wherever they come."""
        await (self.by_redis() if settings.REDIS_URL else self.by_rows())

    async def tell_ages(self) -> None:
        """Tell pages when each cluster was last heard of, so that a quiet one does not look stale."""
        told: dict[str, str] = {}
        while True:
            ages = await sync_to_async(cluster_ages)()
            news = [{"topic": SEEN, "id": key, "at": at} for key, at in ages.items() if told.get(key) != at]
            if news:
                self.give(news)
            told = ages
            await asyncio.sleep(SEEN_SECONDS)

    async def by_redis(self) -> None:
        """Follow the channel."""
        client = aioredis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, health_check_interval=10)
        async with client.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            while True:
                batch: list[Message] = []
                message = await pubsub.get_message(timeout=30)
                while message:
                    if message["type"] == "subscribe":
                        self.begin()
                    else:
                        batch.append(json.loads(message["data"]))
                    message = await pubsub.get_message(timeout=0)  # what has come, too
                if batch:
                    self.give(batch)

    async def by_rows(self) -> None:
        """Read new rows four times a second; rows that were committed late are found by looking back a little."""
        last = await sync_to_async(newest)()
        self.begin()
        seen: dict[int, float] = {}
        while True:
            rows = await sync_to_async(newer)(last)
            now = time.monotonic()
            fresh = [row for row in rows if row["seq"] not in seen]
            seen |= {row["seq"]: now for row in fresh}
            if fresh:
                self.give([{"topic": row["topic"], "id": row["key"], "seq": row["seq"]} for row in fresh])
            old = [seq for seq, at in seen.items() if now - at > LATE_SECONDS]
            last = max([last, *old])
            for seq in old:
                del seen[seq]
            await asyncio.sleep(POLL_SECONDS)


def signalled(message: Message, came: float) -> Signalled:
    """A message as the pages get it."""
    topic = message["topic"]
    text = event(SEEN, message) if topic == SEEN else event("changed", message, message["seq"])
    return Signalled(topic, message["id"], text, came)


def cluster_ages() -> dict[str, str]:
    """When each cluster was last heard of, ISO 8601."""
    try:
        rows = ClusterStatus.objects.filter(seen_at__isnull=False).values_list("cluster", "seen_at")
        return {str(pk): at.isoformat() for pk, at in rows if at}
    finally:
        hang_up()


def newest() -> int:
    """The number of the newest signal."""
    try:
        return int(Signal.objects.aggregate(last=Max("seq"))["last"] or 0)
    finally:
        hang_up()


def newer(last: int) -> list[dict[str, Any]]:
    """Signals after a number."""
    close_old_connections()
    try:
        rows = Signal.objects.filter(seq__gt=last).values("seq", "topic", "key")[:1000]
        return [dict(row) for row in rows]
    finally:
        hang_up()


def hang_up() -> None:
    """Give this thread's database connection back; looked up here, since each thread has its own."""
    connection.close()


class Sight:
    """What a person may see, looked up again every few seconds: a lost membership closes the tap. All pages that a
    person has open in this process share one."""

    def __init__(self, user_id: uuid.UUID) -> None:
        self.user_id = user_id
        self.visible: set[str] = set()
        self.at = 0.0
        self.looking = asyncio.Lock()

    async def allows(self, signal: Signalled) -> bool:
        """Whether this person may know of this signal. It may be of a row that came after the last look: then we look
        again, and what came before that look needs none."""
        if signal.id in self.visible and not self.is_old():
            return True
        async with self.looking:
            if self.is_unknown(signal):
                await asyncio.sleep(max(0.0, self.at + LOOK_SECONDS - time.monotonic()))
            if self.is_unknown(signal) or self.is_old():
                at = time.monotonic()
                self.visible = await sync_to_async(self.look)()
                self.at = at
        return signal.id in self.visible

    def is_old(self) -> bool:
        """Whether a right may have been lost since the last look."""
        return time.monotonic() - self.at > VISIBLE_SECONDS

    def is_unknown(self, signal: Signalled) -> bool:
        """Whether the last look cannot have found what this signal is of."""
        return signal.id not in self.visible and self.at <= signal.came

    def look(self) -> set[str]:
        """The ids of every deployment, cluster and project that the person may see now."""
        try:
            user = User.objects.filter(pk=self.user_id).first()
            if user is None:
                return set()
            rows = [*Deployment.objects.visible_to(user).values_list("pk", flat=True)]
            rows += Cluster.objects.visible_to(user).values_list("pk", flat=True)
            rows += Project.objects.visible_to(user).values_list("pk", flat=True)
            return {str(pk) for pk in rows}
        finally:
            hang_up()


HUB = Hub()
SIGHTS: WeakValueDictionary[uuid.UUID, Sight] = WeakValueDictionary()  # by user, for as long as a stream is open


def sight_of(user: User) -> Sight:
    """The sight that this person's pages share."""
    return SIGHTS.setdefault(user.pk, Sight(user.pk))


async def stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Signals of `?topics=deployment,cluster`. Nobody replays: a known Last-Event-ID also starts with a reset."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=401)
    await sync_to_async(hang_up)()
    topics = {SEEN, *request.GET.get("topics", "deployment,cluster").split(",")}
    came_back = "Last-Event-ID" in request.headers
    response = StreamingHttpResponse(events(sight_of(user), topics, came_back), content_type="text/event-stream")
    response["Content-Encoding"] = "identity"  # compressed, it would be held back
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def events(sight: Sight, topics: set[str], came_back: bool) -> AsyncIterator[str]:  # noqa: FBT001
    """The text of the stream."""
    queue = HUB.join()
    metrics.STREAMS.inc()
    try:
        # The page asked for everything when the stream opened; what changed until we listened it may have missed.
        missed = came_back or not await HUB.listening()
        yield RESET if missed else PING
        while True:
            batch = await queue.get()
            if batch is None:
                yield RESET
            elif not batch:
                yield PING
            elif text := "".join([one.text for one in batch if one.topic in topics and await sight.allows(one)]):
                yield text
    finally:
        metrics.STREAMS.dec()
        HUB.leave(queue)
