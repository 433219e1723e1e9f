"""The web process as it runs in production: uvicorn with pages and event streams, on the tests' database."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
from django.conf import settings
from django.db import connection

from tests.controlplane.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0


def database_url() -> str:
    """Where the tests' database is, for another process."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    login = f"{quote(given['USER'])}:{quote(given['PASSWORD'])}"
    return f"postgres://{login}@{given['HOST'] or 'localhost'}:{given['PORT'] or 5432}/{given['NAME']}"


def environment() -> dict[str, str]:
    """The tests' settings as variables."""
    return os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "LLMDASH_STATE_DIR": str(settings.STATE_DIR),
        "LLMDASH_DEBUG": "1",  # serves static/ without collecting it
    }


class Web:
    """A uvicorn that can be stopped and started again on the same port."""

    def __init__(self, **more: str) -> None:
        [self.port] = free_ports(1)
        self.more = more
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return when it answers."""
        command = [sys.executable, "-m", "uvicorn", "llmdash.asgi:application", "--port", str(self.port)]
        command += ["--timeout-graceful-shutdown", "1", "--log-level", "warning"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment() | self.more)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                httpx.get(f"{self.url}/healthz", timeout=2).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("uvicorn did not answer in time")

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def running(**more: str) -> Iterator[Web]:
    """A web process with these settings besides the tests' own."""
    web = Web(**more)
    web.start()
    try:
        yield web
    finally:
        web.stop()
