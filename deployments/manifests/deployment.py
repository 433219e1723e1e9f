"""The Deployment object: the pods of a Revision, how they start and how they are replaced."""

from typing import Any

from deployments import sizing
from deployments.manifests import labels, pod, probes
from deployments.manifests.workload import Workload


def build(workload: Workload) -> dict[str, Any]:
    """Pods by rolling update."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": labels.metadata(workload, workload.name),
        "spec": {
            "replicas": workload.spec.wanted,
            "selector": {"matchLabels": labels.selector(workload)},
            "template": pod.template(workload),
        }
        | strategy(workload)
        | deadline(workload),
    }


def strategy(workload: Workload) -> dict[str, Any]:
    """GPU workloads replace a pod in its place: with the default surge a rollout never ends when no GPU is spare."""
    if not workload.spec.gpus:
        return {}
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}


def deadline(workload: Workload) -> dict[str, Any]:
    """A rollout counts as stuck after image pull and start; Kubernetes' 600 s call a slow load failed."""
    budget = probes.startup_budget(workload)
    return {"progressDeadlineSeconds": budget + sizing.IMAGE_SECONDS} if budget else {}
