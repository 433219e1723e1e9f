"""The Deployment object: the pods of a Revision, how they start and how they are replaced."""

import json
from typing import Any

from deployments import sizing
from deployments import spec as specs
from deployments.manifests import labels, pod, probes
from deployments.manifests.workload import Workload

MAX_SPEC = 100_000  # characters; the annotations of an object hold 256 KiB together


def build(workload: Workload) -> dict[str, Any]:
    """Pods by rolling update."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(workload),
        "spec": {
            "replicas": workload.spec.wanted,
            "selector": {"matchLabels": labels.selector(workload)},
            "template": pod.template(workload),
        }
        | strategy(workload)
        | deadline(workload),
    }


def metadata(workload: Workload) -> dict[str, Any]:
    """With the spec, so that the cluster can tell what runs to a database that does not know it: one restored from a
    backup. A spec with long files does not fit."""
    found = labels.metadata(workload, workload.name)
    text = json.dumps(specs.dump(workload.spec), sort_keys=True, separators=(",", ":"))
    if len(text) <= MAX_SPEC:
        found["annotations"][labels.SPEC] = text
    return found


def strategy(workload: Workload) -> dict[str, Any]:
    """GPU workloads replace a pod in its place: with the default surge a rollout never ends when no GPU is spare."""
    if not workload.spec.gpus:
        return {}
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}


def deadline(workload: Workload) -> dict[str, Any]:
    """A rollout counts as stuck after image pull and start; Kubernetes' 600 s call a slow load failed."""
    budget = probes.startup_budget(workload)
    return {"progressDeadlineSeconds": budget + sizing.IMAGE_SECONDS} if budget else {}
