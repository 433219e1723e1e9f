"""The roles of a project in its namespace: as much as each needs."""

from typing import Any

import pytest

from deployments.choices import Role
from deployments.manifests import rbac


def can(role: Role, verb: str, resource: str) -> bool:
    return any(verb in rule["verbs"] and resource in rule["resources"] for rule in rbac.RULES[role])


def of_kind(kind: str, **more: Any) -> list[dict[str, Any]]:
    made = rbac.build("space", "llmdash", **{"create_namespace": False} | more)
    return [manifest for manifest in made if manifest["kind"] == kind]


@pytest.mark.parametrize("verb", ["create", "update", "patch", "delete", "deletecollection", "*"])
def test_a_viewer_changes_nothing(verb: str) -> None:
    assert not any(verb in rule["verbs"] for rule in rbac.RULES[Role.VIEWER])


@pytest.mark.parametrize("role", list(Role))
def test_nobody_lists_or_watches_secrets_and_no_rule_has_a_star(role: Role) -> None:
    assert not can(role, "list", "secrets")
    assert not can(role, "watch", "secrets")
    assert not any("*" in rule[part] for rule in rbac.RULES[role] for part in ("verbs", "resources", "apiGroups"))


def test_a_viewer_reads_no_secret() -> None:
    assert not can(Role.VIEWER, "get", "secrets")


@pytest.mark.parametrize("resource", ["deployments", "services", "configmaps", "secrets"])
@pytest.mark.parametrize("verb", ["get", "create", "patch", "delete"])
def test_an_operator_may_do_what_applying_and_deleting_needs(verb: str, resource: str) -> None:
    assert can(Role.OPERATOR, verb, resource)


def test_only_an_admin_deletes_single_pods() -> None:
    assert [role for role in Role if can(role, "delete", "pods")] == [Role.ADMIN]


def test_each_role_is_an_account_bound_to_its_role_in_the_namespace() -> None:
    names = ["llmdash-viewer", "llmdash-operator", "llmdash-admin"]
    for kind in ("ServiceAccount", "Role", "RoleBinding"):
        assert [(made["metadata"]["name"], made["metadata"]["namespace"]) for made in of_kind(kind)] == [
            (name, "space") for name in names
        ]
    for binding in of_kind("RoleBinding"):
        name = binding["metadata"]["name"]
        assert binding["roleRef"]["name"] == name
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": "space"}]


def test_a_namespace_is_made_only_when_asked_for() -> None:
    assert of_kind("Namespace") == []
    assert [made["metadata"] for made in of_kind("Namespace", create_namespace=True)] == [{"name": "space"}]
