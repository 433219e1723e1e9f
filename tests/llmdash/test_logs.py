"""Every line that a process writes is JSON, and an answer's request id finds its lines."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.exceptions import PermissionDenied

from llmdash import logs
from tests.controlplane.ports import free_ports
from tests.e2e.server import ROOT, environment
from tests.llmdash.test_stream import answers

PATIENCE = 30.0
WEB = [sys.executable, "-W", "always", "-m", "uvicorn", "llmdash.asgi:application", "--timeout-graceful-shutdown", "1"]


@pytest.fixture
def said(tmp_path: Path, transactional_db: None) -> list[dict[str, Any]]:
    """What the web process wrote, asked for a page that is not there and with a body that it does not take."""
    [port] = free_ports(1)
    url, shell = f"http://127.0.0.1:{port}", environment() | {"LLMDASH_LOG_FORMAT": "json", "LLMDASH_DEBUG": "0"}
    shell |= {"ALLOWED_HOSTS": "127.0.0.1", "LLMDASH_HTTPS": "0"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*WEB, "--port", str(port)], cwd=ROOT, env=shell, stdout=log, stderr=log)
    try:
        until = time.monotonic() + PATIENCE
        while not answers(url):
            assert time.monotonic() < until
            time.sleep(0.1)
        for path, name in (("/api/v1/not-there", "nothing-404"), ("/api/v1/deployments", "stranger-401")):
            httpx.get(url + path, headers={"X-Request-ID": name}, trust_env=False)
    finally:
        process.terminate()
        process.wait(20)
    return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


def test_every_line_of_the_web_is_json_and_answers_are_found_by_their_request(said: list[dict[str, Any]]) -> None:
    assert any("Application startup complete" in line["event"] for line in said), "uvicorn's own lines, too"
    for request in ("nothing-404", "stranger-401"):
        assert [line["request_id"] for line in said if line.get("request_id") == request], request
    assert all({"event", "level", "timestamp"} <= line.keys() and "request" not in line for line in said)


def test_the_request_of_a_line_becomes_its_id() -> None:
    class Request:
        META = {"llmdash.request_id": "abc"}

    assert logs.name_request(None, "", {"event": "x", "request": Request()}) == {"event": "x", "request_id": "abc"}
    assert logs.name_request(None, "", {"event": "x", "request": None}) == {"event": "x"}


def test_a_refusal_is_no_traceback() -> None:
    refusal = PermissionDenied("You are viewer.")
    event = {"event": "Forbidden", "exc_info": (PermissionDenied, refusal, None)}
    assert logs.without_refusals(None, "", event) == {"event": "Forbidden", "detail": "You are viewer."}
    failure = {"event": "broke", "exc_info": (ValueError, ValueError("x"), None)}
    assert logs.without_refusals(None, "", dict(failure)) == failure
