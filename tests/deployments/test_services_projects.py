"""Acts on projects and members: what each refuses, and what the audit says of it."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils import timezone

from deployments import services
from deployments.choices import Action, Role
from deployments.models import AuditEntry, ClusterStatus, Deployment, Membership, Project
from llmdash.accounts.models import User
from tests import stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Project:
    return stage.project()


@pytest.fixture
def ada(team: Project) -> User:
    return stage.member(team, "ada", Role.ADMIN)


@pytest.fixture
def boss() -> User:
    return stage.user("boss", is_superuser=True)


def mine(team: Project, user: User) -> Membership:
    return team.memberships.get(user=user)


def newest() -> AuditEntry:
    return AuditEntry.objects.latest("id")


def test_a_project_is_made_of_a_namespace_that_no_other_has(team: Project, boss: User) -> None:
    made = services.create_project(name="research", cluster=team.cluster, namespace="lab", by=boss)
    assert (newest().action, newest().project, newest().detail["namespace"]) == (Action.CREATE_PROJECT, made, "lab")
    for name, namespace in (("research", "x"), ("y", "lab"), ("Y", "z")):
        with pytest.raises(ValidationError):
            services.create_project(name=name, cluster=team.cluster, namespace=namespace, by=boss)
    assert Project.objects.count() == 2


def test_a_new_name_changes_the_name_only(team: Project, boss: User) -> None:
    services.rename_project(project=team, name="crew", by=boss)
    team.refresh_from_db()
    assert (team.name, team.namespace) == ("crew", "team")
    assert newest().detail["changes"] == [{"field": "name", "before": "team", "after": "crew"}]
    with pytest.raises(services.NothingChanged):
        services.rename_project(project=team, name="crew", by=boss)


def test_a_project_that_holds_something_stays(team: Project, boss: User) -> None:
    row = stage.deployment(team, boss)
    with pytest.raises(services.InUse, match="still holds qwen"):
        services.remove_project(project=team, by=boss)
    Deployment.objects.filter(pk=row.pk).update(gone_at=timezone.now())
    with pytest.raises(services.InUse, match="1 deleted deployment are looked for"):
        services.remove_project(project=team, by=boss)


def test_an_empty_project_is_forgotten_with_its_members(team: Project, ada: User, boss: User) -> None:
    services.remove_project(project=team, by=boss)
    assert not Project.objects.exists()
    assert (newest().target_name, newest().detail["memberships"]) == ("team", ["ada: admin of team"])


def test_people_and_groups_join_once(team: Project, ada: User) -> None:
    bob, group = stage.user("bob"), Group.objects.create(name="ml")
    services.add_member(project=team, user=bob, role=Role.VIEWER, by=ada)
    services.add_member(project=team, group=group, role=Role.OPERATOR, by=ada)
    assert (newest().detail["member"], newest().detail["role"]) == ("ml", "operator")
    assert team.role_of(bob) == Role.VIEWER
    with pytest.raises(ValidationError):
        services.add_member(project=team, user=bob, role=Role.ADMIN, by=ada)
    with pytest.raises(ValidationError):
        services.add_member(project=team, role=Role.ADMIN, by=ada)


def test_a_role_changes_and_the_audit_tells_both(team: Project, ada: User) -> None:
    bob = stage.member(team, "bob", Role.VIEWER)
    services.change_role(membership=mine(team, bob), role=Role.OPERATOR, by=ada)
    assert team.role_of(bob) == Role.OPERATOR
    assert newest().detail["changes"] == [{"field": "role", "before": "viewer", "after": "operator"}]
    with pytest.raises(services.NothingChanged):
        services.change_role(membership=mine(team, bob), role=Role.OPERATOR, by=ada)


def test_a_member_leaves(team: Project, ada: User) -> None:
    bob = stage.member(team, "bob", Role.VIEWER)
    gone = mine(team, bob)
    services.remove_member(membership=gone, by=ada)
    assert team.role_of(bob) is None
    assert newest().detail == {"member": "bob", "role": "viewer"}
    with pytest.raises(ValidationError, match="removed meanwhile"):
        services.remove_member(membership=gone, by=ada)


def test_the_last_admin_stays_unless_a_platform_admin_says_otherwise(team: Project, ada: User, boss: User) -> None:
    with pytest.raises(services.LastAdmin):
        services.remove_member(membership=mine(team, ada), by=ada)
    with pytest.raises(services.LastAdmin):
        services.change_role(membership=mine(team, ada), role=Role.VIEWER, by=ada)
    stage.member(team, "eve", Role.ADMIN)
    services.change_role(membership=mine(team, ada), role=Role.VIEWER, by=ada)
    services.remove_member(membership=team.memberships.get(role=Role.ADMIN), by=boss)
    assert not team.memberships.filter(role=Role.ADMIN).exists()


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "kube-of-mine"])
def test_kubernetes_own_namespaces_are_nobodys_unless_they_are_named(boss: User, namespace: str) -> None:
    cluster = stage.cluster("plain")
    with pytest.raises(ValidationError, match="Kubernetes' own"):
        services.create_project(name="own", cluster=cluster, namespace=namespace, by=boss)
    cluster.allowed_namespaces = ["kube-*"]
    with pytest.raises(ValidationError, match="Kubernetes' own"):
        services.create_project(name="own", cluster=cluster, namespace=namespace, by=boss)
    cluster.allowed_namespaces = [namespace]
    services.create_project(name="own", cluster=cluster, namespace=namespace, by=boss)


def test_a_namespace_of_a_cluster_that_is_registered_twice_is_one(team: Project, boss: User) -> None:
    ClusterStatus.objects.create(cluster=team.cluster, identity="uid-1")
    twin = stage.cluster("twin")
    ClusterStatus.objects.create(cluster=twin, identity="uid-1")
    with pytest.raises(ValidationError, match=f"Project team has it: cluster {team.cluster} is the same one as twin"):
        services.create_project(name="second", cluster=twin, namespace=team.namespace, by=boss)
    services.create_project(name="second", cluster=twin, namespace="elsewhere", by=boss)
