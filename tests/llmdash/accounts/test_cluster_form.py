"""A cluster in the admin site: its credentials are written and never read, and its addresses are judged."""

import base64
import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from deployments.choices import Problem
from deployments.models import AuditEntry, Cluster, Deployment
from llmdash.accounts.models import User
from tests import stage
from tests.deployments.kube.servers import Authority

pytestmark = pytest.mark.django_db
ADD = "/admin/deployments/cluster/add/"
TOKEN = "canary-token-5e1f"
SERVER = "https://kube.example.org:6443"


@pytest.fixture(scope="module")
def ca_pem() -> str:
    return Authority.make().pem


def kubeconfig(*, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> str:
    """A kubeconfig of one context."""
    return json.dumps(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": SERVER} | (cluster or {})}],
            "users": [{"name": "u", "user": user or {"token": TOKEN}}],
        }
    )


def fields(**changed: object) -> dict[str, object]:
    """The fields of the cluster page."""
    return {"name": "west", "max_in_flight": 8} | changed


def by_token(**changed: object) -> dict[str, object]:
    return fields(**{"api_url": SERVER, "token": TOKEN} | changed)


def change(cluster: Cluster) -> str:
    return f"/admin/deployments/cluster/{cluster.pk}/change/"


def kept(cluster: Cluster, **changed: object) -> dict[str, object]:
    """The fields of the page of a cluster as they stand."""
    stands = {name: getattr(cluster, name) for name in ("name", "api_url", "ca_pem", "prometheus_url", "max_in_flight")}
    return stands | changed


def errors(answer: Any) -> dict[str, list[str]]:
    """What stands beside the fields of a refused form."""
    assert answer.status_code == 200
    found: dict[str, list[str]] = answer.context["adminform"].form.errors
    return found


def saved() -> Cluster:
    return Cluster.objects.get(name="west")


# ---- credentials


def test_a_kubeconfig_gives_address_ca_and_sealed_credentials(office: Client, ca_pem: str) -> None:
    data = base64.b64encode(ca_pem.encode()).decode()
    text = kubeconfig(cluster={"certificate-authority-data": data, "tls-server-name": "kube"})
    assert office.post(ADD, fields(kubeconfig=text)).status_code == 302
    cluster = saved()
    assert (cluster.api_url, cluster.ca_pem, cluster.tls_server_name) == (SERVER, ca_pem, "kube")
    assert cluster.open_credentials() == {"token": TOKEN}
    assert cluster.credentials_changed_at
    assert TOKEN.encode() not in bytes(cluster.sealed_credentials or b"")


def test_an_address_with_a_token_does_as_well(office: Client, ca_pem: str) -> None:
    assert office.post(ADD, by_token(ca_pem=ca_pem)).status_code == 302
    assert saved().open_credentials() == {"token": TOKEN}


def test_stored_credentials_are_on_no_page_and_in_no_audit(office: Client) -> None:
    office.post(ADD, by_token())
    cluster = saved()
    for page in (change(cluster), "/admin/deployments/cluster/", f"/admin/deployments/cluster/{cluster.pk}/history/"):
        assert TOKEN not in office.get(page).content.decode()
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.target_kind, entry.target_name) == ("register cluster", "cluster", "west")
    assert {"field": "api_url", "before": None, "after": SERVER} in entry.detail["changes"]
    assert {"field": "token", "before": None, "after": "(not shown)"} in entry.detail["changes"]
    assert TOKEN not in json.dumps(entry.detail)


def test_credentials_left_empty_stay(office: Client) -> None:
    office.post(ADD, by_token())
    cluster = saved()
    assert office.post(change(cluster), kept(cluster, max_in_flight=4)).status_code == 302
    again = saved()
    assert (again.max_in_flight, again.open_credentials()) == (4, {"token": TOKEN})
    assert again.credentials_changed_at == cluster.credentials_changed_at


