"""The watcher at work beside a test: in threads of its own, or as the process that `manage.py watch` is."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections

from deployments.models import ClusterStatus, Deployment, DeploymentStatus
from monitoring import watcher
from tests.controlplane.plane import ControlPlane
from tests.deployments.reconcile.play import Play

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 40.0
LLM: dict[str, Any] = {"runtime": "vllm", "llm": "Qwen/Qwen3-0.6B", "image": "vllm/vllm-openai:v0.19.1", "gpus": 1}
SHORT: dict[str, Any] = {"WATCH_SECONDS": 2, "STALE_SECONDS": 6.0, "BACKOFF_FIRST_SECONDS": 0.1, "REQUEST_SECONDS": 3}


def eventually(check: Callable[[], Any], what: str = "", *, seconds: float = PATIENCE) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not in {seconds:g} s: {what}"
        time.sleep(0.05)
    return found


@dataclass
class Watching:
    """Starts and ends `watcher.run` in this process."""

    stop: threading.Event | None = None
    thread: threading.Thread | None = None

    def start(self) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(self.stop,), name="watcher")
        self.thread.start()

    def _run(self, stop: threading.Event) -> None:
        try:
            watcher.run(stop)
        finally:
            connections.close_all()

    def end(self) -> None:
        """Stop it and wait for every thread that writes rows."""
        if self.stop and self.thread:
            self.stop.set()
            self.thread.join(PATIENCE)
            for thread in threading.enumerate():
                if thread.name.endswith(":project"):
                    thread.join(PATIENCE)
            self.stop = None


@dataclass
class Process:
    """`manage.py watch` on the test's own database."""

    folder: Path
    name: str
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        for name in ("control", "queue"):
            (settings.STATE_DIR / "broker" / name).mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
            "LLMDASH_STATE_DIR": str(settings.STATE_DIR),
            "SECRET_KEY": "a key for tests only" * 4,
            "LLMDASH_ENCRYPTION_KEY_FILE": settings.LLMDASH["ENCRYPTION_KEY_FILE"],
            "LLMDASH_ALLOW_LOOPBACK": "true",
        } | {f"LLMDASH_{name}": str(value) for name, value in SHORT.items()}  # fmt: skip
        with (self.folder / f"{self.name}.log").open("ab") as log:
            command = [sys.executable, str(ROOT / "manage.py"), "watch"]
            self.process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)

    @property
    def pid(self) -> str:
        assert self.process
        return f":{self.process.pid}:"

    def send(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Stop it as an operator would, or by another signal."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)

    def log(self) -> str:
        return (self.folder / f"{self.name}.log").read_text(errors="replace")


@contextmanager
def processes(folder: Path, *names: str) -> Iterator[list[Process]]:
    """Watchers that are not started yet; they are gone afterwards."""
    made = [Process(folder, name) for name in names]
    try:
        yield made
    finally:
        for one in made:
            one.end(signal.SIGKILL)


def status(deployment: Deployment) -> DeploymentStatus:
    """The row that the watcher wrote; an empty one while there is none."""
    return DeploymentStatus.objects.filter(deployment=deployment).first() or DeploymentStatus()


def cluster_status(play: Play) -> ClusterStatus:
    return ClusterStatus.objects.filter(cluster=play.cluster).first() or ClusterStatus()


def until(deployment: Deployment, health: str, *, seconds: float = PATIENCE) -> DeploymentStatus:
    """The row once it has this health."""
    deadline = time.monotonic() + seconds
    while (row := status(deployment)).health != health:
        assert time.monotonic() < deadline, f"{row.health}: {row.sentence!r}, not {health} in {seconds:g} s"
        time.sleep(0.05)
    return row


def connected(play: Play, word: str = "connected") -> ClusterStatus:
    """The cluster's row once the connection is so."""
    deadline = time.monotonic() + PATIENCE
    while (row := cluster_status(play)).connection != word or (word == "connected" and row.seen_at is None):
        assert time.monotonic() < deadline, f"{row.connection}: {row.message!r}, not {word}"
        time.sleep(0.05)
    return row


def recovered(plane: ControlPlane) -> None:
    """After an outage: its controllers, which end when they lose the API server for long, make what they should."""
    name = f"t-{secrets.token_hex(4)}"
    account = ("get", "serviceaccount", "default", "-n", name, "--ignore-not-found")
    plane.start()
    plane.kubectl("create", "namespace", name)

    def works() -> bool:
        plane.start()
        return bool(plane.kubectl(*account, check=False).strip())

    eventually(works, "a namespace's default account", seconds=60)
    plane.kubectl("delete", "namespace", name, "--wait=false")
