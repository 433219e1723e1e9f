"""The columns that kubectl prints for each kind, and real rows of the kinds that the scenarios made."""

from typing import Any

from tests.controlplane.recording.cluster import NAMESPACE, Cluster
from tests.controlplane.recording.discovery import group_versions

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
ROWS = 40
# Kinds whose rows are kept; the others would hold certificates or names of the recording machine.
WITH_ROWS = {
    *("deployments", "endpointslices", "events", "horizontalpodautoscalers", "jobs", "networkpolicies", "nodes"),
    *("persistentvolumeclaims", "poddisruptionbudgets", "pods", "priorityclasses", "replicasets", "services"),
}


def record(cluster: Cluster) -> dict[str, Any]:
    """Columns and rows by `<group/version>/<plural>`."""
    return {
        f"{path.removeprefix('/apis/').removeprefix('/api/')}/{resource['name']}": _table(cluster, path, resource)
        for path in group_versions(cluster)
        for resource in cluster.get(path)["resources"]
        if "list" in resource["verbs"] and "/" not in resource["name"]
    }


def _table(cluster: Cluster, path: str, resource: dict[str, Any]) -> dict[str, Any]:
    place = f"{path}/namespaces/{NAMESPACE}" if resource["namespaced"] else path
    keeps_rows = resource["name"] in WITH_ROWS
    parameters = {"limit": str(ROWS if keeps_rows else 1), "includeObject": "Object" if keeps_rows else "None"}
    answer = cluster.client.get(f"{place}/{resource['name']}", params=parameters, headers={"Accept": TABLE})
    table = answer.raise_for_status().json()
    rows = [_row(row) for row in table.get("rows") or ()] if keeps_rows else []
    return {"columns": table["columnDefinitions"], **({"rows": rows} if rows else {})}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Without managedFields, which are large and do not show in a table."""
    row["object"]["metadata"].pop("managedFields", None)
    return row
