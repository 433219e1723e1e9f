"""/metrics of the web, and the vitals of real worker and watcher processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from deployments import metrics as counters
from deployments import reconcile
from deployments.choices import Role
from llmdash import metrics, vitals
from llmdash.demo import state
from tests import stage
from tests.controlplane.ports import free_ports
from tests.e2e.server import environment
from tests.services import redis_instance, redis_server

__all__ = ["redis_instance", "redis_server"]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Values by name and label values."""
    families = text_string_to_metric_families(text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


# ---- the web


@pytest.mark.django_db
def test_metrics_want_a_login_or_the_token(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "secret word"
    refused = client.get("/metrics")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer realm="llmdash metrics"')
    assert client.get("/metrics", headers={"Authorization": "Bearer secret"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer secret word"}).status_code == 200
    assert client.post("/metrics").status_code == 405
    client.force_login(stage.user("maria"))
    assert client.get("/metrics").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["Bearer ", "Bearer", "", "Basic x", "Bearer \u00e9"])
def test_without_a_token_none_is_right(client: Client, settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": header}).status_code == 401


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_not_by_address(client: Client) -> None:
    client.force_login(stage.user("maria"))

    def count(*labels: str) -> float:
        return samples(metrics.exposition().decode()).get(("llmdash_web_requests_total", *labels), 0.0)

    before = count("GET", "metrics", "2xx"), count("GET", "none", "4xx"), count("other", "metrics", "4xx")
    client.get("/metrics")
    client.get("/no/such/page/17")
    client.generic("BREW", "/metrics")
    after = count("GET", "metrics", "2xx"), count("GET", "none", "4xx"), count("other", "metrics", "4xx")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]
    assert "17" not in {label for key in samples(metrics.exposition().decode()) for label in key}


# ---- what is counted of rows


@pytest.mark.django_db(transaction=True)
def test_a_row_is_counted_when_it_is_claimed_and_when_it_fails() -> None:
    project = stage.project("team")
    stage.deployment(project, stage.member(project, "maria", Role.OPERATOR))
    assert reconcile.due().count() == 1
    before = samples(metrics.exposition().decode())
    assert reconcile.drain() == 1
    now = samples(metrics.exposition().decode())
    for name in ("llmdash_worker_rows_claimed_total", "llmdash_worker_row_duration_seconds_count"):
        assert now[(name,)] - before[(name,)] == 1
    failed = ("llmdash_worker_rows_failed_total",)
    grown = {key[1]: now[key] - before.get(key, 0) for key in now if key[:1] == failed and now[key] != before.get(key)}
    assert sum(grown.values()) == 1, grown


# ---- loops


def test_a_loop_that_does_not_come_round_is_stuck_and_one_that_rests_is_not() -> None:
    counters.beat("a loop")
    assert "a loop" not in metrics.stuck()
    assert "a loop" in metrics.stuck(time.time() + 600)
    counters.rest("a loop")
    assert "a loop" not in metrics.stuck(time.time() + 600)


@pytest.mark.django_db
def test_a_loop_that_the_database_broke_is_not_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("no route")

    monkeypatch.setattr("deployments.reconcile.step.claim", away)
    monkeypatch.setattr("deployments.reconcile.step.close_old_connections", lambda: None)
    with pytest.raises(OperationalError):
        reconcile.drain()
    assert threading.current_thread().name not in metrics.stuck(time.time() + 600)


def test_a_stuck_loop_is_named_by_healthz(monkeypatch: pytest.MonkeyPatch) -> None:
    server = vitals.Vitals(free_ports(1)[0])
    counters.BEAT.clear()  # of the loops that other tests of this process left
    try:
        counters.beat("a loop")
        assert server.answer("/healthz")[0] == 200
        monkeypatch.setattr(metrics, "QUIET_SECONDS", -1000.0)
        status, _, body = server.answer("/healthz")
        assert (status, b"a loop" in body) == (503, True)
        assert server.answer("/elsewhere")[0] == 404
    finally:
        counters.rest("a loop")
        server.server_close()


def test_nothing_is_served_unless_asked_for(settings: Any) -> None:
    settings.METRICS_PORT = 0
    threads = threading.active_count()
    assert vitals.serve() is None
    assert threading.active_count() == threads


# ---- real processes


@dataclass
class Process:
    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=10)

    def until(self, path: str, word: str) -> str:
        """The answer, once it holds the word."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                text = self.get(path).text
            except httpx.TransportError as error:
                text = str(error)
            if word in text:
                return text
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, f"{text[-3000:]}\n{self.log.read_text()[-3000:]}"
            time.sleep(0.1)


@contextmanager
def running(folder: Path, *command: str, broker: str = "") -> Iterator[Process]:
    """A process of ours on the tests' database."""
    [port] = free_ports(1)
    state.ensure(folder)
    more = {
        "LLMDASH_METRICS_PORT": str(port),
        "LLMDASH_STATE_DIR": str(folder),
        "TMPDIR": str(folder),
        "REDIS_URL": broker,
        "LLMDASH_ALLOW_LOOPBACK": "1",
    }
    with (folder / "process.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment() | more, stdout=log, stderr=log
        )
    try:
        yield Process(f"http://127.0.0.1:{port}", process, folder / "process.log")
    finally:
        process.kill()
        process.wait()


def sweeping(text: str) -> set[str]:
    """The processes whose sweep has beaten."""
    return {key[2] for key in samples(text) if key[:2] == ("llmdash_loop_beat_timestamp_seconds", "sweep")}


def test_a_worker_tells_of_all_processes_of_its_pool(
    transactional_db: None,
    tmp_path: Path,
    redis_server: str,
) -> None:
    """On Redis: on the file broker the pool's processes share one pipe, whose lock dies with the one that is killed."""
    command = ("-m", "celery", "-A", "llmdash", "worker", "--concurrency", "2")
    with running(tmp_path, *command, broker=redis_server) as worker:
        assert worker.until("/healthz", "ok") == "ok\n"
        assert worker.get("/readyz").text == "ready\n"
        text = worker.until("/metrics", 'loop="sweep"')
        assert samples(text)[("llmdash_worker_rows_due",)] == 0
        pids = sweeping(text)
        assert len(pids) == 2
        os.kill(int(min(pids)), signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while min(pids) in (now := sweeping(worker.get("/metrics").text)) or len(now) < 2:
            assert time.monotonic() < deadline, "the dead one is forgotten, and another has taken its place"
            time.sleep(0.1)
        assert worker.get("/metrics?x=1").headers["content-type"].startswith("text/plain")
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(PATIENCE) == 0
    assert list(tmp_path.glob("llmdash-metrics-*")) == []


def test_a_watcher_tells_of_its_clusters(transactional_db: None, tmp_path: Path) -> None:
    stage.cluster("east")  # the process has another key, so its credentials cannot be opened
    with running(tmp_path, "manage.py", "watch") as watcher:
        text = watcher.until("/metrics", 'llmdash_watcher_clusters{connection="rejected"} 1.0')
        assert 'llmdash_watcher_proof_age_seconds{cluster="east"} NaN' in text
        assert 'loop="cluster east"' in text
        assert watcher.get("/healthz").text == "ok\n"
        assert watcher.get("/readyz").text == "ready\n"
        watcher.process.send_signal(signal.SIGTERM)
        assert watcher.process.wait(PATIENCE) == 0
