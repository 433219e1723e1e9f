"""How pages look to a browser and under a crowd, and beside what people would pick instead."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext

from tests.bench.table import ROUNDS, Row, row
from tests.bench.world import World
from tests.controlplane.ports import free_ports
from tests.e2e.browser import WIDE, chromium
from tests.e2e.scale import Scale
from tests.faults.person import Person, closing

PAGE = "/deployments/?sort=name"
STEPS = (250, 500, 750, 1000)
EVERY = 60  # seconds between two pages that a viewer opens
LOOKS = 150  # pages of each step, at least
ENOUGH = 100  # milliseconds
PAINT = """() => new Promise((done) => new PerformanceObserver((list) =>
  done(list.getEntries().at(-1).startTime)).observe({ type: "largest-contentful-paint", buffered: true }))"""


@row(
    "lcp",
    "largest contentful paint of the list ÷ of the same page as a static file",
    must=2,
    aim=1.3,
    limit="the time until the server's first byte, the frame of the page and its queries.",
)
def paint(out: Row, world: World) -> None:
    """A fresh profile each time, so that style sheets and scripts come over the wire for both."""
    world.full()
    ours, theirs = [], []
    with closing(world.person()) as person, chromium() as browser, as_files(world, person) as static:
        for _ in range(ROUNDS):
            ours.append(painted(browser, world.site.url, PAGE, person))
            theirs.append(painted(browser, static, "/page.html", person))
    out.ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    out.said = f"{statistics.median(ours):.0f} ms against {statistics.median(theirs):.0f} ms"


def painted(browser: Browser, url: str, path: str, person: Person) -> float:
    """Milliseconds until the largest piece of a page was painted."""
    context = visitor(browser, url, person)
    page = context.new_page()
    page.goto(url + path, wait_until="load")
    found = float(page.evaluate(PAINT))
    context.close()
    return found


def visitor(browser: Browser, url: str, person: Person) -> BrowserContext:
    """A fresh browser that is signed in."""
    context = browser.new_context(viewport=WIDE)
    context.add_cookies([{"name": "sessionid", "value": person.session, "url": url}])
    return context


@contextmanager
def as_files(world: World, person: Person) -> Iterator[str]:
    """The page and all that it loads as files behind Python's own server; its address."""
    with TemporaryDirectory(prefix="llmdash-bench-") as folder:
        text = person.client.get(PAGE).text
        (Path(folder) / "page.html").write_text(text, encoding="utf-8")
        for quoted in text.split('"')[1::2]:
            if quoted.startswith("/static/"):
                target = Path(folder) / quoted.lstrip("/").partition("?")[0]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(person.client.get(quoted).content)
        [port] = free_ports(1)
        command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while True:
                time.sleep(0.1)
                try:
                    httpx.get(f"http://127.0.0.1:{port}/page.html", trust_env=False)
                    break
                except httpx.ConnectError:
                    continue
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait(10)


@row(
    "weight",
    "first view of the list over the wire, in kB",
    must=120,
    aim=85,
    limit="htmx, the style sheets and the icons; a later view sends the page alone.",
)
def weight(out: Row, world: World) -> None:
    """As Chromium counts what arrives, headers included; once."""
    world.full()
    with closing(world.person()) as person, chromium() as browser:
        page = visitor(browser, world.site.url, person).new_page()
        scale = Scale(page)
        page.goto(world.site.url + PAGE)
        page.wait_for_timeout(1500)
        first = scale.bytes
        scale.empty()
        page.goto(world.site.url + PAGE)
        page.wait_for_timeout(1500)
        out.ratios = [first / 1000]
        out.said = f"a later view {scale.bytes / 1000:.1f} kB; one measurement"


@row(
    "viewers",
    "people that one web process holds with p99 ≤ 100 ms",
    must=500,
    aim=1000,
    least=True,
    limit="drawing the list's frame; each stream costs its share of what is told.",
)
def viewers(out: Row, world: World) -> None:
    """Each holds a stream and opens the list once a minute; the most that were held, of one measurement."""
    world.full()
    held, said = 0, []
    with closing(world.person()) as person:
        for count in STEPS:
            times = asyncio.run(held_open(world, person.session, count))
            p99 = statistics.quantiles(times, n=100)[98] * 1000
            said.append(f"{count}: {p99:.0f} ms")
            if p99 > ENOUGH:
                break
            held = count
    out.ratios = [float(held)]
    out.said = ", ".join(said)


async def held_open(world: World, session: str, count: int) -> list[float]:
    """Seconds of each page while so many streams are open."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    times: list[float] = []
    client = httpx.AsyncClient(
        base_url=world.site.url, cookies={"sessionid": session}, trust_env=False, limits=limits, timeout=60
    )

    async def stay() -> None:
        async with client.stream("GET", "/stream/") as answer:
            async for _ in answer.aiter_raw():
                pass

    async def look() -> None:
        began = time.perf_counter()
        answer = await client.get("/deployments/")
        assert answer.status_code == httpx.codes.OK
        times.append(time.perf_counter() - began)

    async with client:
        streams = [asyncio.create_task(stay()) for _ in range(count)]
        await asyncio.sleep(5)
        for _ in range(10):
            await look()
        times.clear()
        looks: list[asyncio.Task[None]] = []
        for _ in range(LOOKS):
            looks.append(asyncio.create_task(look()))
            await asyncio.sleep(EVERY / count)
        await asyncio.gather(*looks)
        assert not any(task.done() for task in streams)
        for task in streams:
            task.cancel()
    return times


PEERS = """
from django.test import Client
client = Client(SERVER_NAME="127.0.0.1")
client.force_login(boss)
def timed(path):
    client.get(path)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        assert client.get(path).status_code == 200, path
        times.append(time.perf_counter() - began)
    return sorted(times)[10]
print(json.dumps([[timed("/deployments/"), timed("/admin/deployments/deployment/")] for _ in range(%(rounds)d)]))
"""


@row(
    "admin",
    "list page of 50 rows ÷ Django admin's changelist of 100 rows of the same",
    must=1,
    aim=0.5,
    limit="as the list page.",
)
def beside_admin(out: Row, world: World) -> None:
    """Medians of twenty, in one process and behind the same middleware."""
    world.full()
    found: list[list[Any]] = world.run(PEERS, rounds=ROUNDS)
    out.ratios = [a / b for a, b in found]
    ours, theirs = (statistics.median(column) * 1000 for column in zip(*found, strict=True))
    out.said = f"{ours:.0f} ms against {theirs:.0f} ms"
