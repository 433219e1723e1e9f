"""What llmdash costs while nothing happens, and how it comes back from a killed worker."""

import os
import signal
import statistics
import time
from functools import partial
from pathlib import Path

from tests.bench.table import ROUNDS, Row, row
from tests.bench.world import World
from tests.faults.person import closing
from tests.faults.site import eventually
from tests.faults.test_workers import family, holder

IDLE_SECONDS = 300
KINDS = 7  # nodes, pods, deployments, replica sets, services, config maps, events
TICKS = os.sysconf("SC_CLK_TCK")
SERVING = ("web", "worker1", "watcher")  # the second worker is what an idle installation would not have


@row(
    "idle",
    "CPU of web, worker and watcher at rest with 1,000 deployments, of one core",
    must=0.05,
    aim=0.01,
    limit="four processes of a worker ask every 5 s what is due; the interpreter's and Celery's own timers.",
)
def idle(out: Row, world: World) -> None:
    """Over five minutes, once, nobody looking; the second worker is stopped."""
    world.full()
    world.site.parts["worker2"].terminate(20)
    time.sleep(5)
    began, before = time.monotonic(), {name: spent(world, name) for name in SERVING}
    time.sleep(IDLE_SECONDS)
    taken = time.monotonic() - began
    shares = {name: (spent(world, name) - before[name]) / taken for name in SERVING}
    world.site.parts["worker2"].start()
    out.ratios = [sum(shares.values())]
    out.said = ", ".join(f"{name} {share * 100:.2f} %" for name, share in shares.items()) + "; one measurement"


def spent(world: World, name: str) -> float:
    """CPU seconds of a part and its children so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in family(world.site, name)]
    return sum(int(ticks) for one in fields for ticks in one[11:13]) / TICKS


@row(
    "rest-requests",
    "requests of the API server a minute at rest, for each watched kind",
    must=3,
    aim=2,
    limit="a watch lives for 25 to 30 s, and opening it anew is the proof that it lives.",
)
def at_rest(out: Row, world: World) -> None:
    """Two minutes alone, and two while pages are looked at all the time."""
    world.full()
    time.sleep(30)
    alone = asked(world, 0)
    busy = asked(world, 200)
    out.ratios = [alone / KINDS, busy / KINDS]
    out.said = f"{alone:.0f} a minute alone, {busy:.0f} while pages are read; {KINDS} kinds; two measurements"


def asked(world: World, views: int) -> float:
    """Requests a minute that came by."""
    began = time.monotonic()
    with closing(world.person()) as person:
        for _ in range(views):
            person.client.get("/deployments/")
            person.client.get("/")
    time.sleep(max(0.0, 120 - (time.monotonic() - began)))
    taken = time.monotonic() - began
    return sum(one.at >= began for one in list(world.site.proxy.asked)) * 60 / taken


@row(
    "kill",
    "seconds from SIGKILL of the worker in the middle of an apply until all is applied",
    must=30,
    aim=18,
    limit="the dead worker's lease of 15 s, and up to 5 s until the next look for work.",
)
def kill(out: Row, world: World) -> None:
    """One deployment of four objects; the answers of the API server take 0.4 s until the kill."""
    for number in range(ROUNDS):
        world.site.proxy.delay = 0.4
        made = world.site.deploy(f"killed-{number}")
        eventually(partial(is_begun, world, f"killed-{number}"), 20)
        name = holder(world.site)
        for pid in family(world.site, name):
            os.kill(int(pid), signal.SIGKILL)
        began = time.monotonic()
        world.site.proxy.delay = 0
        eventually(partial(world.site.is_applied, made), 60)
        out.ratios.append(time.monotonic() - began)
        world.site.parts[name].start()
    out.said = f"{statistics.median(out.ratios):.1f} s"


def is_begun(world: World, name: str) -> bool:
    """Whether the first object of a deployment was written and others were not."""
    query = f"""select count(*) from deployments_appliedobject o
                join deployments_deployment d on d.id = o.deployment_id where o.uid <> '' and d.name = '{name}'"""
    return world.site.rows(query) != [(0,)]
