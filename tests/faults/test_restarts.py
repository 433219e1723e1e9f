"""Processes that are there twice, and are restarted one by one."""

import pytest

from tests.controlplane.processes import Part
from tests.faults.conftest import Fault
from tests.faults.site import Site, eventually

pytestmark = pytest.mark.plane
PATIENCE = 20.0


@pytest.mark.fault("30", "two migrations at once, a rolling restart under load", bound=20)
def test_a_rolling_restart_applies_everything_once(site: Site, fault: Fault) -> None:
    site.parts["watcher2"] = Part("watcher2", site.parts["watcher"].command, site.folder / "watcher2.log")
    site.parts["watcher2"].start()
    migrations = [Part(f"migrate{n}", command_of(site), site.folder / f"migrate{n}.log") for n in (1, 2)]
    for one in migrations:
        one.start()
    assert [one.process.wait(PATIENCE) for one in migrations if one.process] == [0, 0]
    made = []
    for name in ("worker1", "worker2", "watcher", "watcher2"):
        made.append(site.deploy(f"while-{name}"))
        site.parts[name].terminate(PATIENCE)
        made.append(site.deploy(f"without-{name}"))
        site.parts[name].start()
    fault.until(lambda: all(site.is_applied(one) for one in made))
    fault.until(lambda: not any(site.is_stale(one) for one in made))
    site.parts["watcher"].kill()
    late = site.deploy("late")
    fault.until(lambda: site.is_applied(late) and not site.is_stale(late))
    eventually(lambda: site.status(late)["observed_revision"] == 1, fault.bound)


def command_of(site: Site) -> list[str]:
    """The migration, as another process of the installation."""
    command = list(site.parts["watcher"].command)
    return [*command[: command.index("manage.py") + 1], "upgrade_database"]
