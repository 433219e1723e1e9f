"""A feed hears of everything once, lives through what goes wrong, and never storms."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from django.conf import settings

from deployments.kube import Access, Connection, Feed, follow
from deployments.kube.errors import Gone, KubeError, Unreachable
from deployments.kube.watch import decode_list
from tests.controlplane.fixtures import namespace, plane
from tests.controlplane.plane import ControlPlane
from tests.deployments.kube.servers import Request, answer, free_port, serving

__all__ = ["namespace", "plane"]  # fixtures

PATIENCE = 15.0


class Meta(msgspec.Struct):
    name: str


class Thing(msgspec.Struct):
    metadata: Meta
    data: dict[str, str] = {}


THINGS = msgspec.json.Decoder(Thing)


@dataclass
class Heard:
    """What a feed was told, in order."""

    lists: list[list[str]] = field(default_factory=list)
    changes: list[tuple[str, str]] = field(default_factory=list)
    errors: list[KubeError] = field(default_factory=list)
    lives: list[float] = field(default_factory=list)
    stumbles: int = 0

    def change(self, kind: str, thing: Thing) -> None:
        if self.stumbles:
            self.stumbles -= 1
            raise OSError("the database is gone")
        self.changes.append((kind, thing.metadata.name))

    def feed(self, **more: Any) -> Feed[Thing]:
        return Feed(
            kind="ConfigMap", decoder=THINGS,
            replace=lambda things: self.lists.append([thing.metadata.name for thing in things]),
            change=self.change, alive=lambda: self.lives.append(time.monotonic()), failed=self.errors.append, **more,
        )  # fmt: skip


@contextmanager
def following(connection: Connection, feed: Feed[Thing]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=follow, args=(connection, feed, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def eventually(check: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := check()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
    return found


@pytest.fixture(autouse=True)
def short(settings: Any) -> None:
    settings.LLMDASH = settings.LLMDASH | {"WATCH_SECONDS": 2, "BACKOFF_FIRST_SECONDS": 0.1}


def real(plane: ControlPlane) -> Connection:
    return Connection(Access(plane.url, plane.ca_pem, token=plane.token))


def make(plane: ControlPlane, namespace: str, name: str, value: str = "1", **labels: str) -> None:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": value}}
    plane.kubectl("apply", "-f", "-", input=json.dumps(document))


@pytest.mark.plane
def test_a_feed_hears_of_what_is_made_changed_and_removed(plane: ControlPlane, namespace: str) -> None:
    heard = Heard()
    make(plane, namespace, "before", ours="yes")
    with following(real(plane), heard.feed(namespace=namespace, label_selector="ours=yes")):
        eventually(lambda: heard.lists)
        make(plane, namespace, "during", ours="yes")
        make(plane, namespace, "another", ours="no")
        make(plane, namespace, "during", value="2", ours="yes")
        plane.kubectl("delete", "configmap", "before", "-n", namespace)
        eventually(lambda: len(heard.changes) == 3)
    assert heard.lists == [["before"]]
    assert heard.changes == [("ADDED", "during"), ("MODIFIED", "during"), ("DELETED", "before")]
    assert heard.errors == []


def audited(plane: ControlPlane, namespace: str) -> list[tuple[str, int]]:
    """(verb, code) of llmdash's own lists and watches in a namespace, from the API server's audit log."""
    entries = [json.loads(line) for line in plane.audit_log.read_text().splitlines() if namespace in line]
    return [
        (entry["verb"], entry.get("responseStatus", {}).get("code", 0))
        for entry in entries
        if entry["userAgent"] == "llmdash" and entry["stage"] == "ResponseComplete"
    ]


@pytest.mark.plane
def test_a_watch_on_a_quiet_kind_lives_without_a_second_list(plane: ControlPlane, namespace: str) -> None:
    heard = Heard()
    plane.kubectl("delete", "configmap", "--all", "-n", namespace)
    with following(real(plane), heard.feed(namespace=namespace, label_selector="nobody=has")):
        eventually(lambda: len(heard.lives) >= 8)
    gaps = [later - sooner for sooner, later in itertools.pairwise(heard.lives)]
    assert max(gaps) < 3.5
    asked = audited(plane, namespace)
    assert asked.count(("list", 200)) == 1
    assert asked.count(("watch", 200)) >= 3
    assert (heard.lists, heard.changes, heard.errors) == ([[]], [], [])


@pytest.mark.plane
def test_a_feed_goes_on_after_the_api_server_was_down(plane: ControlPlane, namespace: str) -> None:
    heard = Heard()
    with following(real(plane), heard.feed(namespace=namespace, label_selector="ours=yes")):
        eventually(lambda: heard.lives)
        plane.kill("kube-apiserver")
        eventually(lambda: heard.errors)
        plane.start("kube-apiserver")
        make(plane, namespace, "after", ours="yes")
        eventually(lambda: "after" in str(heard.lists) + str(heard.changes))
    assert all(isinstance(error, Unreachable) or error.status >= 500 for error in heard.errors)


def listed(*names: str, version: str = "10", token: str = "") -> bytes:
    items = [{"metadata": {"name": name}} for name in names]
    return answer(200, json.dumps({"metadata": {"resourceVersion": version, "continue": token}, "items": items}))


def event(kind: str, name: str, version: str) -> str:
    return json.dumps({"type": kind, "object": {"metadata": {"name": name, "resourceVersion": version}}})


def stream(*lines: str, cut: bool = False) -> bytes:
    """A watch of these lines; `cut` leaves its end out, as a broken connection does."""
    chunks = "".join(f"{len(line) + 1:x}\r\n{line}\n\r\n" for line in lines)
    end = "" if cut else "0\r\n\r\n"
    return f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{end}".encode()


GONE = json.dumps({"kind": "Status", "reason": "Expired", "code": 410, "message": "too old resource version"})


@dataclass
class Scripted:
    """An API server whose lists and watches are answered in turn; the last answer is given for ever."""

    lists: list[bytes]
    watches: list[bytes]
    versions: list[str] = field(default_factory=list)
    listings: int = 0

    def __call__(self, request: Request) -> bytes:
        if "watch=1" not in request.target:
            self.listings += 1
            return self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        self.versions.append(request.target.partition("resourceVersion=")[2].partition("&")[0])
        return self.watches.pop(0) if len(self.watches) > 1 else self.watches[0]


@contextmanager
def against(script: Scripted, heard: Heard) -> Iterator[None]:
    with serving(script) as server, following(Connection(Access(server.url, token="t")), heard.feed()):
        yield


@pytest.mark.parametrize("expired", [answer(410, GONE), stream(f'{{"type": "ERROR", "object": {GONE}}}')])
def test_a_version_that_is_too_old_costs_exactly_one_list(expired: bytes) -> None:
    script = Scripted([listed("a"), listed("b", version="20")], [expired, stream(event("ADDED", "c", "21"))])
    heard = Heard()
    with against(script, heard):
        eventually(lambda: len(script.versions) >= 4)
    assert script.listings == 2
    assert heard.lists == [["a"], ["b"]]
    assert script.versions[:3] == ["10", "20", "21"]
    assert heard.errors == []


def test_a_server_that_always_says_gone_is_asked_ever_more_slowly() -> None:
    script = Scripted([listed("a")], [answer(410, GONE)])
    with against(script, Heard()):
        time.sleep(1.0)
    assert 2 <= script.listings <= 8


def test_a_list_that_expires_between_its_pages_is_begun_again() -> None:
    script = Scripted([listed("a", token="next"), answer(410, GONE), listed("a", token="x"), listed("b")], [stream()])
    heard = Heard()
    with against(script, heard):
        eventually(lambda: heard.lists)
    assert heard.lists == [["a", "b"]]


def test_bookmarks_move_the_version_and_are_not_told() -> None:
    script = Scripted([listed()], [stream(event("BOOKMARK", "", "55")), stream()])
    heard = Heard()
    with against(script, heard):
        eventually(lambda: len(script.versions) >= 2)
    assert script.versions[:2] == ["10", "55"]
    assert heard.changes == []


@pytest.mark.parametrize(
    "bad",
    [
        {"metadata": {"name": 5}},
        {"metadata": None},
        {"metadata": {"name": "a"}, "data": "text"},
        {"metadata": {"name": "a"}, "data": {"x" * 2_000_000: 1}},
        "no object",
        None,
    ],
    ids=["number", "null", "text", "long", "string", "nothing"],
)
def test_one_malformed_object_does_not_stop_the_others(bad: Any) -> None:
    a, b = {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}
    body = {"metadata": {"resourceVersion": "10"}, "items": [a, bad, b]}
    lines = [event("ADDED", "c", "11"), json.dumps({"type": "ADDED", "object": bad}), event("ADDED", "d", "12")]
    script = Scripted([answer(200, json.dumps(body))], [stream(*lines), stream()])
    heard = Heard()
    with against(script, heard):
        eventually(lambda: len(script.versions) >= 2)
    assert heard.lists == [["a", "b"]]
    assert heard.changes == [("ADDED", "c"), ("ADDED", "d")]
    assert (script.versions[1], script.listings, heard.errors) == ("12", 1, [])


def test_text_that_is_no_utf8_costs_only_its_object() -> None:
    items = b'[{"metadata": {"name": "a"}}, {"metadata": {"name": "\xff"}}, {"metadata": {"name": "b"}}]'
    body = b'{"metadata": {"resourceVersion": "10"}, "items": ' + items + b"}"
    version, _, found = decode_list(body, Heard().feed())
    assert (version, [one.metadata.name for one in found]) == ("10", ["a", "b"])


def test_a_watch_that_breaks_off_goes_on_from_the_last_thing_it_said() -> None:
    script = Scripted([listed()], [stream(event("ADDED", "a", "11"), event("ADDED", "b", "12"), cut=True), stream()])
    heard = Heard()
    with against(script, heard):
        eventually(lambda: len(script.versions) >= 2)
    assert script.versions[:2] == ["10", "12"]
    assert heard.changes == [("ADDED", "a"), ("ADDED", "b")]
    assert (script.listings, len(heard.errors)) == (1, 1)


@pytest.mark.parametrize("line", ["{", "[]", "null", '{"type": "ERROR", "object": 5}', '{"type": "ERROR"}'])
def test_a_line_that_cannot_be_read_is_told_and_tried_again(line: str) -> None:
    script = Scripted([listed()], [stream(line), stream(event("ADDED", "a", "11"))])
    heard = Heard()
    with against(script, heard):
        eventually(lambda: heard.changes)
    assert len(heard.errors) == 1


def test_a_listener_that_stumbles_gets_a_new_list_since_it_may_have_missed_something() -> None:
    script = Scripted([listed()], [stream(event("ADDED", "a", "11")), stream()])
    heard = Heard(stumbles=1)
    with against(script, heard):
        eventually(lambda: len(heard.lists) >= 2)
    assert heard.errors[0].reason == "Internal"
    assert "database" not in heard.errors[0].message


def test_a_listener_that_cannot_even_take_the_error_does_not_end_the_feed() -> None:
    def fall(error: KubeError) -> None:
        raise OSError("the database is gone")

    heard = Heard()
    feed = heard.feed()
    feed.failed = fall
    script = Scripted([answer(500), listed("a")], [stream()])
    with serving(script) as server, following(Connection(Access(server.url, token="t")), feed):
        eventually(lambda: heard.lists)


def test_a_closed_port_is_asked_ever_more_slowly_and_never_at_one_beat() -> None:
    heard, began = Heard(), time.monotonic()
    times: list[float] = []
    feed = heard.feed()
    feed.failed = lambda error: times.append(time.monotonic() - began)
    with following(Connection(Access(f"http://127.0.0.1:{free_port()}")), feed):
        time.sleep(2.5)
    assert 3 <= len(times) <= 8
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert gaps[-1] > gaps[0]
    assert heard.lives == []


def test_retry_after_is_waited_for() -> None:
    heard = Heard()
    script = Scripted([answer(429, "", Retry_After="1"), listed()], [stream()])
    began = time.monotonic()
    with against(script, heard):
        eventually(lambda: heard.lists)
    assert time.monotonic() - began > 1.0
    assert heard.errors[0].retry_after == 1.0


def test_a_proxy_that_ends_watches_at_once_is_not_hammered() -> None:
    script = Scripted([listed()], [stream()])
    with against(script, Heard()):
        time.sleep(1.2)
    assert len(script.versions) <= 4
    assert script.listings == 1


def test_what_is_forbidden_is_told_in_the_servers_words() -> None:
    said = json.dumps({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "nodes is forbidden"})
    heard = Heard()
    with against(Scripted([answer(403, said)], [stream()]), heard):
        eventually(lambda: heard.errors)
    assert (heard.errors[0].message, heard.lists, heard.lives) == ("nodes is forbidden", [], [])
    assert not isinstance(heard.errors[0], Gone)


BARELY = """
import sys, threading
import django
django.setup()
from deployments.kube import errors, watch
from monitoring.watcher import cluster

sys.setswitchinterval(1e-6)
decoders = [watch.LISTS, watch.LINES, watch.METAS, errors.STATUSES, *(one for _, one, _ in cluster.KINDS)]
barrier = threading.Barrier(len(decoders) * 3)

def decode(decoder):
    barrier.wait()
    try:
        decoder.decode(b'{"metadata": {"name": "a", "labels": {"x": "y"}}, "spec": {}, "status": {}, "items": []}')
    except Exception:
        pass

threads = [threading.Thread(target=decode, args=(one,)) for one in decoders for _ in range(3)]
[one.start() for one in threads]
[one.join() for one in threads]
print("alive")
"""


def test_threads_that_decode_for_the_first_time_at_once_crash_no_process() -> None:
    """Structs that are learned by several threads at once end a process by SIGSEGV, every other time like this."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "llmdash.settings", "SECRET_KEY": "x" * 60}
    environment |= {"LLMDASH_STATE_DIR": str(settings.STATE_DIR)}
    command = [sys.executable, "-c", BARELY]
    for _ in range(3):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
