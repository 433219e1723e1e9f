"""Acts on clusters: what each takes and refuses, and what the audit says of it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from deployments import services
from deployments.choices import Action, Role
from deployments.models import AppliedObject, AuditEntry, Cluster, ClusterStatus, Deployment, Project, SecretValue
from llmdash.accounts.models import User
from tests import stage
from tests.deployments.kube.servers import Authority

pytestmark = pytest.mark.django_db
SERVER = "https://kube.example.org:6443"
CANARY = "canary-9d2e"


@pytest.fixture
def boss() -> User:
    return stage.user("boss", is_superuser=True)


def register(boss: User, **values: Any) -> Cluster:
    return services.register_cluster(values={"name": "west", "api_url": SERVER, "token": CANARY} | values, by=boss)


def change(boss: User, cluster: Cluster, **values: Any) -> Cluster:
    return services.change_cluster(cluster=cluster, values=values, by=boss)


def refused(boss: User, **values: Any) -> dict[str, list[str]]:
    """What is said of which field; nothing is saved."""
    with pytest.raises(ValidationError) as caught:
        register(boss, **values)
    assert not Cluster.objects.exists()
    return caught.value.message_dict


def newest() -> AuditEntry:
    return AuditEntry.objects.latest("id")


def token_until(end: datetime) -> str:
    """A JSON web token as Kubernetes makes them."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": int(end.timestamp())}).encode()).decode().rstrip("=")
    return f"header.{claims}.signature"


# ---- credentials


def test_the_audit_tells_what_was_given_and_no_secret(boss: User) -> None:
    made = register(boss, prometheus_url="https://p.example.org", prometheus_auth="token", prometheus_secret=CANARY)
    entry = newest()
    assert (entry.action, entry.target_id) == (Action.REGISTER, str(made.pk))
    told = {change["field"]: change["after"] for change in entry.detail["changes"]}
    assert (told["api_url"], told["token"], told["prometheus_secret"]) == (SERVER, "(not shown)", "(not shown)")
    assert CANARY not in json.dumps(entry.detail)
    assert (made.open_credentials(), made.open_prometheus()) == ({"token": CANARY}, CANARY)


def test_the_end_of_a_token_is_read_from_it(boss: User) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    made = register(boss, token=token_until(end))
    assert made.credentials_expire_at == end
    assert change(boss, made, token="without-an-end").credentials_expire_at is None


def test_the_end_of_a_client_certificate_is_read_from_it(boss: User) -> None:
    certificate, key = Authority.make().issue("llmdash", lives=timedelta(hours=5))
    made = register(boss)
    made.seal_credentials({"client_certificate": certificate, "client_key": key})
    assert made.credentials_expire_at
    left = made.credentials_expire_at - timezone.now()
    assert timedelta(hours=3, minutes=59) < left <= timedelta(hours=4)


@pytest.mark.parametrize("token", ["a.b.c", "a.e30.c", "..", "a.bm90IGpzb24.c", "a.eyJleHAiOiAiMTJ4In0.c"])
def test_a_token_that_tells_no_end_has_none(boss: User, token: str) -> None:
    assert register(boss, token=token).credentials_expire_at is None


def test_stored_credentials_go_nowhere_else(boss: User) -> None:
    made = register(boss, prometheus_url="https://p.example.org", prometheus_auth="token", prometheus_secret=CANARY)
    with pytest.raises(ValidationError) as caught:
        change(boss, made, api_url="https://evil.example.org", prometheus_url="https://evil.example.org")
    assert set(caught.value.message_dict) == {"token", "prometheus_secret"}
    made.refresh_from_db()
    assert (made.api_url, made.prometheus_url) == (SERVER, "https://p.example.org")


def test_what_is_left_out_stays_and_no_change_is_told_so(boss: User) -> None:
    made = register(boss)
    with pytest.raises(services.NothingChanged):
        change(boss, made, name="west", max_in_flight=8)
    again = change(boss, made, max_in_flight=2)
    assert (again.api_url, again.max_in_flight, again.open_credentials()) == (SERVER, 2, {"token": CANARY})
    assert newest().detail["changes"] == [{"field": "max_in_flight", "before": 8, "after": 2}]


def test_who_saw_something_older_is_told_so(boss: User) -> None:
    made = register(boss)
    seen = services.stamp_of_cluster(made)
    change(boss, made, max_in_flight=2)
    with pytest.raises(services.Stale, match="Somebody changed this cluster"):
        services.change_cluster(cluster=made, values={"max_in_flight": 3}, by=boss, seen=seen)
    assert Cluster.objects.get().max_in_flight == 2


