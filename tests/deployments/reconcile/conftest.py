"""The real control plane and a project on it."""

from collections.abc import Iterator

import pytest

from tests.controlplane.fixtures import namespace, plane
from tests.deployments.reconcile import policies
from tests.deployments.reconcile.play import Play, play
from tests.deployments.reconcile.rights import rights

__all__ = ["namespace", "plane", "play", "rights"]


@pytest.fixture
def rewriting(play: Play) -> Iterator[str]:
    """A policy that rewrites one of our labels; gives the label's key."""
    with policies.rewriting(play) as label:
        yield label
