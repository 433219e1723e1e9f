"""pytest fixtures that lend tests a real control plane: import `plane` and `namespace` into a conftest."""

import atexit
import os
import secrets
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeVar

import pytest

from tests.controlplane.build import ControlPlaneUnavailable
from tests.controlplane.plane import ControlPlane

ACCOUNT_PATIENCE = 20.0
T = TypeVar("T")


class ControlPlaneMissing(UserWarning):
    """Tests that need a real control plane were skipped."""


@pytest.fixture(scope="module")
def plane() -> ControlPlane:
    """A running control plane, all of its parts up.

    Decision: there is one plane for each pytest process (an xdist worker is one), paid for once, while the fixture
    itself belongs to the module. So a module that stops parts cannot spoil the next one: each module's first use
    wakes and starts whatever is suspended or down. Objects survive; tests keep apart by `namespace`.

    Where the programs are not built the tests are skipped with a warning, but on CI they fail. A plane that is built
    and does not start is a failure everywhere.
    """
    shared = shared_or_skip(_shared_plane)
    heal(shared)
    return shared


@pytest.fixture
def namespace(plane: ControlPlane) -> Iterator[str]:
    """A new namespace that can take pods; deleted afterwards without waiting for what is in it to go."""
    name = f"t-{secrets.token_hex(4)}"
    plane.kubectl("create", "namespace", name)
    _wait_for_account(plane, name)
    yield name
    # Not checked: a test may end with the API server down, and its failure should not be hidden by this one.
    plane.kubectl("delete", "namespace", name, "--wait=false", check=False)


def heal(plane: ControlPlane) -> None:
    """Wake the suspended parts and start those that are down."""
    for part in plane.parts.values():
        part.signal(signal.SIGCONT)
    plane.start()


def shared_or_skip(make: Callable[[], T]) -> T:
    """What is made, unless the control plane cannot be had: then the test fails on CI, and is skipped elsewhere."""
    try:
        return make()
    except ControlPlaneUnavailable as missing:
        reason = f"no real control plane: {missing}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    with warnings.catch_warnings():
        # A project that turns warnings into errors still gets a skip here.
        warnings.simplefilter("always", ControlPlaneMissing)
        warnings.warn(reason, ControlPlaneMissing, stacklevel=2)
    pytest.skip(reason)


@cache
def _shared_plane() -> ControlPlane:
    shared = ControlPlane()
    atexit.register(shared.stop)
    return shared


def _wait_for_account(plane: ControlPlane, namespace: str) -> None:
    """Pods are refused until the controller manager has made the namespace's default account."""
    deadline = time.monotonic() + ACCOUNT_PATIENCE
    while not plane.kubectl("get", "serviceaccount", "default", "-n", namespace, "--ignore-not-found"):
        if time.monotonic() > deadline:
            raise AssertionError(f"no default ServiceAccount in {namespace} after {ACCOUNT_PATIENCE:.0f} s")
