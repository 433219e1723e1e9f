"""pytest fixtures that put hollow GPU nodes into a real control plane: import `hollow_nodes` into a conftest."""

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from tests.controlplane.plane import ControlPlane

Json = dict[str, Any]
START_PATIENCE = 30.0
STOP_PATIENCE = 10.0
SPEED = 100.0
"""A start that takes two minutes on real machines takes a second."""


@dataclass
class HollowNodes:
    """The agent in a process of its own; `stop()` and `start()` play its restart."""

    plane: ControlPlane
    folder: Path
    nodes: str = "small"
    speed: float = SPEED
    runtime: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _log: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the agent and wait until its nodes are registered."""
        command = [
            sys.executable, "-m", "llmdash.sandbox.hollow", "--kubeconfig", str(self.plane.kubeconfig),
            "--speed", str(self.speed), "--nodes", self.nodes, "--heartbeat", "2", "--state-dir", str(self.folder),
        ]  # fmt: skip
        self._log = (self.folder / "agent.log").open("ab")
        begin = self._log.tell()
        self.process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_PATIENCE
        while not (found := re.search(r"^ready kubelet=\d+ runtime=(\d+)$", self.log()[begin:], re.MULTILINE)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the hollow nodes did not start:\n{self.log()[-3000:]}")
            time.sleep(0.05)
        self.runtime = f"http://127.0.0.1:{found[1]}"

    def stop(self) -> None:
        """End the agent; its nodes and pods stay as they are."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        if self._log:
            self._log.close()

    def log(self) -> str:
        """What the agent has written so far."""
        return (self.folder / "agent.log").read_text(encoding="utf-8", errors="replace")

    def fetch(self, path: str) -> httpx.Response:
        """GET from the simulated runtimes, `/pods/{namespace}/{name}/metrics` for example."""
        return httpx.get(self.runtime + path, trust_env=False, timeout=5)


@contextlib.contextmanager
def running_nodes(plane: ControlPlane, *, nodes: str = "small", speed: float = SPEED) -> Iterator[HollowNodes]:
    """Hollow nodes for the length of a block; afterwards the agent is gone and so are its nodes."""
    with tempfile.TemporaryDirectory(prefix="llmdash-hollow-") as folder:
        hollow = HollowNodes(plane, Path(folder), nodes, speed)
        hollow.start()
        try:
            yield hollow
        finally:
            # Not checked: a test may end with the API server down.
            plane.kubectl("delete", "pods", "--all", "--all-namespaces", "--wait=false", "--force", check=False)
            hollow.stop()
            plane.kubectl("delete", "nodes", "-l", "llmdash.io/simulated=true", "--wait=false", check=False)


@pytest.fixture(scope="module")
def hollow_nodes(plane: ControlPlane) -> Iterator[HollowNodes]:
    """One H100 node with 8 GPUs and one L4 node with 2, a hundred times as fast as real ones."""
    with running_nodes(plane) as hollow:
        yield hollow


def vllm_container(image: str = "vllm/vllm-openai:v0.19.1", *, llm: str = "Qwen/Qwen3-8B", gpus: int = 2) -> Json:
    """A container as the dashboard writes it: startup, liveness and readiness probes, GPUs in the limits."""
    return {
        "name": "vllm",
        "image": image,
        "args": ["--model", llm, "--tensor-parallel-size", str(gpus)],
        "ports": [{"name": "http", "containerPort": 8000}],
        "resources": {"limits": {"nvidia.com/gpu": str(gpus), "memory": "16Gi"}},
        "startupProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 10, "failureThreshold": 60},
        "readinessProbe": {"httpGet": {"path": "/v1/models", "port": "http"}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 10},
    }


def pod(name: str, container: Json | None = None, *, annotations: dict[str, str] | None = None, **spec: Any) -> Json:
    """A bare pod of one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {"terminationGracePeriodSeconds": 30, "containers": [container or vllm_container()], **spec},
    }


def deployment(name: str, container: Json | None = None, *, replicas: int = 1) -> Json:
    """A Deployment of one container."""
    labels = {"app": name}
    template = pod(name, container)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
        },
    }
