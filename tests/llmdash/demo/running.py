"""`make demo` without its installation step, in a folder of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from llmdash.demo.place import ROOT
from tests.controlplane.ports import free_ports

PATIENCE = 120.0


class Demo:
    """`make demo CLUSTER=…` without its installation step."""

    def __init__(self, folder: Path, cluster: str) -> None:
        self.cluster = cluster
        self.state, self.output = folder / "var", folder / "output"
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it; what it has said once it is ready."""
        port = self.url.rpartition(":")[2]
        environment = {**os.environ, "LLMDASH_STATE_DIR": str(self.state), "PORT": port, "KUBECONFIG": ""}
        command = [sys.executable, "-m", "llmdash.demo", "--cluster", self.cluster]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        deadline = time.monotonic() + PATIENCE
        while f"llmdash is ready: {self.url}/" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        return self.said()

    def said(self) -> str:
        return self.output.read_text()

    def stop(self, number: int = signal.SIGINT) -> int:
        """End it; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def processes(self) -> dict[int, str]:
        """Whatever runs with this state folder on its command line, or in its environment."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                line, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            except OSError:
                continue
            if entry.name.isdecimal() and str(self.state).encode() in line + environment:
                found[int(entry.name)] = line.replace(b"\0", b" ").decode()
        return found
