"""The agent: nodes, pods and their endpoints in one event loop, against one API server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from llmdash.sandbox.hollow import serve
from llmdash.sandbox.hollow.catalog import places
from llmdash.sandbox.hollow.client import ApiError, Client
from llmdash.sandbox.hollow.kubeconfig import Connection
from llmdash.sandbox.hollow.kubelet import Kubelet
from llmdash.sandbox.hollow.nodes import Nodes
from llmdash.sandbox.hollow.pods import Pods
from llmdash.sandbox.hollow.runtime import Runtime
from llmdash.sandbox.hollow.volumes import Volumes

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """``speed`` divides all durations; ``heartbeat`` is the seconds between lease renewals (real time)."""

    node_set: str = "default"
    speed: float = 10.0
    heartbeat: float = 3.0
    state_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """The two loopback ports, kept in the state folder so that a restart finds them again."""

    kubelet: int = 0
    runtime: int = 0

    @classmethod
    def read(cls, folder: Path) -> Ports:
        try:
            found = json.loads((folder / "ports.json").read_text(encoding="utf-8"))
            return cls(int(found["kubelet"]), int(found["runtime"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, folder: Path) -> None:
        text = json.dumps({"kubelet": self.kubelet, "runtime": self.runtime})
        (folder / "ports.json").write_text(text, encoding="utf-8")


async def _register(nodes: Nodes) -> None:
    """Register the nodes; an API server that is not there yet is waited for, one that refuses is not."""
    pause = 0.2
    while True:
        try:
            await nodes.register()
            return
        except ApiError as error:
            if error.code in (401, 403):
                raise
            log.warning("nodes.waiting", error=str(error))
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 2)


async def run(connection: Connection, settings: Settings, *, on_ready: Callable[[Ports], None] | None = None) -> None:
    """Play the nodes until cancelled. Raises ApiError when the API server refuses our identity."""
    with contextlib.ExitStack() as stack:
        folder = settings.state_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hollow-")))
        folder.mkdir(parents=True, exist_ok=True)
        before = Ports.read(folder)
        doors = serve.listen(before.kubelet), serve.listen(before.runtime)
        ports = Ports(doors[0].getsockname()[1], doors[1].getsockname()[1])
        ports.write(folder)
        pair = serve.certificate(folder / "kubelet.pem")
        runtime = f"{serve.LOOPBACK}:{ports.runtime}"
        async with Client(connection) as client:
            nodes = Nodes(
                client,
                places(settings.node_set),
                kubelet_port=ports.kubelet,
                runtime=runtime,
                heartbeat=settings.heartbeat,
            )
            pods = Pods(client, nodes.machines, speed=settings.speed, runtime=runtime)
            nodes.on_heal = pods.heal
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve.run(Kubelet(pods).handle, doors[0], pair=pair))
                tasks.create_task(serve.run(Runtime(pods).handle, doors[1]))
                await _register(nodes)
                log.info("hollow.ready", nodes=len(nodes.machines), kubelet=ports.kubelet, runtime=ports.runtime)
                if on_ready:
                    on_ready(ports)
                tasks.create_task(nodes.run())
                tasks.create_task(pods.run())
                tasks.create_task(Volumes(client).run())


async def run_until_signal(
    connection: Connection, settings: Settings, *, on_ready: Callable[[Ports], None] | None = None
) -> None:
    """As run(), ended by SIGTERM or SIGINT."""
    task = asyncio.ensure_future(run(connection, settings, on_ready=on_ready))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
