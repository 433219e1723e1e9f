"""The Service: the address of the pods."""

from typing import Any

from deployments.manifests import labels
from deployments.manifests.workload import Workload


def build(workload: Workload) -> dict[str, Any]:
    """One port to the container's port."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": labels.metadata(workload, workload.name),
        "spec": {
            "type": workload.spec.service_type,
            "selector": labels.selector(workload),
            "ports": [{"protocol": "TCP", "port": workload.spec.service_port, "targetPort": workload.port}],
        },
    }
