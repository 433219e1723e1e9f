"""Fixtures that lend tests real servers on loopback: PostgreSQL, Redis and Prometheus.

Import a fixture where it is used. Each server lives as long as the pytest process that first asked for it (an xdist
worker is one) and dies with it. `make test` installs the programs; where one is missing the test fails and says so.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from psycopg import sql

from llmdash.sandbox import prometheus as configuration
from llmdash.tooling.install import find
from tests.controlplane.ports import free_ports
from tests.controlplane.processes import Part

PATIENCE = 30.0
POLL = 0.05
PASSWORD = "for tests on loopback"


def program(name: str) -> str:
    """The path of a server's program. The test fails where it is missing: `make test` installs it."""
    path = find(name)
    if path is None:
        pytest.fail(f"{name} is not installed here; `make install` gets it")
    return path


def until(what: str, answers: Callable[[], object], part: Part) -> None:
    """Wait for a server to answer. Raises PartFailed with the end of its log."""
    deadline = time.monotonic() + PATIENCE
    while True:
        part.check()
        try:
            if answers():
                return
        except (OSError, psycopg.Error, redis.RedisError, httpx.HTTPError):
            pass  # not yet
        if time.monotonic() > deadline:
            raise part.failure(f"took over {PATIENCE:.0f} s until {what}")
        time.sleep(POLL)


# ---- PostgreSQL


class Postgres:
    """A server with an empty database. `url` is for DATABASE_URL; stop, start and kill it to make faults."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"postgres://llmdash:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/llmdash"
        server = [program("postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder)]
        server += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"]
        self.part = Part("postgres", [*as_user(), *server], folder / "postgres.log")
        self._initialise()
        self.start()
        self.create("llmdash")

    def _initialise(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        for path in (self.folder, password):
            shutil.chown(path, *owner())
        command = [program("initdb"), "-D", str(self.folder / "data"), "-U", "llmdash", "-A", "scram-sha-256"]
        command += [f"--pwfile={password}", "--encoding=UTF8", "--no-locale", "--no-sync"]
        subprocess.run([*as_user(), *command], check=True, cwd=self.folder, capture_output=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.part.start()
        until("PostgreSQL answered", self._answers, self.part)

    def create(self, name: str) -> str:
        """Make an empty database; returns its address."""
        self._do(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._address(name)

    def remove(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._do(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def move(self, name: str, folder: Path) -> None:
        """Keep a database's tables in another folder; nobody may be connected to it."""
        shutil.chown(folder, *owner())
        space = sql.Identifier(f"space_{name}")
        self._do(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(space, sql.Literal(str(folder))))
        self._do(sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(sql.Identifier(name), space))

    def move_back(self, name: str) -> None:
        """Keep its tables with those of the others again."""
        self._do(sql.SQL("ALTER DATABASE {} SET TABLESPACE pg_default").format(sql.Identifier(name)))
        self._do(sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(f"space_{name}")))

    def _do(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        """End it as `pg_ctl stop -m fast` does: open connections are cut."""
        self.part.signal(signal.SIGINT)
        if self.part.process:
            self.part.process.wait(PATIENCE)

    def _answers(self) -> bool:
        with psycopg.connect(self._address("postgres"), connect_timeout=2):
            return True

    def _address(self, name: str) -> str:
        return f"{self.url.rpartition('/')[0]}/{name}"


def owner() -> tuple[str, int]:
    """The user and group that the server runs as: PostgreSQL refuses root, and Debian makes `postgres` for it."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name, os.getegid()
    for name in ("postgres", "nobody"):
        try:
            return name, pwd.getpwnam(name).pw_gid
        except KeyError:
            continue
    pytest.fail("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`")


def as_user() -> list[str]:
    """A prefix that gives root's rights up; the server still dies with the test run."""
    if os.geteuid() != 0:
        return []
    name, group = owner()
    return ["setpriv", f"--reuid={name}", f"--regid={group}", "--clear-groups", "--pdeathsig", "KILL", "--"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The server itself, for tests that stop it."""
    # Not pytest's own temporary folder: that is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="llmdash-postgres-"))
    server = Postgres(folder, free_ports(1)[0])
    yield server
    server.part.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(postgres_server: Postgres) -> str:
    """A value for DATABASE_URL."""
    return postgres_server.url


# ---- Redis


class Redis:
    """A server without persistence. `url` is for REDIS_URL."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        options = f"--port {port} --bind 127.0.0.1 --appendonly no --dir {folder} --save"
        self.part = Part("redis", [program("redis-server"), *options.split(" "), ""], folder / "redis.log")
        self.start()

    def start(self) -> None:
        """Start the server, empty, and wait until it answers."""
        self.part.start()
        until("Redis answered", self._answers, self.part)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url) as client:
            return bool(client.ping())


@pytest.fixture(scope="session")
def redis_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """The server itself, for tests that kill it."""
    server = Redis(tmp_path_factory.mktemp("redis"), free_ports(1)[0])
    yield server
    server.part.kill()


@pytest.fixture(scope="session")
def redis_server(redis_instance: Redis) -> str:
    """A value for REDIS_URL."""
    return redis_instance.url


# ---- Prometheus

StartPrometheus = Callable[[dict[str, Any]], str]


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[StartPrometheus]:
    """Start a Prometheus with a configuration (a dict); returns its URL. A test may start several."""
    parts: list[Part] = []

    def start(found: dict[str, Any]) -> str:
        folder, port = tmp_path / f"prometheus-{len(parts)}", free_ports(1)[0]
        folder.mkdir()
        file = configuration.write(found, folder / "prometheus.yml")
        command = configuration.command(file, folder / "data", port, program=program("prometheus"))
        parts.append(Part("prometheus", command, folder / "prometheus.log"))
        parts[-1].start()
        url = f"http://127.0.0.1:{port}"
        until("Prometheus was ready", lambda: httpx.get(f"{url}/-/ready", trust_env=False).is_success, parts[-1])
        return url

    yield start
    for part in parts:
        part.kill()
