"""A site for each test, and at the end a table of the faults: injected, bound, measured, verdict."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.fixtures import namespace, plane
from tests.controlplane.plane import ControlPlane
from tests.faults import oracle
from tests.faults.site import Site, eventually
from tests.services import Postgres, Redis, postgres_server, redis_instance

__all__ = ["namespace", "plane", "postgres_server", "redis_instance"]


class Fault:
    """A fault of the table: waits for what must come of it within the bound, and writes down how long that took."""

    def __init__(self, number: str, what: str, bound: float) -> None:
        self.bound = bound
        self.row: list[Any] = [number, what, bound, None]  # the last is the seconds taken

    def until(self, check: Callable[[], Any]) -> None:
        """Wait until this is true, within the bound. Of several times the longest counts."""
        self.took(eventually(check, self.bound))

    def took(self, seconds: float) -> None:
        """What a test has timed by itself."""
        self.row[-1] = max(self.row[-1] or 0, seconds)
        assert seconds <= self.bound, f"took {seconds:.1f} s, more than {self.bound} s"


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Fault:
    """Described by the test's mark: `@pytest.mark.fault("1", "what is injected", bound=seconds)`."""
    mark = request.node.get_closest_marker("fault")
    found = Fault(*mark.args, **mark.kwargs)
    request.node.user_properties.append(("fault", found.row))
    return found


@pytest.fixture
def site(plane: ControlPlane, namespace: str, postgres_server: Postgres, redis_instance: Redis) -> Iterator[Site]:
    """An installation that works; the oracle judges it at the end."""
    with tempfile.TemporaryDirectory(prefix=f"llmdash-faults-{secrets.token_hex(2)}-") as folder:
        made = Site(Path(folder), postgres_server, redis_instance, plane, namespace)
        try:
            made.start()
            yield made
            oracle.judge(made)
        finally:
            for name, part in made.parts.items():
                print(f"---- {name}", part.last_lines(15), sep="\n")  # shown when the test fails
            made.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table. What the oracle says at the end of a test counts."""
    reports = [one for kind in ("passed", "failed", "error") for one in terminalreporter.stats.get(kind, [])]
    failed = {one.nodeid for one in reports if one.outcome == "failed"}
    rows = {one.nodeid: dict(one.user_properties)["fault"] for one in reports if dict(one.user_properties).get("fault")}
    if not rows:
        return
    terminalreporter.write_sep("=", "faults")
    terminalreporter.write_line(f"{'':>3}  {'injected':<56} {'bound':>7} {'measured':>9}  verdict")
    for nodeid, (number, what, bound, taken) in sorted(rows.items(), key=lambda row: (int(row[1][0]), row[0])):
        measured = "-" if taken is None else f"{taken:.1f} s"
        verdict = "failed" if nodeid in failed else "holds"
        terminalreporter.write_line(f"{number:>3}  {what:<56} {bound:>5.0f} s {measured:>9}  {verdict}")
