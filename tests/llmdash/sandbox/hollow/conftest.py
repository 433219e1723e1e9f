"""Fixtures of the hollow nodes' tests."""

from tests.controlplane.fixtures import namespace, plane
from tests.llmdash.sandbox.hollow.fixtures import hollow_nodes

__all__ = ["hollow_nodes", "namespace", "plane"]
