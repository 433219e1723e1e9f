"""A thousand wishes at once."""

import os
import signal
import statistics
import time
from pathlib import Path

import pytest

from tests.controlplane.plane import ControlPlane
from tests.faults.conftest import Fault
from tests.faults.person import Person, closing
from tests.faults.site import Site, eventually
from tests.faults.test_workers import family, kill_with_pool

pytestmark = [pytest.mark.plane, pytest.mark.timeout(600)]
MANY, FEW = 960, 40
CROWD = """
import django
django.setup()
from deployments import services
from deployments.models import Project
from deployments.spec import Spec
from llmdash.accounts.models import User
boss = User.objects.get(username="boss")
spec = Spec.model_validate({"runtime": "custom", "image": "registry.example/app:1", "replicas": 0})
for project, count in (("team", %(many)d), ("second", %(few)d)):
    row = Project.objects.get(name=project)
    for number in range(count):
        services.create(project=row, name=f"crowd-{number}", spec=spec, by=boss)
"""
GROWTH = 60 * 1024  # KiB that a worker may grow by


@pytest.mark.fault("23", "1,000 deployments asked for at once", bound=300)
def test_a_crowd_is_served_in_fair_order_and_nobody_waits_for_pages(site: Site, fault: Fault) -> None:
    site.second_project()
    site.serve_pages()
    elsewhere(site.plane)
    first = site.deploy("first")
    eventually(lambda: site.is_applied(first), 30)
    with closing(Person(site)) as person:
        before = memory(site)
        both(site, signal.SIGSTOP)  # asked for at once: nothing is done before the last is asked for
        site.python("-c", CROWD % {"many": MANY, "few": FEW})
        site.acts += MANY + FEW
        both(site, signal.SIGCONT)
        began, busy, last_of_few = time.monotonic(), [page_time(person)], 0.0
        while left := waiting(site):
            busy.append(page_time(person))
            if not last_of_few and not left.get("second"):
                last_of_few = time.monotonic() - began
            assert time.monotonic() - began < fault.bound
            time.sleep(1)
        fault.took(time.monotonic() - began)
        time.sleep(5)  # the watcher has seen the last of them
        idle = page_time(person)  # of the same long list
    print(f"idle {idle * 1000:.0f} ms, busy {[round(one * 1000) for one in busy]} ms, few after {last_of_few:.0f} s,"
          f" all after {fault.row[-1]:.0f} s, memory {before} -> {memory(site)} KiB")  # fmt: skip
    assert last_of_few < fault.row[-1] / 3, "the small project does not wait for the large one"
    assert memory(site) - before < GROWTH
    assert statistics.median(busy) < 2 * idle, "pages no slower than twice idle"


def elsewhere(plane: ControlPlane) -> None:
    """A cluster works on machines of its own: here, where it shares ours, whatever is llmdash's comes before it. A
    priority is of a thread, and those that a thread starts later have it, too."""
    for part in plane.parts.values():
        if part.process:
            for thread in Path(f"/proc/{part.process.pid}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(thread.name), 10)


def both(site: Site, number: signal.Signals) -> None:
    """A signal to all of both workers."""
    for name in ("worker1", "worker2"):
        kill_with_pool(site, name, number)


def page_time(person: Person) -> float:
    """The median of seconds until the list of deployments is there."""
    times = []
    for _ in range(7):
        began = time.perf_counter()
        assert person.client.get("/deployments/").status_code == 200
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def memory(site: Site) -> int:
    """KiB that the largest process of the workers holds."""
    pids = [pid for name in ("worker1", "worker2") for pid in family(site, name)]
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return max(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def waiting(site: Site) -> dict[str, int]:
    """How many are not applied yet, by project."""
    query = """select p.name, count(*) from deployments_deployment d join deployments_project p on p.id = d.project_id
               where d.applied < d.desired group by p.name"""
    return {str(name): int(count) for name, count in site.rows(query)}
