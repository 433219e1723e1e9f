"""The event stream of a real web process, by rows of the database and by Redis."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from deployments import services, stream
from deployments.choices import Role
from deployments.models import ClusterStatus, Deployment, Membership
from llmdash.accounts.models import User
from tests import stage
from tests.controlplane.ports import free_ports
from tests.services import Redis, redis_instance, redis_server

__all__ = ["redis_instance", "redis_server"]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
PING_SECONDS = 1.5
# As `uvicorn llmdash.asgi:application`, but that pings come sooner.
LAUNCH = """
import sys, uvicorn
import llmdash.asgi
from llmdash import stream
stream.PING_SECONDS = float(sys.argv[2])
uvicorn.run(llmdash.asgi.application, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


def eventually(check: Callable[[], Any], what: str, *, seconds: float = PATIENCE) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not in {seconds:g} s: {what}"
        time.sleep(0.02)
    return found


# ---- the web process


@dataclass
class Web:
    """uvicorn with our application, on the test's own database."""

    url: str
    pid: int
    redis: str
    log: Path

    def database_files(self) -> int:
        """How many of its open files are the database's."""
        name, count = str(connection.settings_dict["NAME"]), 0
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                count += os.readlink(entry).startswith(name)
            except OSError:
                continue  # closed meanwhile
        return count


@pytest.fixture(scope="module", params=["rows", "redis"])
def server(
    request: pytest.FixtureRequest, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """One process for all tests of this module, for each way that signals travel."""
    redis = request.getfixturevalue("redis_server") if request.param == "redis" else ""
    with serving(tmp_path_factory.mktemp("web"), redis) as made:
        yield made


@contextmanager
def serving(folder: Path, redis: str = "") -> Iterator[Web]:
    """A web process of its own."""
    port = free_ports(1)[0]
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")} | {
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "REDIS_URL": redis,
        "SECRET_KEY": django_settings.SECRET_KEY,
        "LLMDASH_STATE_DIR": str(folder),
        "LLMDASH_DEBUG": "true",
    }
    with (folder / "web.log").open("wb") as log:
        command = [sys.executable, "-c", LAUNCH, str(port), str(PING_SECONDS)]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    made = Web(f"http://127.0.0.1:{port}", process.pid, redis, folder / "web.log")
    try:
        eventually(lambda: answers(made.url), "the web process answers")
        yield made
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def web(server: Web, transactional_db: None, settings: Any) -> Web:
    """The process, with this one publishing on the same way."""
    settings.REDIS_URL = server.redis
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    stream.client.cache_clear()
    return server


# ---- a page


@dataclass
class Tap:
    """One open stream: what came, as (name, data, id, when)."""

    came: list[tuple[str, dict[str, Any], str, float]] = field(default_factory=list)
    ended: bool = False
    closed: bool = False

    def names(self) -> list[str]:
        return [name for name, _, _, _ in self.came]

    def changed(self, key: object) -> list[float]:
        """When signals of this row came."""
        return [at for name, data, _, at in self.came if name == "changed" and data["id"] == str(key)]

    def read(self, response: httpx.Response) -> None:
        name, data, number = "", {}, ""
        for line in response.iter_lines():
            if self.closed:
                return  # with the next line, a ping at the latest
            kind, _, value = line.partition(": ")
            if kind == "event":
                name = value
            elif kind == "id":
                number = value
            elif kind == "data":
                data = json.loads(value)
            elif not line and name:
                self.came.append((name, data, number, time.monotonic()))
                name, data, number = "", {}, ""


def cookie(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"sessionid": client.cookies["sessionid"].value}


@contextmanager
def tapped(web: Web, user: User, query: str = "", **headers: str) -> Iterator[Tap]:
    """An open stream, once its first event has come."""
    tap, ready = Tap(), threading.Event()
    cookies = cookie(user)
    given = {name.replace("_", "-"): value for name, value in headers.items()}

    def run() -> None:
        try:
            url = f"{web.url}/stream/{query}"
            with httpx.stream(
                "GET", url, headers=given, cookies=cookies, timeout=PATIENCE, trust_env=False
            ) as response:
                assert response.status_code == 200
                assert response.headers["content-type"] == "text/event-stream"
                ready.set()
                tap.read(response)
        except httpx.HTTPError:
            pass  # the test sees that it ended
        tap.ended = True

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert ready.wait(PATIENCE), web.log.read_text()[-3000:]
        eventually(lambda: tap.came, "the first event")
        yield tap
    finally:
        tap.closed = True


@pytest.fixture
def row(web: Web) -> Deployment:
    project = stage.project("team")
    return stage.deployment(project, stage.member(project, "maria", Role.OPERATOR))


def maria() -> User:
    return User.objects.get(username="maria")


def signal(row: Deployment) -> float:
    """Publish as the watcher does; returns when it was committed."""
    with transaction.atomic():
        stream.publish(stream.DEPLOYMENT, [row.pk])
    return time.monotonic()


# ---- who may


def test_an_anonymous_visitor_gets_no_stream(web: Web) -> None:
    answer = httpx.get(f"{web.url}/stream/", trust_env=False)
    assert answer.status_code == 401
    forged = httpx.get(f"{web.url}/stream/", cookies={"sessionid": "forged"}, trust_env=False)
    assert forged.status_code == 401


def test_a_stream_is_never_kept_or_compressed_on_its_way(web: Web, row: Deployment) -> None:
    with httpx.stream("GET", f"{web.url}/stream/", cookies=cookie(maria()), trust_env=False) as answer:
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-encoding"] == "identity"
        assert answer.headers["x-accel-buffering"] == "no"


# ---- what comes


def test_a_change_comes_within_two_seconds_and_carries_its_number(web: Web, row: Deployment) -> None:
    with tapped(web, maria()) as tap:
        eventually(lambda: signal(row) and tap.changed(row.pk), "the first look at what may be seen")
        time.sleep(1)
        before, sent = len(tap.changed(row.pk)), time.monotonic()
        signal(row)
        came = eventually(lambda: tap.changed(row.pk)[before:], "the signal")
        assert came[0] - sent < 2
        _, data, number, _ = [event for event in tap.came if event[0] == "changed"][-1]
        assert (data["topic"], data["id"], str(data["seq"])) == ("deployment", str(row.pk), number)


def test_what_a_person_saves_comes_to_the_pages_of_others(web: Web, row: Deployment) -> None:
    viewer = stage.member(row.project, "viewer", Role.VIEWER)
    with tapped(web, viewer) as tap:
        services.scale(deployment=row, replicas=3, by=maria())
        eventually(lambda: tap.changed(row.pk), "the signal", seconds=2)


def test_the_first_signal_of_a_new_deployment_is_not_lost(web: Web, row: Deployment) -> None:
    with tapped(web, maria()) as tap:
        signal(row)
        eventually(lambda: tap.changed(row.pk), "the signal")
        made = stage.deployment(row.project, maria(), "just-made")
        eventually(lambda: tap.changed(made.pk), "the signal of the new one", seconds=2)


def test_signals_of_what_a_person_may_not_see_do_not_come(web: Web, row: Deployment) -> None:
    other = stage.project("other", cluster=stage.cluster("west"))
    hidden = stage.deployment(other, stage.member(other, "stranger", Role.ADMIN), "hidden")
    with tapped(web, maria()) as mine, tapped(web, User.objects.get(username="stranger")) as theirs:
        for _ in range(3):
            signal(hidden)
            signal(row)
        eventually(lambda: len(mine.changed(row.pk)) >= 3 and len(theirs.changed(hidden.pk)) >= 3, "all signals")
        assert (mine.changed(hidden.pk), theirs.changed(row.pk)) == ([], [])
        assert str(hidden.pk) not in str(mine.came)


def test_only_the_topics_that_were_asked_for_come(web: Web, row: Deployment) -> None:
    with tapped(web, maria(), "?topics=cluster") as tap:
        signal(row)
        with transaction.atomic():
            stream.publish(stream.CLUSTER, [row.project.cluster.pk])
        eventually(lambda: tap.changed(row.project.cluster.pk), "the cluster's signal")
        assert tap.changed(row.pk) == []


def test_a_change_of_a_project_comes_to_its_members(web: Web, row: Deployment) -> None:
    with tapped(web, maria(), "?topics=project") as tap:
        with transaction.atomic():
            stream.publish(stream.PROJECT, [row.project.pk])
        eventually(lambda: tap.changed(row.project.pk), "it came")


def test_the_age_of_a_cluster_comes_by_itself(web: Web, row: Deployment) -> None:
    with tapped(web, maria()) as tap:
        at = timezone.now()
        ClusterStatus.objects.create(cluster=row.project.cluster, seen_at=at)
        eventually(lambda: "seen" in tap.names(), "the age")
        [data] = [data for name, data, _, _ in tap.came if name == "seen"]
        assert (data["id"], data["at"]) == (str(row.project.cluster.pk), at.isoformat())


# ---- rights that end


def test_a_lost_right_closes_the_tap(web: Web, row: Deployment) -> None:
    """A membership that ends, a person who is shut out, and one who is deleted."""
    people = [stage.member(row.project, name, Role.VIEWER) for name in ("leaving", "inactive", "deleted")]
    with ExitStack() as stack:
        taps = [stack.enter_context(tapped(web, person)) for person in people]
        signal(row)
        eventually(lambda: all(tap.changed(row.pk) for tap in taps), "it came while it was allowed")
        Membership.objects.filter(user=people[0]).delete()
        User.objects.filter(pk=people[1].pk).update(is_active=False)
        people[2].delete()
        lost = time.monotonic()
        while time.monotonic() - lost < 7.5:
            signal(row)
            time.sleep(0.25)
        assert [max(tap.changed(row.pk)) - lost < 6.5 for tap in taps] == [True] * 3
        assert not any(tap.ended for tap in taps)


# ---- life


def test_a_quiet_stream_pings_by_name(web: Web, row: Deployment) -> None:
    with tapped(web, maria()), tapped(web, maria()) as tap:
        assert tap.names() == ["ping"]
        eventually(lambda: tap.names().count("ping") >= 3, "pings", seconds=PING_SECONDS * 4)


def test_a_page_that_comes_back_is_told_to_ask_for_everything(web: Web, row: Deployment) -> None:
    with tapped(web, maria(), Last_Event_ID="1") as tap:
        assert tap.names()[0] == "reset"
        signal(row)
        eventually(lambda: tap.changed(row.pk), "it goes on")


def test_fifty_streams_hold_no_database_connection(web: Web, row: Deployment) -> None:
    with ExitStack() as stack:
        taps = [stack.enter_context(tapped(web, maria())) for _ in range(50)]
        sent = signal(row)
        eventually(lambda: all(tap.changed(row.pk) for tap in taps), "everybody heard")
        assert max(tap.changed(row.pk)[0] for tap in taps) - sent < 5
        counts = []
        for _ in range(40):
            counts.append(web.database_files())
            time.sleep(0.05)
        assert min(counts) == 0, counts
        assert max(counts) <= 9, "what one reader of signals, and one of rights, hold for a moment"
        page = httpx.get(f"{web.url}/deployments/", cookies=cookie(maria()), trust_env=False, timeout=10)
        assert page.status_code == 200
        assert "the signals broke off" not in web.log.read_text()
    eventually(lambda: web.database_files() <= 9, "nothing is left behind")


def test_signals_go_on_after_redis_was_gone(web: Web, row: Deployment, request: pytest.FixtureRequest) -> None:
    if not web.redis:
        return  # rows have no Redis to lose
    instance: Redis = request.getfixturevalue("redis_instance")
    with tapped(web, maria()) as tap:
        instance.part.kill()
        services.scale(deployment=row, replicas=3, by=maria())
        assert row.revisions.count() == 2, "what is saved is saved without Redis"
        instance.start()
        eventually(lambda: "reset" in tap.names(), "the page is told to ask anew")
        eventually(lambda: signal(row) and tap.changed(row.pk), "signals come again")


# ---- a process that has just begun


def test_the_first_page_of_a_process_is_told_to_ask_anew_and_the_next_is_not(
    transactional_db: None, tmp_path: Path
) -> None:
    user = stage.user("maria")
    with serving(tmp_path) as fresh, tapped(fresh, user) as first:
        assert first.names()[0] == "reset"
        with tapped(fresh, user) as second:
            assert second.names()[0] == "ping"
