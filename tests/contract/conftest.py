"""The two clusters of the contract: a real control plane, and the sandbox. The real one is right where they differ."""

import contextlib
import secrets
from collections.abc import Iterator

import pytest

from tests.contract.simulated import Simulated
from tests.contract.space import Cluster, Space
from tests.controlplane.build import programs
from tests.controlplane.fixtures import plane, shared_or_skip
from tests.controlplane.plane import ControlPlane
from tests.llmdash.sandbox.hollow.fixtures import running_nodes

__all__ = ["plane"]


@pytest.fixture(scope="module", params=["real", "sandbox"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """One H100 node with 8 GPUs and one L4 node with 2, a hundred times as fast as real ones."""
    if request.param == "sandbox":
        shared_or_skip(programs)  # kubectl comes from there
        with Simulated(nodes="small") as simulated:
            yield simulated
        return
    real = request.getfixturevalue("plane")
    with running_nodes(real):
        yield real


@pytest.fixture
def space(cluster: Cluster) -> Iterator[Space]:
    """A fresh namespace that can take pods."""
    with opened(cluster) as found:
        yield found


@pytest.fixture(scope="module")
def both(plane: ControlPlane) -> Iterator[tuple[Space, Space]]:
    """A namespace in the real one and one in the sandbox, no nodes in either."""
    with Simulated() as simulated, opened(plane) as real, opened(simulated) as imitated:
        yield real, imitated


@contextlib.contextmanager
def opened(cluster: Cluster) -> Iterator[Space]:
    """A namespace for the length of a block."""
    name = f"t-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    with cluster.client() as http:
        found = Space(cluster, name, http)
        found.wait(lambda: http.get(f"{found.core}/serviceaccounts/default").is_success)
        yield found
    cluster.kubectl("delete", "namespace", name, "--wait=false", check=False)
