"""`python -m tests.faults.soak`: one installation lives through a random sequence of faults at production's lengths.

Each fault is injected, lasts for a while, and is taken back; meanwhile somebody deploys, restarts and deletes. A minute
after each heal all that was asked for has to stand in the cluster, and at the end the oracle judges. A seed makes the
sequence again. It takes hours; `--count 3 --shorten 20` shows that it works.
"""

import argparse
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.controlplane.plane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.faults import oracle
from tests.faults import site as sites
from tests.faults.site import Site, eventually
from tests.services import Postgres, Redis

CONVERGES = 60.0  # seconds after a heal
LEASE = 30.0  # a row of a dead worker, or a cluster of a dead watcher, is free after this long
OUTAGE = (60.0, 600.0)  # seconds that an outage lasts


@dataclass
class Soak:
    """The installation and its dice."""

    site: Site
    dice: random.Random
    shorten: float
    number: int = 0

    def last(self) -> None:
        """An outage's length."""
        time.sleep(self.dice.uniform(*OUTAGE) / self.shorten)

    def someone(self, *names: str) -> str:
        return self.dice.choice(names)


# ---- the faults: what happens between the two halves is the outage


def dead_worker(soak: Soak) -> Iterator[None]:
    name = soak.someone("worker1", "worker2")
    soak.site.parts[name].kill()
    yield
    soak.site.parts[name].start()


def dead_watcher(soak: Soak) -> Iterator[None]:
    soak.site.parts["watcher"].kill()
    yield
    soak.site.parts["watcher"].start()


def hung_worker(soak: Soak) -> Iterator[None]:
    part = soak.site.parts[soak.someone("worker1", "worker2")]
    part.signal(signal.SIGSTOP)
    yield
    part.signal(signal.SIGCONT)


def dead_redis(soak: Soak) -> Iterator[None]:
    soak.site.redis.part.kill()
    yield
    soak.site.redis.start()


def forgetful_redis(soak: Soak) -> Iterator[None]:
    with redis.Redis.from_url(soak.site.redis.url) as client:
        client.flushall()
    yield


def api_server_gone(soak: Soak) -> Iterator[None]:
    soak.site.proxy.refuse()
    yield
    soak.site.proxy.refuse(refusing=False)


def api_server_silent(soak: Soak) -> Iterator[None]:
    soak.site.proxy.is_silent = True
    yield
    soak.site.proxy.is_silent = False


def api_server_slow(soak: Soak) -> Iterator[None]:
    soak.site.proxy.delay = 5.0
    yield
    soak.site.proxy.delay = 0.0


def wrong_certificate(soak: Soak) -> Iterator[None]:
    soak.site.proxy.show(name="elsewhere.example")
    yield
    soak.site.proxy.show()


def cut_connections(soak: Soak) -> Iterator[None]:
    soak.site.proxy.cut()
    yield


def rival(soak: Soak) -> Iterator[None]:
    for item in soak.site.objects("deployment")[:1]:
        soak.site.kubectl("scale", "deployment", item["metadata"]["name"], "--replicas=4")
    yield


def removed_service(soak: Soak) -> Iterator[None]:
    for item in soak.site.objects("service")[:1]:
        soak.site.kubectl("delete", "service", item["metadata"]["name"])
    yield


FAULTS: list[Callable[[Soak], Iterator[None]]] = [
    dead_worker, dead_watcher, hung_worker, dead_redis, forgetful_redis, api_server_gone, api_server_silent,
    api_server_slow, wrong_certificate, cut_connections, rival, removed_service,
]  # fmt: skip


def people(soak: Soak) -> None:
    """What somebody asks for during a fault: a new deployment, another number of replicas, now and then an end."""
    site, dice = soak.site, soak.dice
    site.deploy(f"soak-{soak.number}", replicas=dice.randint(0, 2))
    alive = living(site)
    site.act(f"/deployments/{dice.choice(alive)}/restart", {})
    if len(alive) > 5:
        answer = site.client.delete(f"/api/v1/deployments/{alive[0]}", headers={"If-Match": "*"})
        site.answered(answer)


def living(site: Site) -> list[str]:
    return [str(pk) for (pk,) in site.rows("select id from deployments_deployment where deleted_at is null")]


def converged(site: Site) -> bool:
    """Everything that was asked for stands in the cluster, what was deleted is gone, and the watcher sees it."""
    open_rows = """select count(*) from deployments_deployment where (deleted_at is null and applied < desired)
                   or (deleted_at is not null and gone_at is null)"""
    return site.rows(open_rows) == [(0,)] and not any(site.is_stale({"id": pk}) for pk in living(site))


def run(soak: Soak, count: int) -> None:
    """The sequence."""
    for soak.number in range(1, count + 1):
        fault = soak.dice.choice(FAULTS)
        steps = fault(soak)
        next(steps)
        people(soak)
        soak.last()
        for _ in steps:
            pass
        took = eventually(lambda: converged(soak.site), CONVERGES + LEASE)
        print(
            f"{soak.number:>3}  {fault.__name__.replace('_', ' '):<24} converged {took:5.1f} s after it healed",
            flush=True,
        )
    oracle.judge(soak.site)


@contextmanager
def installed() -> Iterator[Site]:
    """Servers, a control plane and an installation with production's bounds."""
    sites.BOUNDS.clear()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmdash-soak-")))
        plane = stack.enter_context(ControlPlane())
        plane.kubectl("create", "namespace", "soak")
        (folder / "redis").mkdir()
        queue = Redis(folder / "redis", free_ports(1)[0])
        stack.callback(queue.part.kill)
        postgres = Postgres(
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmdash-soak-"))), free_ports(1)[0]
        )
        stack.callback(postgres.part.kill)
        site = Site(folder, postgres, queue, plane, "soak")
        stack.callback(site.stop)
        site.start()
        yield site


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--shorten", type=float, default=1.0, help="divide the outages' lengths by this")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with installed() as site:
        run(Soak(site, random.Random(given.seed), given.shorten), given.count)
    print("nothing is left unrecovered")


if __name__ == "__main__":
    main()
