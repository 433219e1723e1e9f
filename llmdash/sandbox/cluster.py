"""The whole sandbox in one event loop: store, API server, controllers and hollow nodes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import yaml

from llmdash.sandbox import bootstrap, tls
from llmdash.sandbox.auth import Tokens
from llmdash.sandbox.controllers.base import Controller
from llmdash.sandbox.controllers.claims import Claims
from llmdash.sandbox.controllers.deployment import Deployments
from llmdash.sandbox.controllers.events import Recorder
from llmdash.sandbox.controllers.garbage import Garbage
from llmdash.sandbox.controllers.namespaces import Namespaces
from llmdash.sandbox.controllers.nodes import Nodes
from llmdash.sandbox.controllers.quotas import Quotas
from llmdash.sandbox.controllers.replicaset import ReplicaSets
from llmdash.sandbox.controllers.scheduler import Scheduler
from llmdash.sandbox.hollow import agent
from llmdash.sandbox.hollow.kubeconfig import load
from llmdash.sandbox.registry import Registry
from llmdash.sandbox.server import Application
from llmdash.sandbox.snapshot import Snapshot
from llmdash.sandbox.store import Store

LOOPBACK = "127.0.0.1"
EXPIRY_SECONDS = 30.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Settings:
    """`speed` divides the durations of the hollow nodes; no nodes when `nodes` is "". Seconds elsewhere.

    A `host` other than loopback is the name by which others reach it, one of `tls.NAMES`.
    """

    directory: Path
    kubeconfig: Path
    port: int = 0
    nodes: str = "default"
    speed: float = 10.0
    node_grace: float = 12.0
    host: str = LOOPBACK


class Server(uvicorn.Server):
    """Signals are for whoever started us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True)
class Keys:
    """The secrets of a state folder, kept so that a kubeconfig stays good."""

    token: str
    signing: bytes

    @classmethod
    def ensure(cls, folder: Path) -> Keys:
        """Those of the folder, made when there are none."""
        file = folder / "keys.json"
        if not file.exists():
            made = {"token": secrets.token_urlsafe(24), "signing": secrets.token_hex(32)}
            tls.write_private(file, json.dumps(made).encode())
        found = json.loads(file.read_text(encoding="utf-8"))
        return cls(found["token"], bytes.fromhex(found["signing"]))


class Sandbox:
    """One simulated cluster. `run()` until cancelled; `on_ready` is told its URL when it answers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.certificates = tls.ensure(settings.directory / "pki")
        self.keys = Keys.ensure(settings.directory)
        self.store = Store()
        self.registry = Registry(self.store)
        self.snapshot = Snapshot(self.store, settings.directory / "objects.json")
        self.tokens = Tokens(self.keys.token, self.keys.signing, self.store, self.registry.clock)
        self.application = Application(self.registry, self.tokens)
        self.recorder = Recorder(self.registry)

    async def run(self, on_ready: Callable[[str], None] | None = None) -> None:
        """Serve until cancelled; the state is written at the end."""
        self.snapshot.load()
        bootstrap.fill(self.registry)
        controllers = self._controllers()
        self.store.forget()
        door = listen(self.settings.port, LOOPBACK if self.settings.host == LOOPBACK else "")
        url = f"https://{self.settings.host}:{door.getsockname()[1]}"
        server = self._server()
        serving = asyncio.create_task(server.serve(sockets=[door]))
        tasks = [asyncio.create_task(one.run(), name=one.title) for one in controllers]
        tasks += [asyncio.create_task(self.snapshot.run()), asyncio.create_task(self._expire())]
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            self._write_kubeconfig(url)
            await self._play_nodes(on_ready, url, watched=[serving, *tasks])
        finally:
            await self._end(server, serving, tasks)

    def _controllers(self) -> list[Controller]:
        authority = self.certificates.authority.read_text(encoding="ascii")
        namespaces = Namespaces(self.registry, self.recorder, authority=authority)
        for name in bootstrap.NAMESPACES:
            namespaces.furnish(name)
        nodes = Nodes(self.registry, self.recorder, grace=self.settings.node_grace)
        rest = [
            kind(self.registry, self.recorder)
            for kind in (Claims, Garbage, Quotas, Deployments, ReplicaSets, Scheduler)
        ]
        return [namespaces, nodes, *rest]

    async def _play_nodes(
        self, on_ready: Callable[[str], None] | None, url: str, *, watched: list[asyncio.Task[None]]
    ) -> None:
        """Run the hollow nodes, or just wait; whatever of us fails ends the whole."""

        def ready(*_: Any) -> None:
            if on_ready:
                on_ready(url)

        if self.settings.nodes:
            chosen = agent.Settings(self.settings.nodes, self.settings.speed, 3.0, self.settings.directory)
            connection = load(self.settings.kubeconfig)
            watched = [*watched, asyncio.create_task(agent.run(connection, chosen, on_ready=ready), name="hollow")]
        else:
            ready()
        done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
        raise RuntimeError(f"{next(iter(done)).get_name()} ended by itself")

    async def _end(self, server: Server, serving: asyncio.Task[None], tasks: list[asyncio.Task[None]]) -> None:
        others = [one for one in asyncio.all_tasks() if one.get_name() == "hollow"]
        for task in [*tasks, *others]:
            task.cancel()
        await asyncio.gather(*tasks, *others, return_exceptions=True)
        self.application.stopping.set()
        server.should_exit = True
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await asyncio.wait_for(serving, 5)
        self.snapshot.write(clean=True)

    def _server(self) -> Server:
        config = uvicorn.Config(
            self.application, ssl_certfile=str(self.certificates.server), ssl_keyfile=str(self.certificates.key),
            log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1, ws="none",
            server_header=False, timeout_keep_alive=90, http="h11", loop="none",
        )  # fmt: skip
        return Server(config)

    def _write_kubeconfig(self, url: str) -> None:
        authority = base64.b64encode(self.certificates.authority.read_bytes()).decode()
        name = "llmdash-sandbox"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": url, "certificate-authority-data": authority}}],
            "users": [{"name": name, "user": {"token": self.keys.token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
        tls.write_private(self.settings.kubeconfig, yaml.safe_dump(document, sort_keys=False).encode())

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRY_SECONDS)
            self.recorder.expire()


def listen(port: int, address: str = LOOPBACK) -> socket.socket:
    """A socket on loopback, or on every address for "". Raises OSError when the port is taken."""
    # Named as TCP, or asyncio would not switch Nagle's algorithm off: 40 ms for each request.
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((address, port))
    door.listen(512)
    return door


async def run_until_signal(settings: Settings, on_ready: Callable[[str], None] | None = None) -> None:
    """As Sandbox.run(), ended by SIGTERM or SIGINT."""
    task = asyncio.ensure_future(Sandbox(settings).run(on_ready))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
