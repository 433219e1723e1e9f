"""The demo itself: it starts, is stopped, starts again with its data, and dies whole."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.controlplane.build import programs
from tests.controlplane.fixtures import shared_or_skip
from tests.llmdash.demo.running import PATIENCE, Demo


@pytest.fixture(params=["sandbox"])
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Demo]:
    if request.param == "real":
        shared_or_skip(programs)
    made = Demo(tmp_path, request.param)
    yield made
    if made.process and made.process.poll() is None:
        made.stop()


@contextmanager
def signed_in(url: str, password: str) -> Iterator[httpx.Client]:
    """The admin's client, if the password was right."""
    with httpx.Client(base_url=url, follow_redirects=True, trust_env=False, timeout=30) as client:
        form = client.get("/accounts/login/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token is not None
        fields = {"csrfmiddlewaretoken": token[1], "login": "admin", "password": password}
        client.post("/accounts/login/", data=fields, headers={"Referer": url})
        yield client


def sign_in(url: str, password: str) -> int:
    """The status of the first page after a sign-in as admin; 200 only when the password was right."""
    with signed_in(url, password) as client:
        return client.get("/accounts/password/change/", follow_redirects=False).status_code


def connections(client: httpx.Client) -> dict[str, str]:
    """Clusters with the state of their connections, as the page shows them."""
    rows = re.findall(r'<tr id="cluster-.*?</tr>', client.get("/clusters/").text, re.DOTALL)
    texts = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).split() for row in rows]
    return {text[0]: next((one for one in ("Connected", "Unreachable") if one in text), "") for text in texts}


@pytest.mark.parametrize("demo", ["sandbox", pytest.param("real", marks=pytest.mark.plane)], indirect=True)
def test_a_second_start_goes_on_where_the_first_was_stopped(demo: Demo) -> None:
    first = demo.start()
    password = re.search(r"^  admin +(\S+)", first, re.MULTILINE)
    assert password is not None
    assert sign_in(demo.url, password[1]) == 200
    assert sign_in(demo.url, "wrong") == 302
    ports, key = (demo.state / "ports.json").read_text(), (demo.state / "encryption_key").read_text()
    assert demo.stop() == 0
    assert demo.processes() == {}, "Ctrl-C leaves nothing behind"

    second = demo.start()
    assert "Passwords" not in second
    assert sign_in(demo.url, password[1]) == 200
    kept = (demo.state / "ports.json").read_text(), (demo.state / "encryption_key").read_text()
    assert kept == (ports, key)


@pytest.mark.plane
@pytest.mark.parametrize("order", [("sandbox", "real"), ("real", "sandbox")])
def test_the_other_cluster_is_kept_and_shown_as_unreachable(tmp_path: Path, order: tuple[str, str]) -> None:
    shared_or_skip(programs)
    demo, password = Demo(tmp_path, order[0]), ""
    try:
        for cluster in order:
            demo.cluster = cluster
            said = demo.start()
            assert f"The cluster is called {cluster}." in said
            found = re.search(r"^  admin +(\S+)", said, re.MULTILINE)
            password = found[1] if found else password
            expected = {order[0]: "Unreachable", cluster: "Connected"}
            with signed_in(demo.url, password) as client:
                deadline = time.monotonic() + PATIENCE
                while (seen := connections(client)) != expected:
                    assert time.monotonic() < deadline, seen
                    time.sleep(0.5)
            assert demo.stop() == 0
    finally:
        if demo.process and demo.process.poll() is None:
            demo.stop()


def test_when_one_process_dies_all_stop_and_it_is_named(demo: Demo) -> None:
    demo.start()
    (watcher,) = [pid for pid, line in demo.processes().items() if line.endswith("manage.py watch ")]
    os.kill(watcher, signal.SIGKILL)
    assert demo.process is not None
    assert demo.process.wait(PATIENCE) == 1
    assert "watcher ended by itself (exit code -9)" in demo.said()
    assert demo.processes() == {}


def test_prometheus_sees_every_node(demo: Demo) -> None:
    demo.start()
    port = json.loads((demo.state / "ports.json").read_text())["prometheus"]
    deadline = time.monotonic() + PATIENCE
    up: list[str] = []
    while not up and time.monotonic() < deadline:
        answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": "up == 1"}, trust_env=False).json()
        up = [one["metric"]["node"] for one in answer["data"]["result"] if one["metric"]["job"] == "llmdash-gpus"]
        time.sleep(0.5)
    assert {name.partition("-")[0] for name in up} == {"hollow"}
