"""Processes that are there twice, and are restarted one by one."""

import threading
import time

import pytest

from tests.controlplane.ports import free_ports
from tests.controlplane.processes import Part
from tests.faults.conftest import Fault
from tests.faults.person import Follower, Person
from tests.faults.site import Site, eventually
from tests.faults.wire import Wire

pytestmark = pytest.mark.plane
PATIENCE = 20.0
LOST = 3.0  # seconds that a page may be without its stream


@pytest.mark.fault("30", "two of each, two migrations at once, a rolling restart", bound=20)
def test_a_rolling_restart_applies_everything_once(site: Site, fault: Fault) -> None:
    wire = two_webs(site)
    site.parts["watcher2"] = Part("watcher2", site.parts["watcher"].command, site.folder / "watcher2.log")
    site.parts["watcher2"].start()
    migrations = [Part(f"migrate{n}", command_of(site), site.folder / f"migrate{n}.log") for n in (1, 2)]
    for one in migrations:
        one.start()
    follower = Follower(Person(site, f"http://127.0.0.1:{wire.port}"))
    page = threading.Thread(target=follower.follow)
    page.start()
    assert [one.process.wait(PATIENCE) for one in migrations if one.process] == [0, 0]
    eventually(lambda: follower.gaps, 10)
    made = []
    for name in ("worker1", "worker2", "web", "web2", "watcher", "watcher2"):
        made.append(site.deploy(f"while-{name}"))
        site.parts[name].terminate(PATIENCE)
        if name != "web":  # by which this test asks
            made.append(site.deploy(f"without-{name}"))
        site.parts[name].start()
        eventually(lambda: site.get("/readyz").status_code == 200, PATIENCE)
        time.sleep(1)
    fault.until(lambda: all(site.is_applied(one) for one in made))
    fault.until(lambda: not any(site.is_stale(one) for one in made))
    follower.ending = True
    page.join(30)
    assert max(follower.gaps[1:], default=0.0) < LOST, follower.gaps
    site.parts["watcher"].kill()
    late = site.deploy("late")
    fault.until(lambda: site.is_applied(late) and site.status(late)["observed_revision"] == 1)
    writes = [one.target for one in site.proxy.asked if one.method == "PATCH" and "/deployments/while-" in one.target]
    assert len(writes) == len(set(writes)), "nothing was applied twice"
    wire.stop()


def two_webs(site: Site) -> Wire:
    """A second web process, and a balancer before both."""
    [port] = free_ports(1)
    command = [str(port) if word == str(site.port) else word for word in site.parts["web"].command]
    site.parts["web2"] = Part("web2", command, site.folder / "web2.log")
    site.parts["web2"].start()
    return Wire(site.port, port)


def command_of(site: Site) -> list[str]:
    """The migration, as another process of the installation."""
    command = list(site.parts["watcher"].command)
    return [*command[: command.index("manage.py") + 1], "upgrade_database"]
