"""Where the API serves the kinds that we handle."""

from typing import Any
from urllib.parse import quote

from deployments.kube.errors import KubeError

# (group version, plural, namespaced); https://kubernetes.io/docs/reference/generated/kubernetes-api/
KINDS: dict[str, tuple[str, str, bool]] = {
    "Namespace": ("v1", "namespaces", False),
    "Node": ("v1", "nodes", False),
    "Pod": ("v1", "pods", True),
    "Service": ("v1", "services", True),
    "ConfigMap": ("v1", "configmaps", True),
    "Secret": ("v1", "secrets", True),
    "ServiceAccount": ("v1", "serviceaccounts", True),
    "Event": ("v1", "events", True),
    "Deployment": ("apps/v1", "deployments", True),
    "ReplicaSet": ("apps/v1", "replicasets", True),
    "Role": ("rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rolebindings", True),
}


def segment(name: str) -> str:
    """A name as a part of a path. Raises KubeError for what would lead to another path."""
    # https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names
    if name in ("", ".", "..") or not set(name).isdisjoint("/%"):
        raise KubeError(f"{name[:60]!r} is no name of an object.", 404, "NotFound")
    return quote(name, safe="")


def collection(kind: str, namespace: str = "") -> str:
    """The path of a kind's list, of one namespace or of all."""
    version, plural, namespaced = KINDS[kind]
    root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    return f"{root}/namespaces/{segment(namespace)}/{plural}" if namespaced and namespace else f"{root}/{plural}"


def path(kind: str, namespace: str, name: str) -> str:
    """The path of one object."""
    return f"{collection(kind, namespace)}/{segment(name)}"


def path_of(manifest: dict[str, Any]) -> str:
    """The path of a manifest's object."""
    metadata = manifest["metadata"]
    return path(manifest["kind"], metadata.get("namespace", ""), metadata["name"])
