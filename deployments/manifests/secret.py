"""The Secret: the spec's secret environment variables."""

import base64
from typing import Any

from deployments.manifests import labels
from deployments.manifests.workload import Workload


def build(workload: Workload) -> dict[str, Any] | None:
    """`data`, never `stringData`: under server-side apply that leaves removed keys behind."""
    if not workload.secrets:
        return None
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": labels.metadata(workload, workload.secret_name),
        "type": "Opaque",
        "data": {name: base64.b64encode(value).decode() for name, value in sorted(workload.secrets.items())},
    }


def without_values(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest as it may be stored and shown."""
    if manifest["kind"] != "Secret":
        return manifest
    return manifest | {"data": dict.fromkeys(manifest.get("data", {}), "")}
