"""Lists and watches, decoded into the structs that the caller names.

Each watch asks for a short life; that it ends and is opened again from the last resourceVersion is the proof that it
lives, and costs no list. Bookmarks only move the resourceVersion.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
import structlog
import urllib3
from django.conf import settings

from deployments.kube import errors
from deployments.kube.client import Connection, Identity
from deployments.kube.kinds import collection

log = structlog.get_logger(__name__)
T = TypeVar("T")
PAGE = 500
READ_MARGIN = 10  # seconds that a watch may be silent beyond its own end
BACKOFF_LAST = 30.0  # seconds
LIVED = 10.0  # seconds after which a watch that breaks off is no sign of trouble
SHORTEST = 0.5  # seconds
MAX_LINE_BYTES = 16 * 1024 * 1024


class Meta(msgspec.Struct):
    """metadata of a list."""

    resourceVersion: str = ""  # noqa: N815  (Kubernetes' own spelling)
    continue_: str = msgspec.field(name="continue", default="")


class Line(msgspec.Struct):
    """One line of a watch; the object is decoded by itself, so that a bad one costs only itself."""

    type: str
    object: msgspec.Raw


class OnlyMeta(msgspec.Struct):
    metadata: Meta


class ListOf(msgspec.Struct):
    metadata: Meta
    items: list[msgspec.Raw] | None = None


# Made here, by the one thread that imports: msgspec 0.22 learns a struct's fields at its first use, and threads that
# do so at once read a half-made table and crash the process.
LISTS = msgspec.json.Decoder(ListOf)
LINES = msgspec.json.Decoder(Line)
METAS = msgspec.json.Decoder(OnlyMeta)


@dataclass
class Feed(Generic[T]):
    """What to watch and whom to tell. `decoder` is made once, before there are threads.

    `replace` gets the whole list after each list, `change` each ("ADDED" | "MODIFIED" | "DELETED", object),
    `alive` is called whenever the API server proved that this watch lives, `failed` with each error. An object that has
    a method `kept` is told as that gives it back: before the next is read, so that it may be made small.
    """

    kind: str
    decoder: "msgspec.json.Decoder[T]"
    replace: Callable[[list[T]], None]
    change: Callable[[str, T], None]
    alive: Callable[[], None]
    failed: Callable[[errors.KubeError], None]
    namespace: str = ""
    label_selector: str = ""
    identity: Identity = field(default_factory=Identity)


@dataclass
class Place:
    """How far a feed has come. It outlives a watch that breaks off, so that nothing is told twice."""

    version: str = ""


def follow(connection: Connection, feed: Feed[T], stop: threading.Event) -> None:
    """List, then watch, until `stop`. Never raises: what goes wrong is told to the feed and tried again."""
    place, pause = Place(), 0.0
    while not stop.is_set():
        started = time.monotonic()
        try:
            if not place.version:
                place.version = relist(connection, feed)
            watch(connection, feed, place, stop)
            pause = 0.0
        except errors.Gone as error:
            # One list at once; a server that always says so is asked ever more slowly.
            place.version = ""
            pause = wait(stop, pause, error, first=0.0)
        except Exception as error:
            if time.monotonic() - started > LIVED:
                pause = 0.0
            trouble = told(feed, error, place)
            pause = wait(stop, pause, trouble, first=settings.LLMDASH["BACKOFF_FIRST_SECONDS"])


def told(feed: Feed[T], error: Exception, place: Place) -> errors.KubeError:
    """Tell the feed what went wrong; after what it may have missed it gets a new list."""
    trouble = error if isinstance(error, errors.KubeError) else None
    if trouble is None:
        log.exception("a feed could not take what it was told", kind=feed.kind, exc_info=error)
        trouble = errors.KubeError(f"{type(error).__name__} in llmdash; see its log.", 0, "Internal")
        place.version = ""
    elif trouble.status not in (0, 429) and trouble.status < 500:
        place.version = ""
    try:
        feed.failed(trouble)
    except Exception:
        log.exception("a feed could not take that it failed", kind=feed.kind)
    return trouble


def wait(stop: threading.Event, pause: float, error: errors.KubeError, *, first: float) -> float:
    """Sleep for `first` or twice the last pause, with jitter; returns the pause for the next time."""
    least: float = settings.LLMDASH["BACKOFF_FIRST_SECONDS"]
    most = min(BACKOFF_LAST, settings.LLMDASH["BACKOFF_LAST_SECONDS"])
    now = min(most, pause * 2) if pause else first
    stop.wait(max(now * random.uniform(0.7, 1.3), error.retry_after or 0))  # noqa: S311  (jitter)
    return max(now, least / 2)


def relist(connection: Connection, feed: Feed[T]) -> str:
    """Hand the whole list over; returns its resourceVersion."""
    found: list[T] = []
    token = ""
    while True:
        query: dict[str, Any] = {"limit": PAGE} | ({"continue": token} if token else {})
        body = connection.read(
            "GET", collection(feed.kind, feed.namespace), identity=feed.identity, query=query | selectors(feed),
            timeout=urllib3.Timeout(connect=settings.LLMDASH["REQUEST_SECONDS"], read=60),
        )  # fmt: skip
        version, token, items = decode_list(body, feed)
        found += items
        if not token:
            break
    feed.replace(found)
    feed.alive()
    return version


def decode_list(body: bytes, feed: Feed[T]) -> tuple[str, str, list[T]]:
    """(resourceVersion, continue token, objects); an object that cannot be read is left out and logged."""
    try:
        page = LISTS.decode(body)
    except errors.UNREADABLE as error:
        raise errors.NotKubernetes(f"The list of {feed.kind} cannot be read.") from error
    items = [item for raw in page.items or [] if (item := decode_one(raw, feed)) is not None]
    return page.metadata.resourceVersion, page.metadata.continue_, items


def decode_one(raw: msgspec.Raw, feed: Feed[T]) -> T | None:
    """One object, or None with a log line."""
    try:
        item = feed.decoder.decode(raw)
        return item.kept() if hasattr(item, "kept") else item
    except errors.UNREADABLE as error:
        log.warning("an object cannot be read", kind=feed.kind, error=str(error))
        return None


def watch(connection: Connection, feed: Feed[T], place: Place, stop: threading.Event) -> None:
    """Follow one watch to its end and keep `place` up to date. Raises Gone when that is too old."""
    seconds = max(1, round(settings.LLMDASH["WATCH_SECONDS"] * random.uniform(0.9, 1.07)))  # noqa: S311  (jitter)
    query = {
        "watch": "1", "resourceVersion": place.version, "allowWatchBookmarks": "true", "timeoutSeconds": seconds,
    } | selectors(feed)  # fmt: skip
    response = connection.open(
        "GET", collection(feed.kind, feed.namespace), identity=feed.identity, query=query,
        timeout=urllib3.Timeout(connect=settings.LLMDASH["REQUEST_SECONDS"], read=seconds + READ_MARGIN),
    )  # fmt: skip
    feed.alive()
    started = time.monotonic()
    try:
        for line in lines(response):
            if stop.is_set():
                return
            place.version = hand_over(line, feed) or place.version
    except urllib3.exceptions.HTTPError as error:
        raise errors.from_transport(error) from error
    finally:
        response.close()
    if time.monotonic() - started < SHORTEST:
        stop.wait(SHORTEST)  # a proxy that ends watches at once must not be hammered
    feed.alive()


def hand_over(line: bytes, feed: Feed[T]) -> str:
    """Tell the feed of one line; returns its resourceVersion."""
    try:
        event = LINES.decode(line)
    except errors.UNREADABLE as error:
        raise errors.Unreachable("The watch broke off in the middle of a line.") from error
    if event.type == "ERROR":
        raise errors.from_response(code_of(event.object), bytes(event.object), {})
    version = ""
    try:
        version = METAS.decode(event.object).metadata.resourceVersion
    except errors.UNREADABLE:
        log.warning("a watch event cannot be read", kind=feed.kind)
    if event.type == "BOOKMARK":
        return version
    item = decode_one(event.object, feed)
    if item is not None:
        feed.change(event.type, item)
    return version


def code_of(status: msgspec.Raw) -> int:
    """The code of a Status, 500 when it tells none that is an error's."""
    try:
        code = errors.STATUSES.decode(status).code
    except errors.UNREADABLE:
        return 500
    return code if code >= 400 else 500


def lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The lines of a stream as they arrive."""
    rest = b""
    for chunk in response.stream(65_536, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())
        if len(rest) > MAX_LINE_BYTES:
            raise errors.NotKubernetes("A line of the watch has no end.")


def selectors(feed: Feed[Any]) -> dict[str, str]:
    """The query parameters that narrow the feed."""
    return {"labelSelector": feed.label_selector} if feed.label_selector else {}
