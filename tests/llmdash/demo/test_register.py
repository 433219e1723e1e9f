"""Clusters and people of a demo: made once, brought up to date, never made twice."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.choices import Role
from deployments.crypto import Keyring, new_key_line
from deployments.kubeconfig import KubeconfigRefused
from deployments.models import AuditEntry, Cluster, Membership, Project
from llmdash.accounts.models import User
from llmdash.demo import people, register
from tests import stage

pytestmark = pytest.mark.django_db


def kubeconfig(folder: Path, context: str = "local", server: str = "https://127.0.0.1:6443", **user: Any) -> Path:
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user or {"token": "a-token"}}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        "current-context": context,
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path


def test_the_sandbox_is_registered_with_its_project_and_members(tmp_path: Path) -> None:
    people.make()
    register.register_started("sandbox", kubeconfig(tmp_path), "http://127.0.0.1:9")
    cluster = Cluster.objects.get()
    assert (cluster.name, cluster.is_simulated, cluster.prometheus_url) == ("sandbox", True, "http://127.0.0.1:9")
    assert cluster.open_credentials() == {"token": "a-token"}
    project = Project.objects.get()
    assert (project.name, project.namespace, project.create_namespace) == ("default", "default", False)
    roles = {row.user.username: row.role for row in Membership.objects.all() if row.user}
    assert roles == {"viewer": Role.VIEWER, "operator": Role.OPERATOR, "project-admin": Role.ADMIN}
    assert User.objects.get(username="admin").is_superuser


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    people.make()
    register.register_started("sandbox", kubeconfig(tmp_path), "http://127.0.0.1:9")
    before = Cluster.objects.values().get(), AuditEntry.objects.count()
    Membership.objects.filter(role=Role.VIEWER).delete()
    register.register_started("sandbox", kubeconfig(tmp_path), "http://127.0.0.1:9")
    assert (Cluster.objects.values().get(), AuditEntry.objects.count()) == before
    assert Membership.objects.count() == 2, "who was removed stays removed"
    assert people.make() == []


def test_a_new_address_or_token_is_taken_over_and_audited_without_the_token(tmp_path: Path) -> None:
    register.register_started("sandbox", kubeconfig(tmp_path), "")
    stamp = Cluster.objects.get().credentials_changed_at
    register.register_started("sandbox", kubeconfig(tmp_path, server="https://127.0.0.1:7777", token="another"), "")
    cluster = Cluster.objects.get()
    assert (cluster.api_url, cluster.open_credentials()) == ("https://127.0.0.1:7777", {"token": "another"})
    assert cluster.credentials_changed_at != stamp
    entry = AuditEntry.objects.get(action="change cluster")
    assert [change["field"] for change in entry.detail["changes"]] == ["api_url", "credentials"]
    assert entry.detail["changes"][0]["after"] == "https://127.0.0.1:7777"
    assert "another" not in str(entry.detail)


def test_credentials_whose_key_is_lost_are_written_anew(tmp_path: Path) -> None:
    register.register_started("sandbox", kubeconfig(tmp_path), "")
    lost = Keyring.parse(new_key_line()).seal(b"{}", "a lost key's")
    Cluster.objects.update(sealed_credentials=lost)
    register.register_started("sandbox", kubeconfig(tmp_path), "")
    assert Cluster.objects.get().open_credentials() == {"token": "a-token"}


def test_ones_own_cluster_is_named_after_its_context(tmp_path: Path) -> None:
    register.register_own(kubeconfig(tmp_path, context="arn:aws:eks:eu-1:123:cluster/Big_One"), "")
    cluster = Cluster.objects.get()
    assert (cluster.name, cluster.is_simulated) == ("arn-aws-eks-eu-1-123-cluster-big-one", False)
    assert Project.objects.get().name == "default"


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("kind-kind", "kind-kind"),
        ("Admin@Prod", "admin-prod"),
        ("---", "cluster"),
        ("a" * 80, "a" * 63),
        ("日本", "cluster"),
    ],
)
def test_names_become_dns_labels(context: str, name: str) -> None:
    assert register.cluster_name({"current-context": context}) == name


def test_ones_own_cluster_never_takes_the_place_of_the_sandbox(tmp_path: Path) -> None:
    register.register_started("sandbox", kubeconfig(tmp_path), "")
    register.register_own(kubeconfig(tmp_path, context="sandbox", server="https://10.0.0.1:6443"), "")
    assert set(Cluster.objects.values_list("name", "api_url")) == {
        ("sandbox", "https://127.0.0.1:6443"),
        ("own-sandbox", "https://10.0.0.1:6443"),
    }
    assert set(Project.objects.values_list("name", "cluster__name")) == {
        ("default", "sandbox"),
        ("own-sandbox", "own-sandbox"),
    }


@pytest.mark.parametrize("order", [("sandbox", "real"), ("real", "sandbox")])
def test_the_sandbox_and_the_real_control_plane_are_two_clusters(tmp_path: Path, order: tuple[str, str]) -> None:
    ports = {"sandbox": "6443", "real": "7443"}
    for kind in (*order, order[0]):
        server = f"https://127.0.0.1:{ports[kind]}"
        assert register.register_started(kind, kubeconfig(tmp_path, server=server), "") == kind
    assert set(Cluster.objects.values_list("name", "api_url", "is_simulated")) == {
        ("sandbox", "https://127.0.0.1:6443", True),
        ("real", "https://127.0.0.1:7443", True),
    }
    assert set(Project.objects.values_list("name", "cluster__name")) == {("default", order[0]), (order[1], order[1])}


def test_ones_own_cluster_and_the_control_plane_never_share_a_name(tmp_path: Path) -> None:
    own = kubeconfig(tmp_path, context="real", server="https://10.0.0.1:6443")
    assert register.register_own(own, "") == "own-real"
    Cluster.objects.update(name="real")  # as it was before
    assert register.register_started("real", kubeconfig(tmp_path), "") == "demo-real"
    assert Cluster.objects.get(name="real").api_url == "https://10.0.0.1:6443"


def test_a_prometheus_that_was_entered_by_hand_stays(tmp_path: Path) -> None:
    register.register_own(kubeconfig(tmp_path), "")
    Cluster.objects.update(prometheus_url="http://prometheus.example.org")
    register.register_own(kubeconfig(tmp_path), "")
    assert Cluster.objects.get().prometheus_url == "http://prometheus.example.org"


@pytest.mark.parametrize(
    ("user", "way_out"),
    [
        ({"exec": {"command": "aws"}}, "create a ServiceAccount for llmdash"),
        ({"client-certificate": "/a.crt", "client-key": "/a.key"}, "kubectl config view --raw --flatten --minify"),
    ],
)
def test_programs_and_files_are_refused_with_the_way_out(tmp_path: Path, user: dict[str, Any], way_out: str) -> None:
    with pytest.raises(KubeconfigRefused, match=next(iter(user))) as refused:
        register.register_own(kubeconfig(tmp_path, **user), "")
    assert way_out in str(refused.value)
    assert not Cluster.objects.exists()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_bytes(base64.b64decode("/////w=="))
    with pytest.raises(KubeconfigRefused, match="cannot be read"):
        register.register_own(tmp_path / "kubeconfig", "")


def test_people_get_passwords_that_open_the_door() -> None:
    made = people.make()
    assert [person.name for person, _ in made] == ["admin", "project-admin", "operator", "viewer"]
    for person, password in made:
        assert User.objects.get(username=person.name).check_password(password)


def test_people_who_were_there_keep_their_passwords() -> None:
    stage.user("viewer")
    assert "viewer" not in [person.name for person, _ in people.make()]
    assert User.objects.get(username="viewer").check_password(stage.PASSWORD)


def test_a_cluster_that_was_never_tested_is_tested_once(tmp_path: Path) -> None:
    people.make()
    register.register_started("sandbox", kubeconfig(tmp_path, server="https://127.0.0.1:1"), "")
    register.look_at_new()
    tested = Cluster.objects.get().tested
    assert tested["connection"] == "unreachable"
    register.look_at_new()
    assert Cluster.objects.get().tested == tested
