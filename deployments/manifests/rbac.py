"""The roles of a project as Kubernetes RBAC: three ServiceAccounts that llmdash impersonates, one for each role."""

from typing import Any

from deployments.choices import Role
from deployments.manifests import labels

API = "rbac.authorization.k8s.io"
READ = ["get", "list", "watch"]
WRITE = [*READ, "create", "update", "patch", "delete"]
OPERATE: list[dict[str, Any]] = [
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": WRITE},
    {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get", "update", "patch"]},
    {"apiGroups": [""], "resources": ["services", "configmaps"], "verbs": WRITE},
    # Reading one is asked for metadata only, before each write; nobody lists or watches secrets.
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "patch", "delete"]},
]
VIEW: list[dict[str, Any]] = [
    {"apiGroups": [""], "resources": ["pods", "pods/log", "services", "configmaps", "events"], "verbs": READ},
    {"apiGroups": ["apps"], "resources": ["deployments", "replicasets"], "verbs": READ},
]
RULES: dict[Role, list[dict[str, Any]]] = {
    Role.VIEWER: VIEW,
    Role.OPERATOR: VIEW + OPERATE,
    Role.ADMIN: [
        *VIEW,
        *OPERATE,
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]},
    ],
}


def account(role: Role) -> str:
    """The name of a role's ServiceAccount, Role and RoleBinding."""
    return f"llmdash-{role}"


def build(namespace: str, installation: str, *, create_namespace: bool) -> list[dict[str, Any]]:
    """What a project's namespace needs before anything is deployed into it."""
    built: list[dict[str, Any]] = []
    if create_namespace:
        built.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for role in Role:
        built += of_role(role, namespace, installation)
    return built


def of_role(role: Role, namespace: str, installation: str) -> list[dict[str, Any]]:
    """ServiceAccount, Role and RoleBinding of one role."""
    name = account(role)
    metadata = {"name": name, "namespace": namespace, "labels": labels.of_installation(installation)}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False},
        {"apiVersion": f"{API}/v1", "kind": "Role", "metadata": metadata, "rules": RULES[role]},
        {
            "apiVersion": f"{API}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": API, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        },
    ]
