"""How long until one may look: the demo's first and second start, and a control plane's."""

import tempfile
import time
from pathlib import Path

import httpx

from tests.bench.table import Row, row
from tests.bench.world import World
from tests.controlplane.plane import ControlPlane
from tests.llmdash.demo.running import Demo

STARTS = 3  # of each
FIRST, SECOND, PLANE = 15, 10, 5  # seconds
BESIDE = "beside the idle installation that is measured; 3 starts"


LIMIT = "five Python processes that import Django on two cores."


@row("demo-first", f"first start of `make demo` until its page answers, of {FIRST} s", must=1, aim=0.5, limit=LIMIT)
def first(out: Row, world: World) -> None:
    """Each in a new folder: database, keys, people and static files are made."""
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="llmdash-bench-") as folder:
            out.ratios.append(started(Demo(Path(folder), "sandbox")) / FIRST)
    out.said = f"{out.median * FIRST:.1f} s {BESIDE}"


@row("demo-second", f"second start of `make demo` until its page answers, of {SECOND} s", must=1, aim=0.5, limit=LIMIT)
def second(out: Row, world: World) -> None:
    """In the folder of a first one."""
    with tempfile.TemporaryDirectory(prefix="llmdash-bench-") as folder:
        demo = Demo(Path(folder), "sandbox")
        started(demo)
        out.ratios = [started(demo) / SECOND for _ in range(STARTS)]
    out.said = f"{out.median * SECOND:.1f} s {BESIDE}"


def started(demo: Demo) -> float:
    """Seconds until it answers; it is stopped then."""
    began = time.monotonic()
    try:
        demo.start()
        assert httpx.get(demo.url, follow_redirects=True, trust_env=False).status_code == 200
        return time.monotonic() - began
    finally:
        demo.stop()


@row("plane", f"a real control plane ready, of {PLANE} s", must=1, aim=0.5)
def plane(out: Row, world: World) -> None:
    """etcd, API server, controller manager and scheduler, with their certificates, in a new folder."""
    for _ in range(STARTS):
        began = time.monotonic()
        with ControlPlane():
            out.ratios.append((time.monotonic() - began) / PLANE)
    out.said = f"{out.median * PLANE:.1f} s {BESIDE}"
