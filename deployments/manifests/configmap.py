"""The ConfigMap: the spec's files."""

import hashlib
import json
from typing import Any

from deployments.manifests import labels
from deployments.manifests.workload import Workload


def build(workload: Workload) -> dict[str, Any] | None:
    """One key for each file; nothing when there are no files."""
    if not workload.spec.files:
        return None
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": labels.metadata(workload, workload.config_name),
        "data": data(workload),
    }


def data(workload: Workload) -> dict[str, str]:
    """File contents by key. A key may hold no slash, so the place in the list names it."""
    return {key(place, file.path): file.content for place, file in enumerate(workload.spec.files)}


def key(place: int, path: str) -> str:
    """The key of the file at `place` in the spec."""
    return f"{place}-{path.rsplit('/', 1)[-1]}"


def checksum(workload: Workload) -> str:
    """Changes when a file does, so that pods restart with it."""
    return hashlib.sha256(json.dumps(data(workload), sort_keys=True).encode()).hexdigest()[:16]