# ---- Prometheus


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"prometheus_auth": "token"}, "prometheus_secret"),
        ({"prometheus_auth": "basic", "prometheus_secret": "x"}, "prometheus_user"),
        ({"prometheus_auth": "basic", "prometheus_user": "a:b", "prometheus_secret": "x"}, "prometheus_user"),
        ({"prometheus_auth": "token", "prometheus_secret": "x\ny"}, "prometheus_secret"),
        ({"prometheus_url": "http://p.example.org", "prometheus_auth": "token", "prometheus_secret": "x"},
         "prometheus_url"),
        ({"prometheus_ca_pem": "no certificate"}, "prometheus_ca_pem"),
        ({"prometheus_tenant": "two words"}, "prometheus_tenant"),
        ({"prometheus_tenant_header": "X Scope", "prometheus_tenant": "a"}, "prometheus_tenant_header"),
        ({"prometheus_tenant_header": "", "prometheus_tenant": "a"}, "prometheus_tenant_header"),
        ({"prometheus_matchers": "cluster=east"}, "prometheus_matchers"),
        ({"prometheus_matchers": 'cluster="east"} or vector(1) #'}, "prometheus_matchers"),
        ({"prometheus_matchers": 'namespace=~".*"'}, "prometheus_matchers"),
        ({"prometheus_auth": "kerberos"}, "prometheus_auth"),
    ],
)  # fmt: skip
def test_a_prometheus_that_cannot_be_asked_is_refused(boss: User, values: dict[str, Any], field: str) -> None:
    assert field in refused(boss, **{"prometheus_url": "https://p.example.org"} | values)


def test_matchers_are_kept_in_one_form(boss: User) -> None:
    made = register(boss, prometheus_matchers=' cluster = "east" ,tier=~"a|b", note!="say \\"x\\"" ')
    assert made.prometheus_matchers == 'cluster="east",tier=~"a|b",note!="say \\"x\\""'


def test_without_sign_in_the_secret_goes_and_plain_http_is_taken(boss: User) -> None:
    made = register(boss, prometheus_url="https://p.example.org", prometheus_auth="token", prometheus_secret=CANARY)
    again = change(boss, made, prometheus_auth="none", prometheus_url="http://prometheus.monitoring:9090")
    assert (again.open_prometheus(), again.prometheus_url) == ("", "http://prometheus.monitoring:9090")


# ---- namespaces


def test_projects_may_have_allowed_namespaces_only(boss: User) -> None:
    made = register(boss, allowed_namespaces=["team-*", "lab"])
    services.create_project(name="a", cluster=made, namespace="team-a", by=boss)
    services.create_project(name="lab", cluster=made, namespace="lab", by=boss)
    for namespace in ("kube-system", "labs", "my-team-a"):
        with pytest.raises(ValidationError, match="may have: team-\\*, lab"):
            services.create_project(name="b", cluster=made, namespace=namespace, by=boss)
    with pytest.raises(ValidationError, match="stand in other namespaces already: lab"):
        change(boss, made, allowed_namespaces=["team-*"])


@pytest.mark.parametrize("pattern", ["Team", "a b", "-a", "a/b", "x" * 64, ""])
def test_a_pattern_that_no_namespace_matches_is_refused(boss: User, pattern: str) -> None:
    assert "allowed_namespaces" in refused(boss, allowed_namespaces=[pattern])


# ---- identity


def test_only_the_identity_that_was_seen_is_accepted(boss: User) -> None:
    made = register(boss)
    with pytest.raises(services.NothingChanged):
        services.accept_identity(cluster=made, by=boss)
    ClusterStatus.objects.create(cluster=made, identity="old", answering="new")
    with pytest.raises(services.Stale):
        services.accept_identity(cluster=made, by=boss, seen="another")
    assert services.accept_identity(cluster=made, by=boss, seen="new") == "new"
    assert Cluster.objects.get().identity == "new"
    assert newest().detail == {"before": "old", "after": "new"}


# ---- forget


@pytest.fixture
def full(boss: User) -> Deployment:
    """A deployment with two objects, on a cluster with a member, a secret and a tombstone."""
    project = stage.project("team", cluster=register(boss))
    stage.member(project, "maria", Role.OPERATOR)
    services.store_secret(project=project, name="T", value=CANARY, by=boss)
    row, gone = stage.deployment(project, boss), stage.deployment(project, boss, "gone")
    Deployment.objects.filter(pk=gone.pk).update(gone_at=timezone.now(), deleted_at=timezone.now())
    for kind in ("Deployment", "Service"):
        AppliedObject.objects.create(
            deployment=row, api_version="v1", kind=kind, namespace="team", name="qwen", uid="u", resource_version="1",
            revision=1, applied_at=timezone.now(),
        )  # fmt: skip
    return row


