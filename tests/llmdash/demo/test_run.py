"""The patience of a start, and what is said when it is over."""

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmdash.demo import run
from llmdash.demo.place import Place
from llmdash.demo.run import Demo
from tests.controlplane.ports import free_ports

LONG_SET_UP = 3600.0


class Supervisor:
    """Told to stop, or not."""

    stopped = False

    def terminate(self) -> None:
        self.stopped = True


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """Its processes are started just now, after a long set-up."""
    monkeypatch.setattr(run, "PATIENCE", 0.3)
    made = Demo(Place(state=tmp_path, cluster="sandbox", port=free_ports(1)[0]))
    made.started = time.monotonic() - LONG_SET_UP
    made.supervisor = Supervisor()  # type: ignore[assignment]
    return made


@pytest.fixture
def page(demo: Demo) -> Iterator[None]:
    """Something that answers where llmdash should."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", demo.place.port), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_the_cluster_that_is_late_is_named_with_what_to_do(demo: Demo) -> None:
    demo.announce()
    assert demo.failure == (
        f"The sandbox cluster did not write {demo.place.kubeconfig} within 0 s of the start of the processes. "
        "On a busy machine, start again: the data stays."
    )
    assert vars(demo.supervisor) == {"stopped": True}


def test_the_page_that_is_late_is_named(demo: Demo, tmp_path: Path) -> None:
    demo.kubeconfig = tmp_path / "own"  # nothing to wait for but the page
    demo.announce()
    assert demo.failure.startswith(f"The page did not answer at {demo.place.url}accounts/login/ within")


@pytest.mark.usefixtures("page")
def test_the_patience_begins_with_the_processes_and_the_seconds_with_the_start(
    demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo.kubeconfig = tmp_path / "own"
    demo.announce()
    assert not demo.failure
    assert "   (3600." in capsys.readouterr().out
