"""Workers that die, hang and come back."""

import os
import signal
import time
from functools import partial

import pytest

from tests.deployments.kube.servers import HOUR
from tests.faults.conftest import Fault
from tests.faults.site import BOUNDS, Site, eventually

pytestmark = pytest.mark.plane
LEASE = float(BOUNDS["LLMDASH_LEASE_SECONDS"])


def holder(site: Site) -> str:
    """The name of the worker that holds a row now."""
    return next(name for name in ("worker1", "worker2") if held(site) in family(site, name))


def family(site: Site, name: str) -> list[str]:
    """The processes of a worker: its pool's, and its own."""
    process = site.parts[name].process
    assert process
    return [*children(process.pid), str(process.pid)]


def children(pid: int) -> list[str]:
    """The processes of a worker's pool."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as found:
        return found.read().split()


def kill_with_pool(site: Site, name: str, number: int = signal.SIGKILL) -> None:
    """A signal to a worker and to the processes of its pool."""
    for pid in family(site, name):
        os.kill(int(pid), number)


@pytest.mark.fault("1", "SIGKILL a worker between two of its objects", bound=LEASE + 5)
def test_another_worker_finishes_what_a_killed_one_began(site: Site, fault: Fault) -> None:
    site.proxy.delay = 0.4  # so that one sees between two writes
    made = site.deploy("qwen")
    eventually(lambda: len(site.objects()) == 2, 20)
    before = {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in site.objects()}
    assert len(before) == 2
    kill_with_pool(site, holder(site))
    site.proxy.delay = 0
    fault.until(lambda: site.is_applied(made))
    after = {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in site.objects()}
    assert before.items() <= after.items(), "what the dead worker had written was left alone"
    assert len(after) == 4


@pytest.mark.fault("3", "SIGSTOP a worker past its lease, then SIGCONT", bound=LEASE + 5)
def test_the_late_write_of_a_sleeper_is_refused(site: Site, fault: Fault) -> None:
    site.proxy.delay = 0.4
    made = site.deploy("qwen")
    eventually(lambda: 1 <= len(site.objects()) <= 2, 20)
    sleeper = holder(site)
    kill_with_pool(site, sleeper, signal.SIGSTOP)
    site.proxy.delay = 0
    site.act(f"/deployments/{made['id']}/scale", {"replicas": 3})
    fault.until(lambda: site.is_applied(made))
    versions = {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in site.objects()}
    kill_with_pool(site, sleeper, signal.SIGCONT)
    eventually(lambda: "the lease was lost" in site.log(sleeper), 2 * LEASE)
    assert site.replicas("qwen") == 3
    assert versions == {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in site.objects()}


@pytest.mark.fault("2", "three deaths of the process that works on one row", bound=60)
def test_a_row_that_kills_is_parked_and_the_others_go_on(site: Site, fault: Fault) -> None:
    site.proxy.delay = 0.4
    made = site.deploy("killer")
    began, deaths = time.monotonic(), 0
    while site.status(made).get("problem") != "poison":
        eventually(lambda: held(site) or site.status(made).get("problem") == "poison", fault.bound)
        if pid := held(site):
            os.kill(int(pid), signal.SIGKILL)
            deaths += 1
            eventually(partial(is_free_of, site, pid), fault.bound)
    fault.took(time.monotonic() - began)
    assert deaths == 3
    site.proxy.delay = 0
    other = site.deploy("other")
    fault.until(lambda: site.is_applied(other))
    assert site.status(made)["problem"] == "poison"
    site.act(f"/deployments/{made['id']}/scale", {"replicas": 2})  # an edit is another try
    fault.until(lambda: site.is_applied(made))


@pytest.mark.fault("14", "a worker an hour ahead, a watcher an hour behind", bound=30)
def test_skewed_clocks_neither_steal_leases_nor_age_what_is_fresh(site: Site, fault: Fault) -> None:
    site.proxy.show(start=-3 * HOUR, lives=6 * HOUR)  # good for all of them
    site.skew("worker2", "+1h")
    site.skew("watcher", "-1h")
    site.proxy.delay = 0.4
    slow = site.deploy("slow")
    eventually(lambda: held(site), 10)
    first, began = held(site), time.monotonic()
    while time.monotonic() - began < LEASE and held(site):
        assert held(site) == first, "whoever is ahead takes no lease that still runs"
        time.sleep(0.1)
    site.proxy.delay = 0
    fault.until(lambda: site.is_applied(slow))
    fault.until(lambda: site.status(slow).get("observed_revision") == 1 and not site.is_stale(slow))
    site.kubectl("delete", "service", "slow")
    eventually(lambda: len(site.objects()) == 4, 20)
    ids = [row["id"] for row in site.get("/api/v1/audit").json()["results"]]
    assert ids == sorted(ids, reverse=True), "by sequence, whatever the clocks say"


def is_free_of(site: Site, pid: str) -> bool:
    """Whether a dead process holds no row any more."""
    return held(site) != pid


def held(site: Site) -> str:
    """The process that works on a row now, "" while none does."""
    rows = site.rows("select lease_owner from deployments_deployment where lease_owner <> ''")
    return str(rows[0][0]).split(":")[1] if rows else ""
