"""Servers that restart, forget, and cut connections."""

import signal
import threading
import time
from contextlib import suppress
from typing import Any

import httpx
import pytest
import redis

from tests.faults.conftest import Fault
from tests.faults.person import Person, closing
from tests.faults.site import BOUNDS, Site, eventually

pytestmark = pytest.mark.plane
STALE = float(BOUNDS["LLMDASH_STALE_SECONDS"])
LAST_PAUSE = float(BOUNDS["LLMDASH_BACKOFF_LAST_SECONDS"])


@pytest.mark.fault("4", "Redis killed, started again empty, flushed", bound=15)
def test_a_redis_that_forgets_loses_nothing(site: Site, fault: Fault) -> None:
    first = site.deploy("before")
    eventually(lambda: site.is_applied(first), 30)
    site.redis.part.kill()
    second = site.deploy("without")
    site.redis.start()
    fault.until(lambda: site.is_applied(second))
    with redis.Redis.from_url(site.redis.url) as client:
        client.flushall()
    third = site.deploy("flushed")
    fault.until(lambda: site.is_applied(third))


class Load:
    """Somebody who reads and deploys all the time, whatever is answered."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.made: list[dict[str, Any]] = []
        self.unclear: list[str] = []  # asked for, and the answer was lost
        self.statuses: set[int] = set()
        self.odd: list[str] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._done.wait(0.05):
            number += 1
            self._look("/api/v1/deployments")
            if number % 10 == 0:
                self._deploy(f"load-{number}")

    def _look(self, path: str) -> None:
        answer = self.site.get(path)
        self.statuses.add(answer.status_code)
        if answer.status_code not in (200, 599) and (answer.status_code != 503 or "Retry-After" not in answer.headers):
            self.odd.append(f"{answer.status_code} {answer.text[:200]}")
        if "Traceback" in answer.text:
            self.odd.append(answer.text[:200])

    def _deploy(self, name: str) -> None:
        try:
            answer = self.site.send("/deployments", self.site.wanted(name, replicas=0))
        except httpx.TransportError:
            return self.unclear.append(name)
        self.statuses.add(answer.status_code)
        if answer.status_code == 202:
            self.made.append(answer.json())
        elif answer.status_code == 503:
            self.unclear.append(name)  # a COMMIT whose answer was lost is a 503, too
        else:
            self.odd.append(f"{answer.status_code} {answer.text[:200]}")
        return None


@pytest.mark.fault("5", "PostgreSQL restarted three times under load", bound=30)
def test_a_restarted_database_is_met_again(site: Site, fault: Fault) -> None:
    site.serve_pages()
    with Load(site) as load, closing(Person(site)) as person:
        for _ in range(3):
            time.sleep(2)
            site.postgres.stop()
            try:
                eventually(lambda: 503 in load.statuses, 10)
                page = person.client.get("/")
                assert (page.status_code, "Traceback" in page.text) == (503, False), page.text[:500]
                assert int(page.headers["Retry-After"]) > 0
                time.sleep(1)
            finally:
                site.postgres.start()
            fault.until(lambda: site.get("/api/v1/deployments").status_code == 200)
        time.sleep(2)
    assert load.odd == []
    assert load.statuses <= {200, 202, 503, 599}
    assert len(load.made) >= 6
    names = {name for (name,) in site.rows("select name from deployments_deployment")}
    site.acts += len(load.made) + len(names.intersection(load.unclear))
    rows = [{"id": str(pk)} for (pk,) in site.rows("select id from deployments_deployment")]
    fault.until(lambda: all(site.is_applied(one) for one in rows))


@pytest.mark.fault("6", "the web dies after COMMIT, before the doorbell", bound=10)
def test_the_sweep_finds_what_nobody_rang_for(site: Site, fault: Fault) -> None:
    site.redis.part.signal(signal.SIGSTOP)  # the doorbell hangs
    try:
        asking = threading.Thread(target=deploy_unheard, args=(site, "qwen"))
        asking.start()
        eventually(lambda: site.rows("select id from deployments_deployment"), 10)
        site.parts["web"].kill()
        fault.until(lambda: site.rows("select id from deployments_deployment where applied = 1"))
        asking.join()
    finally:
        site.redis.part.signal(signal.SIGCONT)
    site.acts += 1
    site.restart("web")


def deploy_unheard(site: Site, name: str) -> None:
    """Ask for a deployment; the answer never comes."""
    with suppress(httpx.TransportError):
        site.send("/deployments", site.wanted(name))


@pytest.mark.fault("7", "the API server is gone, then back", bound=30)
def test_an_outage_of_the_cluster_is_outlived(site: Site, fault: Fault) -> None:
    first = site.deploy("before")
    eventually(lambda: site.is_applied(first) and site.status(first).get("observed_revision") == 1, 30)
    before = site.status(first)
    site.proxy.refuse()
    second = site.deploy("during")
    eventually(lambda: site.is_stale(first), 3 * STALE)
    shown = site.status(first)
    assert (shown["ready"], shown["seen_at"]) == (before["ready"], shown["seen_at"])
    assert shown["health"] == "unknown", "what is stale is never shown as healthy"
    time.sleep(2 * LAST_PAUSE)  # the pauses have grown to their longest
    alone, busy = attempts(site, 0), attempts(site, 40)
    assert busy <= alone * 1.5 + 2, "who looks at pages sends nobody to the cluster"
    site.proxy.refuse(refusing=False)
    fault.until(lambda: site.is_applied(second) and not site.is_stale(first))


def attempts(site: Site, views: int) -> int:
    """How often somebody tries to connect in two of the longest pauses, while pages are looked at."""
    began, before = time.monotonic(), site.proxy.attempts
    for _ in range(views):
        site.get("/api/v1/deployments")
        site.get("/api/v1/clusters")
    time.sleep(max(0.0, 2 * LAST_PAUSE - (time.monotonic() - began)))
    return site.proxy.attempts - before


@pytest.mark.fault("11", "a half-open connection: the API server falls silent", bound=30)
def test_a_silent_watch_is_shown_stale_and_recovers(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made) and not site.is_stale(made), 30)
    silent = time.monotonic()
    site.proxy.is_silent = True
    eventually(lambda: site.is_stale(made), 3 * STALE)
    site.proxy.is_silent = False
    fault.until(lambda: not site.is_stale(made))
    lists = [one.target for one in site.proxy.asked if one.at > silent and is_list(one.target)]
    assert lists == [], "what is known still holds: nothing is listed anew"


def is_list(target: str) -> bool:
    """Whether a feed asks for everything."""
    return "limit=" in target and "watch=" not in target
