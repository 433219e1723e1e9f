"""What the API server says it serves: versions, groups, resources, and their schemas."""

from typing import Any

from tests.controlplane.recording.cluster import Cluster

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
DOCUMENTED = (
    "api/v1",
    "apis/admissionregistration.k8s.io/v1",
    "apis/apiextensions.k8s.io/v1",
    "apis/apps/v1",
    "apis/authentication.k8s.io/v1",
    "apis/authorization.k8s.io/v1",
    "apis/autoscaling/v1",
    "apis/autoscaling/v2",
    "apis/batch/v1",
    "apis/coordination.k8s.io/v1",
    "apis/discovery.k8s.io/v1",
    "apis/events.k8s.io/v1",
    "apis/networking.k8s.io/v1",
    "apis/policy/v1",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/storage.k8s.io/v1",
)


def record(cluster: Cluster) -> dict[str, Any]:
    """Bodies by path, and the two that kubectl asks for first in their aggregated form."""
    paths = ["/version", "/api", "/apis", *group_versions(cluster)]
    aggregated = {
        path: cluster.client.get(path, headers={"Accept": AGGREGATED}).raise_for_status().json()
        for path in ("/api", "/apis")
    }
    return {"paths": {path: cluster.get(path) for path in paths}, "aggregated": aggregated}


def group_versions(cluster: Cluster) -> list[str]:
    """The path of every group-version that is served."""
    groups = cluster.get("/apis")["groups"]
    return ["/api/v1", *(f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"])]


def documents(cluster: Cluster) -> dict[str, Any]:
    """The index of OpenAPI documents and those of the groups named above, by file name."""
    index = cluster.get("/openapi/v3")
    found = {path.replace("/", "."): cluster.get(index["paths"][path]["serverRelativeURL"]) for path in DOCUMENTED}
    return {"index": index, **found}
