"""A real Prometheus with a past: blocks made by `promtool` before it starts."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from llmdash.sandbox import prometheus as configuration
from tests.controlplane.ports import free_ports
from tests.controlplane.processes import Part
from tests.services import program, until

STEP = 15  # seconds between samples
MINUTES = 50
AHEAD = 10
Values = Callable[[int], float | str | None]  # None is no sample
Series = tuple[str, dict[str, str], Values]


def openmetrics(series: list[Series], end: float) -> str:
    """Samples of the last MINUTES and the next AHEAD, since tests take time; values are functions of the seconds since
    the first."""
    start = int(end) - MINUTES * 60
    lines = []
    for name, labels, value in series:
        told = ",".join(f'{key}="{text}"' for key, text in labels.items())
        samples = [(at, value(at)) for at in range(0, (MINUTES + AHEAD) * 60, STEP)]
        lines += [f"{name}{{{told}}} {said} {start + at}" for at, said in samples if said is not None]
    return "\n".join([*lines, "# EOF\n"])


@contextmanager
def prometheus_of(series: list[Series], folder: Path) -> Iterator[str]:
    """The URL of a Prometheus that holds these series."""
    (folder / "samples").write_text(openmetrics(series, time.time()))
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "samples", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    port = free_ports(1)[0]
    file = configuration.write({}, folder / "prometheus.yml")
    started = configuration.command(file, folder / "data", port, program=program("prometheus"))
    part = Part("prometheus", started, folder / "prometheus.log")
    part.start()
    url = f"http://127.0.0.1:{port}"
    try:
        until("Prometheus was ready", lambda: httpx.get(f"{url}/-/ready", trust_env=False).is_success, part)
        yield url
    finally:
        part.kill()
