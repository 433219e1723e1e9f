"""The real control plane and a project on it."""

from tests.controlplane.fixtures import namespace, plane
from tests.deployments.reconcile.play import play

__all__ = ["namespace", "plane", "play"]
