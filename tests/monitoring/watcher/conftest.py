"""The real control plane with hollow nodes, a project on it, and the watcher."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.controlplane.fixtures import namespace, plane
from tests.deployments.reconcile.play import Play, play
from tests.deployments.reconcile.rights import rights
from tests.llmdash.sandbox.hollow.fixtures import hollow_nodes
from tests.monitoring.watcher.watching import SHORT, Watching

__all__ = ["hollow_nodes", "namespace", "plane", "play", "rights"]


@pytest.fixture
def short(play: Play, settings: Any) -> None:
    """Watches, waits and what counts as stale, all of seconds."""
    settings.LLMDASH = settings.LLMDASH | SHORT


@pytest.fixture
def watching(play: Play, short: None) -> Iterator[Watching]:
    """The watcher, which the test starts."""
    made = Watching()
    yield made
    made.end()


@pytest.fixture
def watched(watching: Watching) -> Watching:
    """The watcher, started."""
    watching.start()
    return watching
