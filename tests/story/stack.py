"""The whole product as one command starts it, in a folder of the test's own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.controlplane import build
from tests.controlplane.ports import free_ports

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60


@dataclass
class Stack:
    """A running demo: its address, the admin's password, its cluster's name, and `kubectl` as a witness that is not
    ours."""

    url: str
    password: str
    kubeconfig: Path
    log: Path
    cluster: str

    def kubectl(self, *arguments: str) -> str:
        """What kubectl prints; an error of its is the test's."""
        command = [build.kubectl(), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()


@contextmanager
def running(*command: str, **environment: str) -> Iterator[Stack]:
    """A program of the project that starts everything, on free ports; everything is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="llmdash-story-") as folder:
        log = Path(folder) / "demo.log"
        port = free_ports(1)[0]
        shell = os.environ | {"LLMDASH_STATE_DIR": folder, "PORT": str(port), "KUBECONFIG": ""} | environment
        program = [sys.executable, "-m", *command]
        with log.open("w") as out:
            process = subprocess.Popen(program, cwd=ROOT, env=shell, stdout=out, stderr=subprocess.STDOUT)
        try:
            eventually(lambda: "is ready" in log.read_text() or process.poll(), seconds=START_SECONDS)
            text = log.read_text()
            assert process.poll() is None, text
            found = re.search(r"^  admin +(\S+)", text, re.MULTILINE)
            assert found, text
            cluster = re.search(r"^The cluster is called (\S+)\.$", text, re.MULTILINE)
            assert cluster, text
            kubeconfig = next(path for path in Path(folder).rglob("kubeconfig"))
            yield Stack(f"http://127.0.0.1:{port}", found[1], kubeconfig, log, cluster[1])
        finally:
            if process.poll() is not None:
                print(f"the demo ended by itself with {process.returncode}:\n{log.read_text()[-4000:]}")
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def eventually(check: Callable[[], Any], *, seconds: float = 30, every: float = 0.2) -> Any:
    """What `check` gives as soon as that is true; its last answer stands in the failure."""
    end = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds} s; the last answer was {answer!r}"
        time.sleep(every)


def sign_in(page: Page, stack: Stack) -> None:
    """Through the page, as the admin."""
    page.goto(stack.url)
    page.fill("input[name=login]", "admin")
    page.fill("input[name=password]", stack.password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{stack.url}/")
    page.goto(f"{stack.url}/deployments/")
