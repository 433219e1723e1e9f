"""What stands in a cluster before anybody uses it: namespaces, the `kubernetes` Service, default roles, priorities.

After k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, as far as people and programs that
are no part of the control plane need it.
"""

from __future__ import annotations

from typing import Any

from llmdash.sandbox import rbac
from llmdash.sandbox.paths import Resource, get
from llmdash.sandbox.registry import Registry, Writer

Json = dict[str, Any]
API = Writer("kube-apiserver")
NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
READ = ["get", "list", "watch"]
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
CORE = ["configmaps", "endpoints", "persistentvolumeclaims", "pods", "replicationcontrollers",
        "replicationcontrollers/scale", "serviceaccounts", "services"]  # fmt: skip
CORE_READ = ["bindings", "events", "limitranges", "namespaces/status", "persistentvolumeclaims/status", "pods/log",
             "pods/status", "resourcequotas", "resourcequotas/status", "services/status", "namespaces"]  # fmt: skip
APPS = ["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets",
        "statefulsets/scale"]  # fmt: skip
OTHERS: list[tuple[str, list[str]]] = [
    ("apps", APPS),
    ("autoscaling", ["horizontalpodautoscalers"]),
    ("batch", ["cronjobs", "jobs"]),
    ("policy", ["poddisruptionbudgets"]),
    ("networking.k8s.io", ["ingresses", "networkpolicies"]),
]
OPEN_PATHS = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
API_PATHS = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
             "/version", "/version/"]  # fmt: skip
OIDC_PATHS = ["/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks",
              "/openid/v1/jwks/"]  # fmt: skip


def fill(registry: Registry) -> None:
    """Make what is missing; what stands there already stays as it is."""
    for name in NAMESPACES:
        _ensure(registry, get("", "v1", "namespaces"), "", {"metadata": {"name": name}})
    for role, rules in _roles().items():
        body = {"metadata": _labelled(role), "rules": rules}
        _ensure(registry, get(rbac.GROUP, "v1", "clusterroles"), "", body)
    for role, groups in _bindings().items():
        subjects = [{"kind": "Group", "apiGroup": rbac.GROUP, "name": group} for group in groups]
        body = {
            "metadata": _labelled(role),
            "roleRef": {"apiGroup": rbac.GROUP, "kind": "ClusterRole", "name": role},
            "subjects": subjects,
        }
        _ensure(registry, get(rbac.GROUP, "v1", "clusterrolebindings"), "", body)
    _priorities(registry)
    _kubernetes_service(registry)


def _ensure(registry: Registry, resource: Resource, namespace: str, body: Json) -> None:
    if registry.store.get(resource.key, namespace, body["metadata"]["name"]) is None:
        registry.create(resource, namespace, body, API)


def _labelled(name: str) -> Json:
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    return {"name": name, "labels": labels, "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}}


def _rule(group: str, resources: list[str], verbs: list[str]) -> Json:
    return {"verbs": verbs, "apiGroups": [group], "resources": resources}


def _roles() -> dict[str, list[Json]]:
    view = [_rule("", CORE + CORE_READ, READ), *(_rule(group, kinds, READ) for group, kinds in OTHERS)]
    edit = [
        *view,
        _rule("", [*CORE, "pods/eviction", "events", "secrets"], WRITE),
        _rule("", ["secrets"], READ),
        _rule("", ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"], ["get", *WRITE]),
        _rule("", ["serviceaccounts"], ["impersonate"]),
        _rule("", ["serviceaccounts/token"], ["create"]),
        *(_rule(group, kinds, WRITE) for group, kinds in OTHERS),
    ]
    admin = [
        *edit,
        _rule(rbac.GROUP, ["roles", "rolebindings"], READ + WRITE),
        _rule("authorization.k8s.io", ["localsubjectaccessreviews"], ["create"]),
    ]
    reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    return {
        "cluster-admin": [_rule("*", ["*"], ["*"]), {"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "admin": admin,
        "edit": edit,
        "view": view,
        "system:basic-user": [
            _rule("authorization.k8s.io", reviews, ["create"]),
            _rule("authentication.k8s.io", ["selfsubjectreviews"], ["create"]),
        ],
        "system:discovery": [{"verbs": ["get"], "nonResourceURLs": API_PATHS}],
        "system:public-info-viewer": [{"verbs": ["get"], "nonResourceURLs": OPEN_PATHS}],
        "system:service-account-issuer-discovery": [{"verbs": ["get"], "nonResourceURLs": OIDC_PATHS}],
    }


def _bindings() -> dict[str, list[str]]:
    return {
        "cluster-admin": [rbac.MASTERS],
        "system:basic-user": ["system:authenticated"],
        "system:discovery": ["system:authenticated"],
        "system:public-info-viewer": ["system:authenticated", "system:unauthenticated"],
        "system:service-account-issuer-discovery": ["system:serviceaccounts"],
    }


def _priorities(registry: Registry) -> None:
    for name, value in (("system-node-critical", 2000001000), ("system-cluster-critical", 2000000000)):
        body = {"metadata": {"name": name}, "value": value}
        _ensure(registry, get("scheduling.k8s.io", "v1", "priorityclasses"), "", body)


def _kubernetes_service(registry: Registry) -> None:
    body = {
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
    }
    _ensure(registry, get("", "v1", "services"), "default", body)
