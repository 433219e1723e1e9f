"""A sandbox in a process of its own, with the face of `tests.controlplane.plane.ControlPlane`."""

import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from llmdash.sandbox.hollow.kubeconfig import load
from tests.controlplane.build import programs
from tests.controlplane.plane import KubectlFailed

START_PATIENCE = 20.0
STOP_PATIENCE = 10.0


@dataclass
class Simulated:
    """`python -m llmdash.sandbox serve` in a folder; `stop()` and `start()` play its restart."""

    nodes: str = "none"
    speed: float = 100.0
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="llmdash-sandbox-")))
    port: int = 0
    node_grace: float = 12.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    seconds_to_start: float = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def token(self) -> str:
        return load(self.kubeconfig).token or ""

    @property
    def ca_pem(self) -> str:
        return (load(self.kubeconfig).ca or b"").decode()

    @property
    def url(self) -> str:
        return load(self.kubeconfig).server

    def start(self) -> None:
        """Start it and wait for its line."""
        begun = time.monotonic()
        command = [
            sys.executable, "-m", "llmdash.sandbox", "serve", "--port", str(self.port), "--state-dir",
            str(self.directory), "--kubeconfig", str(self.kubeconfig), "--nodes", self.nodes, "--speed",
            str(self.speed), "--node-grace", str(self.node_grace),
        ]  # fmt: skip
        with (self.directory / "sandbox.log").open("ab") as log:
            start = log.tell()
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        while "ready https://" not in self.log()[start:]:
            if self.process.poll() is not None or time.monotonic() - begun > START_PATIENCE:
                raise AssertionError(f"the sandbox did not start:\n{self.log()[-3000:]}")
            time.sleep(0.02)
        self.seconds_to_start = time.monotonic() - begun
        self.port = int(self.url.rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; gives its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code

    def log(self) -> str:
        """What it has written so far."""
        file = self.directory / "sandbox.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def client(self, token: str | None = None) -> httpx.Client:
        """An HTTP client of the admin, or of the holder of a token."""
        authority = load(self.kubeconfig).ca or b""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token or self.token}"},
            verify=ssl.create_default_context(cadata=authority.decode()),
            timeout=30.0,
            trust_env=False,
        )

    def kubectl(self, *arguments: str, input: str | None = None, check: bool = True, token: str | None = None) -> str:
        """What kubectl prints; its error output too when not checked."""
        command = [str(programs() / "kubectl"), f"--kubeconfig={self.kubeconfig}"]
        command += [f"--token={token}"] if token else []
        command += [f"--cache-dir={self.directory / 'kubectl-cache'}", *arguments]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
        done = subprocess.run(command, input=input, env=clean, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise KubectlFailed(done.stderr.strip())
        return done.stdout if check else done.stdout + done.stderr

    def get(self, *arguments: str) -> dict[str, Any]:
        """An object or a list, as `kubectl get … -o json` gives it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found
