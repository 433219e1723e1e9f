"""A running control plane: etcd, API server, controller manager and scheduler as separate processes on loopback."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.controlplane.build import PARTS, programs
from tests.controlplane.parts import ARGUMENTS, Options
from tests.controlplane.ports import is_open
from tests.controlplane.processes import Part
from tests.controlplane.state import ADMIN, prepare

START_PATIENCE = 60.0
ETCD_PATIENCE = 5.0
POLL = 0.03
STORAGE = ("etcd", "kube-apiserver")
DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


class KubectlFailed(Exception):
    """kubectl ended with an error; the message is what it wrote to its error output."""


class ControlPlane:
    """One control plane. `start()` returns when it answers and the `default` namespace is usable.

    Without a folder it lives in a temporary one that `stop()` removes; in a given folder everything is kept, and the
    next plane there goes on with the same objects, tokens and ports. Raises ControlPlaneUnavailable when the programs
    are not built, and PartFailed, with the end of its log, when a part does not come up.
    """

    def __init__(
        self, directory: Path | str | None = None, *, port: int | None = None, options: Options | None = None
    ) -> None:
        self._programs = programs()
        self._temporary = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix="llmdash-plane-")).absolute()
        self.options = options or Options(durable=not self._temporary)
        self.layout, self.token = prepare(self.directory, port)
        self.url = self.layout.url
        self.ca_file = self.layout.certificates.ca.certificate
        self.ca_pem = self.ca_file.read_text(encoding="ascii")
        self.client_certificate = self.layout.certificates.admin
        self.kubeconfig = self.layout.kubeconfig(ADMIN)
        self.audit_log = self.layout.audit_log
        self.parts = {name: self._part(name) for name in PARTS}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *components: str) -> None:
        """Start the named parts, or all, and wait until what then runs is ready; a running part is left alone."""
        names = components or PARTS
        expected = {*names, *self.running()}
        try:
            self._start(name for name in STORAGE if name in names)
            if "etcd" in expected:
                self._wait("until etcd listened", partial(is_open, self.layout.ports.etcd), expected)
            if expected.issuperset(STORAGE):
                # The others give up after ten seconds without an API server, and slow its start down by asking.
                self._wait("to accept connections", partial(is_open, self.layout.ports.apiserver), expected)
            self._start(names)
            self._wait_ready(expected)
        except BaseException:
            if not components:
                self.stop()
            raise

    def wait_ready(self) -> None:
        """Return when the parts that run are ready; a whole plane is when pods can be made in `default`."""
        self._wait_ready(set(self.running()))

    def stop(self) -> None:
        """End every process, the API server before etcd; a temporary folder is removed.

        All but etcd hold nothing that a graceful end would save, and the API server's takes half a minute.
        """
        for name in reversed(PARTS):
            if name == "etcd" and not self._temporary:
                self.parts[name].terminate(ETCD_PATIENCE)
            else:
                self.parts[name].kill()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self, component: str) -> None:
        """End a part as a crash would, and wait until it is gone."""
        self.parts[component].kill()

    def signal(self, component: str, number: int = signal.SIGTERM) -> None:
        """Send a part a signal: SIGSTOP hangs it, SIGCONT lets it go on."""
        self.parts[component].signal(number)

    def running(self) -> list[str]:
        """The parts that run, in the order of their start."""
        return [name for name, part in self.parts.items() if part.running]

    def client(self, token: str | None = None) -> httpx.Client:
        """An HTTP client of the API server, as the admin or as the holder of a token."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token or self.token}"},
            verify=ssl.create_default_context(cafile=str(self.ca_file)),
            timeout=30,
            trust_env=False,  # a proxy of the environment has no business on loopback
        )

    def kubectl(self, *arguments: str, input: str | None = None, check: bool = True, token: str | None = None) -> str:
        """What kubectl prints, as the admin or as the holder of a token; its error output too when not checked."""
        command = self.kubectl_command(*([f"--token={token}"] if token else []), *arguments)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
        done = subprocess.run(command, input=input, env=clean, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise KubectlFailed(done.stderr.strip())
        return done.stdout if check else done.stdout + done.stderr

    def kubectl_command(self, *arguments: str) -> list[str]:
        """The command line of kubectl as the admin."""
        program = str(self._programs / "kubectl")
        return [
            program,
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.directory / 'kubectl-cache'}",
            *arguments,
        ]

    def get(self, *arguments: str) -> dict[str, Any]:
        """An object or a list, as `kubectl get … -o json` gives it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found

    def _part(self, name: str) -> Part:
        command = [str(self._programs / name), *ARGUMENTS[name](self.layout, self.options)]
        return Part(name, command, self.layout.log(name))

    def _start(self, names: Iterable[str]) -> None:
        for name in names:
            self.parts[name].start()

    def _wait_ready(self, expected: set[str]) -> None:
        """The others wait for the API server, and that for etcd, so a plane that lacks one is not waited for."""
        if not expected.issuperset(STORAGE):
            return
        with self.client() as client:
            self._wait("to be ready", lambda: _answers(client, "/readyz"), expected)
            if expected.issuperset(PARTS):
                self._wait("to make the default account", lambda: _answers(client, DEFAULT_ACCOUNT), expected)
        ports = self.layout.ports
        others = {"kube-controller-manager": ports.controller_manager, "kube-scheduler": ports.scheduler}
        for name in expected.intersection(others):
            self._wait(f"until {name} listened", partial(is_open, others[name]), expected)

    def _wait(self, what: str, done: Callable[[], bool], expected: Iterable[str]) -> None:
        """Wait for something, unless one of the parts that are expected to run ends."""
        deadline = time.monotonic() + START_PATIENCE
        while not done():
            for name in expected:
                self.parts[name].check()
            if time.monotonic() > deadline:
                raise self.parts["kube-apiserver"].failure(f"took over {START_PATIENCE:.0f} s {what}")
            time.sleep(POLL)


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