def test_forgetting_removes_every_row_and_names_what_stays(full: Deployment, boss: User) -> None:
    cluster = full.project.cluster
    assert services.left_behind(cluster) == ["Deployment team/qwen", "Service team/qwen"]
    assert services.by_kind(services.left_behind(cluster)) == [("Deployment", 1), ("Service", 1)]
    services.forget_cluster(cluster=cluster, by=boss)
    for kind in (Cluster, Project, Deployment, AppliedObject, SecretValue):
        assert not kind.objects.exists(), kind
    entry = newest()
    assert (entry.action, entry.target_name, entry.detail["projects"]) == (Action.FORGET, "west", ["team"])
    assert (entry.detail["deployments"], entry.detail["left_count"]) == (["qwen"], 2)
    assert entry.detail["left"] == ["Deployment team/qwen", "Service team/qwen"]
    assert AuditEntry.objects.filter(action=Action.CREATE).exists(), "what was done before stays in the audit"


def test_a_cluster_at_which_a_worker_works_is_not_forgotten(full: Deployment, boss: User) -> None:
    soon = timezone.now() + timedelta(seconds=60)
    Deployment.objects.filter(pk=full.pk).update(lease_owner="worker", lease_expires_at=soon)
    with pytest.raises(services.InUse, match="at work"):
        services.forget_cluster(cluster=full.project.cluster, by=boss)
    Deployment.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=60))
    services.forget_cluster(cluster=full.project.cluster, by=boss)


# ---- what is no value at all

NO_ADDRESS = [
    "https://exa mple", "https://x..y", "https://127.0.0.1:0", f"https://{'h' * 300}", "https://\u202eexample:1",
    "https://127.0.0.1:1/a b\r\nX: y", "https://host:65536", "https://-x", "https://x:y", "https://", "x", "ftp://x",
    "https://\u00e4.example", "https://[::1", "https://host\x07", "https://user@host", "https://host/?a=b",
]  # fmt: skip


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_what_is_no_address_is_refused_beside_it(boss: User, address: str) -> None:
    assert list(refused(boss, api_url=address)) == ["api_url"]
    assert list(refused(boss, prometheus_url=address)) == ["prometheus_url"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("tls_server_name", "a b\x07"), ("tls_server_name", "a b/c"), ("tls_server_name", "a..b"),
     ("prometheus_user", "a\x07b"), ("prometheus_user", "a\u202eb"), ("prometheus_matchers", 'a="\x07"'),
     ("prometheus_tenant", "a\x07"), ("prometheus_tenant_header", "X Y"), ("name", "West"), ("name", "w" * 64),
     ("allowed_namespaces", ["Team\x07"]), ("max_in_flight", 0), ("max_in_flight", 65), ("ca_pem", "\x00"),
     ("token", "a\x07b"), ("prometheus_ca_pem", "no certificate")],
)  # fmt: skip
def test_every_field_refuses_what_is_no_value_of_it_by_one_sentence(boss: User, field: str, value: Any) -> None:
    said = refused(boss, **{"prometheus_url": "https://p.example.org", field: value})
    assert list(said) == [field]
    assert len(said[field]) == 1


def test_what_a_reader_would_not_see_is_named_in_a_sentence(boss: User) -> None:
    said = refused(boss, prometheus_url="https://p.example.org", prometheus_user="a\x07b")
    assert said == {"prometheus_user": ["Contains the control character U+0007."]}


@pytest.mark.parametrize("name", ["kube.example.org", "10.0.0.7", "::1", "kubernetes", "a_b.example"])
def test_a_host_is_a_name_or_an_ip_address(boss: User, name: str) -> None:
    assert register(boss, tls_server_name=name).tls_server_name == name


@pytest.mark.parametrize("kubeconfig", ["kind: Config", "a: [", "x" * 300_000, json.dumps({"users": 7})])
def test_a_kubeconfig_that_is_refused_is_all_that_is_wrong(boss: User, kubeconfig: str) -> None:
    said = refused(boss, kubeconfig=kubeconfig, api_url="", token="")
    assert list(said) == ["kubeconfig"]


def test_a_name_that_is_taken_is_said_in_words(boss: User) -> None:
    register(boss)
    with pytest.raises(ValidationError) as caught:
        register(boss)
    assert caught.value.message_dict == {"name": ["Another cluster has this name."]}
