"""The rights of llmdash's own account, for `kubectl apply`: in the whole cluster, or in a few namespaces only.

It reads no secret and writes nothing but the roles of projects: all else it does as one of a project's ServiceAccounts.
What it may do beyond this, ask for its own rights and for the server's version, Kubernetes allows everybody
(`system:basic-user`, `system:discovery`).
"""

from collections.abc import Iterable
from typing import Any

from deployments.choices import Role
from deployments.manifests import labels, rbac

Manifest = dict[str, Any]
ACCOUNT = "llmdash"  # its ServiceAccount, the namespace which holds that, and its roles
TOKEN = "llmdash-token"  # noqa: S105  (a Secret's name)
ONLY_ACTOR = "llmdash-actor"
ROLES = [rbac.account(role) for role in Role]

# What the watcher follows. RBAC knows no labels, so the right to watch ours is the right to watch all of a kind.
FOLLOW: list[Manifest] = [
    {"apiGroups": [""], "resources": ["pods", "services", "configmaps", "events"], "verbs": ["list", "watch"]},
    {"apiGroups": ["apps"], "resources": ["deployments", "replicasets"], "verbs": ["list", "watch"]},
]
NODES: Manifest = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]}
ACT: Manifest = {
    "apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": ROLES, "verbs": ["impersonate"],
}  # fmt: skip
# An extra belongs to no namespace, so only a ClusterRole can allow it.
ACTOR: Manifest = {
    "apiGroups": ["authentication.k8s.io"], "resources": [f"userextras/{labels.ACTOR}"], "verbs": ["impersonate"],
}  # fmt: skip
# What projects are made of. A server-side apply tells its object's name even when it creates, so names bind `create`
# and `escalate`, too. Without `escalate` nobody may write a role that holds more than they hold themselves.
PROVISION: list[Manifest] = [
    {
        "apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": ROLES,
        "verbs": ["get", "create", "patch"],
    },
    {
        "apiGroups": [rbac.API], "resources": ["roles"], "resourceNames": ROLES,
        "verbs": ["get", "create", "patch", "escalate", "bind"],
    },
    {
        "apiGroups": [rbac.API], "resources": ["rolebindings"], "resourceNames": ROLES,
        "verbs": ["get", "create", "patch"],
    },
    # The uid of kube-system tells clusters apart, and whether a project's namespace is gone ends its deletions.
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "create"]},
]  # fmt: skip


def build(installation: str, namespaces: Iterable[str] = (), *, with_token: bool = True) -> list[Manifest]:
    """The account and its rights: in these namespaces, with the roles of the projects there, or in all."""
    built = account(installation, with_token=with_token)
    chosen = list(dict.fromkeys(namespaces))
    if not chosen:
        return built + cluster_wide(ACCOUNT, [NODES, *FOLLOW, ACT, ACTOR, *PROVISION], installation)
    for namespace in chosen:
        built += in_namespace(namespace, installation)
    return built + cluster_wide(ONLY_ACTOR, [ACTOR], installation)


def account(installation: str, *, with_token: bool) -> list[Manifest]:
    """The ServiceAccount in its namespace, and the Secret that Kubernetes fills with a token which does not end."""
    made = metadata(ACCOUNT, installation, namespace=ACCOUNT)
    token = metadata(TOKEN, installation, namespace=ACCOUNT)
    token["annotations"] = {"kubernetes.io/service-account.name": ACCOUNT}
    built: list[Manifest] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(ACCOUNT, installation)},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": made, "automountServiceAccountToken": False},
    ]
    if with_token:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": token}
        built.append(secret | {"type": "kubernetes.io/service-account-token"})
    return built


def in_namespace(namespace: str, installation: str) -> list[Manifest]:
    """The roles of a project's people, made here so that llmdash need not, and the right to act as them."""
    built = [manifest for role in Role for manifest in rbac.of_role(role, namespace, installation)]
    return built + granted("Role", metadata(ACCOUNT, installation, namespace=namespace), [*FOLLOW, ACT])


def cluster_wide(name: str, rules: list[Manifest], installation: str) -> list[Manifest]:
    """A ClusterRole, granted."""
    return granted("ClusterRole", metadata(name, installation), rules)


def granted(kind: str, meta: Manifest, rules: list[Manifest]) -> list[Manifest]:
    """A role of this kind and its binding to llmdash's account."""
    return [
        {"apiVersion": f"{rbac.API}/v1", "kind": kind, "metadata": meta, "rules": rules},
        {
            "apiVersion": f"{rbac.API}/v1",
            "kind": f"{kind}Binding",
            "metadata": meta,
            "roleRef": {"apiGroup": rbac.API, "kind": kind, "name": meta["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": ACCOUNT}],
        },
    ]


def metadata(name: str, installation: str, *, namespace: str = "") -> Manifest:
    """Name and owner labels."""
    where = {"namespace": namespace} if namespace else {}
    return {"name": name, **where, "labels": labels.of_installation(installation)}
