"""llmdash's own account: as much as it needs, and no way around the roles of projects but through them."""

from typing import Any

import pytest

from deployments.choices import Role
from deployments.manifests import access, labels, rbac

FORMS: dict[str, list[str]] = {"cluster": [], "namespaces": ["one", "two", "one"]}
FORBIDDEN = {"secrets", "users", "groups", "uids", "clusterroles", "clusterrolebindings", "pods/exec", "*"}


def of_kind(kind: str, built: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [manifest for manifest in built if manifest["kind"] == kind]


def own_rules(built: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules of the roles that are bound to llmdash's account."""
    roles = [made for made in built if made["kind"] in ("Role", "ClusterRole")]
    people = {rbac.account(role) for role in Role}
    return [rule for role in roles if role["metadata"]["name"] not in people for rule in role["rules"]]


@pytest.mark.parametrize("form", FORMS)
def test_the_account_reads_no_secret_and_no_rule_has_a_star(form: str) -> None:
    for rule in own_rules(access.build("llmdash", FORMS[form])):
        assert FORBIDDEN.isdisjoint(rule["resources"])
        assert "*" not in rule["verbs"] + rule["apiGroups"]


@pytest.mark.parametrize("form", FORMS)
def test_it_writes_and_acts_as_nothing_but_what_a_project_is_made_of(form: str) -> None:
    for rule in own_rules(access.build("llmdash", FORMS[form])):
        if set(rule["verbs"]) - {"list", "watch"} and rule["resources"] not in (
            ["namespaces"],
            access.ACTOR["resources"],
        ):
            assert rule["resourceNames"] == ["llmdash-viewer", "llmdash-operator", "llmdash-admin"]


def test_in_namespaces_it_writes_no_role_and_lists_nothing_of_the_cluster() -> None:
    built = access.build("llmdash", FORMS["namespaces"])
    verbs = {verb for rule in own_rules(built) for verb in rule["verbs"]}
    assert verbs == {"list", "watch", "impersonate"}
    assert [role["rules"] for role in of_kind("ClusterRole", built)] == [[access.ACTOR]]


def test_each_namespace_gets_the_roles_of_its_project_once() -> None:
    roles = of_kind("Role", access.build("llmdash", FORMS["namespaces"]))
    names = ["llmdash-viewer", "llmdash-operator", "llmdash-admin", "llmdash"]
    found = [(role["metadata"]["namespace"], role["metadata"]["name"]) for role in roles]
    assert found == [(namespace, name) for namespace in ("one", "two") for name in names]
    assert roles[:3] == of_kind("Role", rbac.build("one", "llmdash", create_namespace=False))


@pytest.mark.parametrize("form", FORMS)
def test_every_object_says_whose_it_is(form: str) -> None:
    for made in access.build("east-wing", FORMS[form]):
        assert labels.are_of_installation(made["metadata"], "east-wing")
        assert not labels.are_of_installation(made["metadata"], "other")


@pytest.mark.parametrize("form", FORMS)
def test_every_binding_is_of_its_role_and_of_a_known_account(form: str) -> None:
    for made in access.build("llmdash", FORMS[form]):
        if made["kind"].endswith("Binding"):
            assert made["roleRef"]["name"] == made["metadata"]["name"]
            assert made["roleRef"]["kind"] + "Binding" == made["kind"]
            own = {"kind": "ServiceAccount", "name": "llmdash", "namespace": "llmdash"}
            assert made["subjects"] == [own] or made["roleRef"]["name"] in access.ROLES


def test_a_token_that_does_not_end_can_be_left_out() -> None:
    with_token, without = (of_kind("Secret", access.build("llmdash", with_token=wanted)) for wanted in (True, False))
    assert [secret["type"] for secret in with_token] == ["kubernetes.io/service-account-token"]
    assert without == []
