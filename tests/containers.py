"""Run a container's command here, without containers: with a read-only root, a folder to write, and no rights.

`/app` is the checkout, `/venv` this Python, and everything below `/run/secrets` a folder of the test.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import httpx

from tests.controlplane.ports import free_ports
from tests.controlplane.processes import Part
from tests.services import until

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent


class Container:
    """One process, with a folder for its secrets and its /tmp. Its ports are other ones here, since ours are shared."""

    def __init__(self, folder: Path, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.folder = folder / name
        self.tmp = self.folder / "tmp"
        self.tmp.mkdir(parents=True)
        [self.port] = free_ports(1)
        self.environment = self.placed(environment)
        self.command = ["env", "-C", str(ROOT), "-i", *self.variables(), *confined(self.tmp), *self.moved(command)]
        self.part = Part(name, self.command, self.folder / "log")

    def placed(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The image's own variables and the container's, with the places of this machine."""
        ours = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": "/nonexistent", "TMPDIR": str(self.tmp)}
        ours |= {"PYTHONDONTWRITEBYTECODE": "1", "LLMDASH_STATE_DIR": "/nonexistent"}
        given = {name: self.at_home(value) for name, value in environment.items()}
        if given.get("LLMDASH_METRICS_PORT"):
            given["LLMDASH_METRICS_PORT"] = str(self.port)
        return ours | given

    def at_home(self, text: str) -> str:
        """A path of the container as it is here."""
        return text.replace("/run/secrets/llmdash/", "/run/secrets/").replace("/run/secrets", str(self.folder.parent))

    def moved(self, command: Sequence[str]) -> list[str]:
        """The command with its port and its programs as they are here."""
        found = shutil.which(command[0], path=self.environment["PATH"])
        assert found, f"{command[0]} is not installed"
        return [found, *(str(self.port) if word == "8000" else word for word in command[1:])]

    def variables(self) -> list[str]:
        return [f"{name}={value}" for name, value in self.environment.items()]

    def start(self) -> None:
        self.part.start()

    def run(self) -> subprocess.CompletedProcess[str]:
        """To its end, which must be a good one."""
        done = subprocess.run(self.command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def answers(self, path: str) -> str:
        """What a probe by HTTP gets, once the process listens; by an address that no setting names."""
        url = f"http://127.0.0.1:{self.port}{path}"
        until(f"{path} answered", lambda: self.get(url).status_code == 200, self.part)
        return self.get(url).text

    def get(self, url: str) -> httpx.Response:
        return httpx.get(url, headers={"Host": "10.244.1.7:8000"}, trust_env=False, timeout=10)

    def probe(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """A probe that is a program in the container."""
        port = {"LLMDASH_METRICS_PORT": str(self.port)}
        return subprocess.run(
            self.moved(command), env=self.environment | port, cwd=ROOT, capture_output=True, text=True, check=False
        )


# The root is read-only but for one folder, as the process sees it, and root's rights are given up.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"'
UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")


@cache
def may_mount() -> bool:
    """Whether this process may make a mount namespace: root may, where no container forbids it."""
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def confined(writable: Path) -> tuple[str, ...]:
    """A prefix for a command that may write this folder only; none where that cannot be had."""
    shell = ("sh", "-c", READ_ONLY, str(writable))
    return ("unshare", "--mount", "--propagation", "private", *shell, *UNPRIVILEGED) if may_mount() else ()


def secrets(folder: Path, **texts: str) -> None:
    """Files as Docker and Kubernetes mount them."""
    for name, text in texts.items():
        (folder / name).write_text(text)
