"""A Revision as Kubernetes objects. Pure: one argument in, literal dicts out, in the order of applying."""

from typing import Any

from deployments.manifests import configmap, deployment, secret, service
from deployments.manifests.workload import Workload

__all__ = ["Workload", "build"]


def build(workload: Workload) -> list[dict[str, Any]]:
    """The objects, those that others need first."""
    built = [configmap.build(workload), secret.build(workload), deployment.build(workload), service.build(workload)]
    return [manifest for manifest in built if manifest]