def test_new_credentials_replace_the_old_and_wake_the_waiting(
    office: Client, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deployments import doorbell

    office.post(ADD, by_token())
    cluster = saved()
    waiting = stage.deployment(stage.project(cluster=cluster), boss)
    Deployment.objects.filter(pk=waiting.pk).update(problem=Problem.CLUSTER)
    rung: list[object] = []
    monkeypatch.setattr(doorbell, "look_again", rung.append)
    office.post(change(cluster), kept(cluster, token="another"))
    again = saved()
    assert again.open_credentials() == {"token": "another"}
    assert again.credentials_changed_at
    assert cluster.credentials_changed_at
    assert again.credentials_changed_at > cluster.credentials_changed_at
    assert rung == [waiting.pk]


def test_stored_credentials_are_not_sent_to_another_address(office: Client) -> None:
    office.post(ADD, by_token())
    cluster = saved()
    answer = office.post(change(cluster), kept(cluster, api_url="https://evil.example.org:6443"))
    assert "Give the credentials again" in errors(answer)["token"][0]
    assert saved().api_url == SERVER


# ---- refusals


@pytest.mark.parametrize(
    ("cluster", "user", "said"),
    [
        ({}, {"exec": {"command": "/bin/sh"}}, "'exec' is not taken: it runs a program"),
        ({}, {"auth-provider": {"name": "gcp"}}, "login plugin"),
        ({}, {"tokenFile": "/var/run/secrets/token"}, "reads a file"),
        ({}, {"client-certificate": "/root/client.crt"}, "reads a file"),
        ({"certificate-authority": "/etc/ca.crt"}, None, "--flatten"),
        ({"insecure-skip-tls-verify": True}, None, "accept any server"),
        ({"proxy-url": "http://proxy:3128"}, None, "another host"),
        ({"server": "http://kube.example.org"}, None, "https://"),
        ({"server": "https://169.254.169.254"}, None, "link-local or metadata"),
        ({"certificate-authority-data": "bm90IGEgY2VydA=="}, None, "no certificate"),
        ({}, {"username": "admin", "password": "x"}, "'username' is not taken"),
    ],
)
def test_a_kubeconfig_with_more_than_is_taken_is_refused_beside_its_field(
    office: Client, cluster: dict[str, Any], user: dict[str, Any] | None, said: str
) -> None:
    text = kubeconfig(cluster=cluster, user=user)
    answer = office.post(ADD, fields(kubeconfig=text))
    assert said in errors(answer)["kubeconfig"][0]
    assert answer.context["adminform"].form["kubeconfig"].value() == text
    assert answer.context["adminform"].form["name"].value() == "west"
    assert not Cluster.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("text", ["{", "- a", "a: &x [1]\nb: *x", "[" * 5000, "just words", "x" * 300_000])
def test_what_is_no_kubeconfig_is_refused(office: Client, text: str) -> None:
    assert errors(office.post(ADD, fields(kubeconfig=text)))["kubeconfig"]
    assert not Cluster.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"token": ""}, "token"),
        ({"token": "two words"}, "token"),
        ({"api_url": ""}, "api_url"),
        ({"kubeconfig": kubeconfig()}, "token"),
        ({"ca_pem": "no certificate"}, "ca_pem"),
        ({"name": "Not A Label"}, "name"),
        ({"max_in_flight": 0}, "max_in_flight"),
        ({"api_url": "http://kube.example.org"}, "api_url"),
        ({"api_url": "https://169.254.169.254"}, "api_url"),
        ({"api_url": "https://user:pass@kube.example.org"}, "api_url"),
        (
            {
                "prometheus_url": "http://prometheus.example.org",
                "prometheus_auth": "token",
                "prometheus_secret": "t",
            },
            "prometheus_url",
        ),
        ({"prometheus_url": "https://metadata.google.internal"}, "prometheus_url"),
        ({"prometheus_url": "file:///etc/passwd"}, "prometheus_url"),
    ],
)
def test_a_bad_field_is_refused_with_nothing_saved(office: Client, changed: dict[str, object], field: str) -> None:
    assert list(errors(office.post(ADD, by_token(**changed)))) == [field]
    assert not Cluster.objects.exists()
    assert not AuditEntry.objects.exists()


def test_loopback_is_refused_unless_allowed(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    local = by_token(api_url="https://127.0.0.1:6443", prometheus_url="http://127.0.0.1:9090")
    monkeypatch.setitem(settings.LLMDASH, "ALLOW_LOOPBACK", False)
    assert set(errors(office.post(ADD, local))) == {"api_url", "prometheus_url"}
    monkeypatch.setitem(settings.LLMDASH, "ALLOW_LOOPBACK", True)
    assert office.post(ADD, local).status_code == 302


def test_a_cluster_in_use_is_kept(office: Client) -> None:
    office.post(ADD, by_token())
    cluster = saved()
    stage.project(cluster=cluster)
    office.post(f"/admin/deployments/cluster/{cluster.pk}/delete/", {"post": "yes"})
    assert Cluster.objects.filter(pk=cluster.pk).exists()
