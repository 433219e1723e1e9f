"""The table of what runs: the dashboard's three processes, a cluster to play with, and its Prometheus."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from llmdash.demo.place import Place
from llmdash.sandbox import prometheus

PYTHON = sys.executable
Ports = Mapping[str, int]


@dataclass(frozen=True)
class Program:
    """One process. It starts when the file `after` is there, at once without one."""

    name: str
    command: tuple[str, ...]
    after: Path | None = None

    @property
    def line(self) -> str:
        """For a shell, which it replaces. The kernel ends it should its supervisor be killed."""
        waiting = (PYTHON, "-m", "llmdash.demo.after", str(self.after)) if self.after else ()
        watched = ("setpriv", "--pdeathsig", "TERM", "--") if shutil.which("setpriv") else ()
        return "exec " + shlex.join((*watched, *waiting, *self.command))


def dashboard(place: Place) -> list[Program]:
    """The web, the worker and the watcher."""
    web = ["uvicorn", "llmdash.asgi:application", "--host", "127.0.0.1", "--port", str(place.port)]
    web += ["--timeout-graceful-shutdown", "2", "--no-access-log", "--no-server-header"]
    worker = ["celery", "-A", "llmdash", "worker", "--concurrency", "2", "--pool", "prefork", "-O", "fair"]
    worker += ["--without-gossip", "--without-mingle"]
    return [
        Program("web", (PYTHON, "-m", *web)),
        Program("worker", (PYTHON, "-m", *worker)),
        Program("watcher", (PYTHON, "manage.py", "watch")),
    ]


def sandbox(place: Place, ports: Ports) -> list[Program]:
    """A Kubernetes API and hollow nodes in one process."""
    serve = ["--port", str(ports["cluster"]), "--state-dir", str(place.nodes)]
    command = (PYTHON, "-m", "llmdash.sandbox", "serve", *serve, "--kubeconfig", str(place.kubeconfig))
    return [Program("sandbox", command)]


def real(place: Place, ports: Ports) -> list[Program]:
    """A real control plane, and hollow nodes that join it. It has a port of its own: nobody calls it by the address
    that the sandbox had."""
    plane = ["--directory", str(place.state / "real" / "plane"), "--port", str(ports["plane"])]
    nodes = ["--state-dir", str(place.nodes), "--kubeconfig", str(place.kubeconfig)]
    return [
        Program("plane", (PYTHON, "-m", "tests.controlplane", "run", *plane, "--kubeconfig", str(place.kubeconfig))),
        Program("nodes", (PYTHON, "-m", "llmdash.sandbox.hollow", *nodes), after=place.kubeconfig),
    ]


def own(place: Place, ports: Ports) -> list[Program]:
    """The person's own cluster runs elsewhere."""
    return []


CLUSTERS: dict[str, Callable[[Place, Ports], list[Program]]] = {"sandbox": sandbox, "real": real, "own": own}


def has_prometheus(place: Place) -> bool:
    """A Prometheus of ours watches a cluster of ours, where the program is installed."""
    return place.cluster != "own" and shutil.which("prometheus") is not None


def table(place: Place, ports: Ports) -> list[Program]:
    """Everything that runs, in the order in which it starts."""
    programs = [*CLUSTERS[place.cluster](place, ports), *dashboard(place)]
    if has_prometheus(place):
        command = prometheus.command(config_file(place), place.prometheus / "data", ports["prometheus"])
        programs.append(Program("prometheus", tuple(command)))
    return programs


def write_configurations(place: Place, ports: Ports) -> None:
    """Tell the hollow nodes their ports, and Prometheus where they will be."""
    place.nodes.mkdir(parents=True, exist_ok=True, mode=0o700)
    chosen = {name: ports[name] for name in ("kubelet", "runtime")}
    (place.nodes / "ports.json").write_text(json.dumps(chosen), encoding="utf-8")
    found = prometheus.config(prometheus.agent_discovery(f"127.0.0.1:{ports['runtime']}"))
    prometheus.write(found, config_file(place))


def config_file(place: Place) -> Path:
    return place.prometheus / "prometheus.yml"
