"""Servers that restart, forget, and cut connections."""

import signal
import time

import pytest
import redis

from tests.faults.conftest import Fault
from tests.faults.site import Site, eventually

pytestmark = pytest.mark.plane


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


@pytest.mark.fault("5", "PostgreSQL restarted three times under load", bound=30)
def test_a_restarted_database_is_met_again(site: Site, fault: Fault) -> None:
    made = [site.deploy(f"early-{n}") for n in range(3)]
    for round_ in range(3):
        site.postgres.stop()
        answer = site.get("/api/v1/deployments")
        assert (answer.status_code, "Traceback" in answer.text) == (503, False)
        assert int(answer.headers["Retry-After"]) > 0
        site.postgres.start()
        eventually(lambda: site.get("/api/v1/deployments").status_code == 200, 30)
        made.append(site.deploy(f"round-{round_}"))
    fault.until(lambda: all(site.is_applied(one) for one in made))


@pytest.mark.fault("6", "Redis hangs after COMMIT: no message reaches a worker", bound=10)
def test_the_sweep_finds_what_nobody_rang_for(site: Site, fault: Fault) -> None:
    site.redis.part.signal(signal.SIGSTOP)
    try:
        made = site.deploy("qwen")
        fault.until(lambda: site.is_applied(made))
    finally:
        site.redis.part.signal(signal.SIGCONT)


@pytest.mark.fault("7", "the API server is gone, then back", bound=30)
def test_an_outage_of_the_cluster_is_outlived(site: Site, fault: Fault) -> None:
    first = site.deploy("before")
    eventually(lambda: site.is_applied(first), 30)
    site.proxy.refuse()
    second = site.deploy("during")
    eventually(lambda: site.is_stale(first), 30)
    site.proxy.refuse(refusing=False)
    fault.until(lambda: site.is_applied(second) and not site.is_stale(first))


@pytest.mark.fault("11", "a half-open connection: the API server falls silent", bound=30)
def test_a_silent_watch_is_shown_stale_and_recovers(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made) and not site.is_stale(made), 30)
    site.proxy.is_silent = True
    eventually(lambda: site.is_stale(made), 30)
    site.proxy.is_silent = False
    began = time.monotonic()
    fault.until(lambda: not site.is_stale(made))
    assert time.monotonic() - began < fault.bound
