"""Clusters registered, tested, changed and forgotten on their pages, against a real control plane and Prometheus."""

import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from deployments.choices import Connection
from deployments.models import AppliedObject, AuditEntry, Cluster, ClusterStatus
from llmdash.accounts.models import User
from llmdash.sandbox import prometheus as configuration
from monitoring import conditions, services
from tests import stage
from tests.controlplane.fixtures import namespace, plane  # noqa: F401  (fixtures)
from tests.controlplane.plane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.controlplane.processes import Part
from tests.deployments.kube.servers import Authority
from tests.services import program, until

pytestmark = pytest.mark.django_db
CANARY = "canary-77aa-token"
NOWHERE = {"name": "west", "api_url": "https://127.0.0.1:1", "token": CANARY}


@pytest.fixture
def boss() -> User:
    return stage.user("boss", is_superuser=True)


@pytest.fixture
def office(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def text(answer: Any) -> str:
    """The words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.fixture
def kubeconfig(plane: ControlPlane) -> str:  # noqa: F811
    return plane.kubectl("config", "view", "--raw", "--flatten", "--minify")


# ---- the real control plane


@pytest.mark.plane
def test_a_pasted_kubeconfig_registers_the_real_cluster(office: Client, kubeconfig: str) -> None:
    tried = office.post("/clusters/test/", {"name": "real", "kubeconfig": kubeconfig})
    assert "answers and takes the credentials" in text(tried)
    assert not Cluster.objects.exists(), "a test saves nothing"
    made = office.post("/clusters/new/", {"name": "real", "kubeconfig": kubeconfig}, follow=True)
    assert "real is registered." in text(made)
    assert "llmdash may do all that it needs." in text(made)
    cluster = Cluster.objects.get()
    assert cluster.tested["ok"]
    secret = next(iter(cluster.open_credentials().values()))
    assert secret not in made.content.decode()
    assert secret not in json.dumps(list(AuditEntry.objects.values_list("detail", flat=True)))


@pytest.mark.plane
def test_a_cluster_that_is_registered_already_is_refused_by_its_identity(office: Client, kubeconfig: str) -> None:
    office.post("/clusters/new/", {"name": "real", "kubeconfig": kubeconfig})
    first = Cluster.objects.get()
    ClusterStatus.objects.update_or_create(cluster=first, defaults={"identity": first.tested["identity"]})
    said = "This cluster is registered already, as real"
    assert said in text(office.post("/clusters/test/", {"name": "again", "kubeconfig": kubeconfig}))
    refused = office.post("/clusters/new/", {"name": "again", "kubeconfig": kubeconfig})
    assert (refused.status_code, Cluster.objects.count()) == (422, 1)
    assert said in text(refused)


@pytest.mark.plane
def test_the_settings_are_tested_with_what_is_stored(office: Client, kubeconfig: str) -> None:
    office.post("/clusters/new/", {"name": "real", "kubeconfig": kubeconfig})
    cluster = Cluster.objects.get()
    page = office.get(f"/clusters/{cluster.pk}/settings/")
    form = {name: value for name, value in page.context["form"].initial.items() if value is not None}
    tried = office.post(f"/clusters/test/?cluster={cluster.pk}", form)
    assert "answers and takes the credentials" in text(tried)
    moved = office.post(f"/clusters/test/?cluster={cluster.pk}", form | {"api_url": "https://127.0.0.1:1"})
    assert "Give the credentials again" in text(moved)
    saved = office.post(f"/clusters/{cluster.pk}/settings/", form | {"max_in_flight": "3"}, follow=True)
    assert "real is saved." in text(saved)
    assert Cluster.objects.get().max_in_flight == 3
    stale = office.post(f"/clusters/{cluster.pk}/settings/", form | {"max_in_flight": "4"})
    assert (stale.status_code, Cluster.objects.get().max_in_flight) == (422, 3)
    assert "Somebody changed this cluster while this form was open" in text(stale)


# ---- what goes wrong


def test_a_cluster_that_does_not_answer_is_kept_and_says_so(office: Client) -> None:
    made = office.post("/clusters/new/", NOWHERE, follow=True)
    assert "west is registered." in text(made)
    assert Cluster.objects.get().tested["message"] == "The API server refuses connections."
    again = office.post(f"/clusters/{Cluster.objects.get().pk}/test/", follow=True)
    assert "The connection test found something" in text(again)


def test_mistakes_stand_beside_their_fields_and_what_was_typed_is_kept(office: Client) -> None:
    bad = {"name": "Not A Name", "api_url": "ftp://x", "prometheus_matchers": "nonsense", "max_in_flight": "99"}
    answer = office.post("/clusters/new/", bad)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "api_url", "prometheus_matchers", "max_in_flight"}
    for typed in bad.values():
        assert f'value="{typed}"' in answer.content.decode()
    tried = office.post("/clusters/test/", bad)
    assert "Not tested" in text(tried)
    assert not Cluster.objects.exists()


def test_answers_that_may_hold_secrets_are_kept_nowhere(office: Client) -> None:
    answer = office.post("/clusters/new/", NOWHERE | {"name": "Not A Name", "prometheus_secret": CANARY})
    assert "no-store" in answer["Cache-Control"]
    assert f'value="{CANARY}"' not in answer.content.decode(), "a password field is never filled"
    assert "no-store" in office.post("/clusters/test/", NOWHERE)["Cache-Control"]
    assert CANARY not in office.post("/clusters/test/", NOWHERE).content.decode()


def test_a_test_of_a_cluster_that_is_not_there_is_404(office: Client) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    assert office.post(f"/clusters/test/?cluster={unknown}", NOWHERE).status_code == 404
    assert office.post("/clusters/test/?cluster=nonsense", NOWHERE).status_code == 200


def test_forgetting_asks_for_the_name_and_lists_what_stays(office: Client, boss: User) -> None:
    project = stage.project("team")
    there = stage.deployment(project, boss)
    AppliedObject.objects.create(
        deployment=there, api_version="v1", kind="Service", namespace="team", name="qwen", revision=1,
        applied_at=timezone.now(),
    )  # fmt: skip
    path = f"/clusters/{project.cluster_id}/forget/"
    assert "with it its project with members, secrets and deployments" in text(office.get(path))
    assert office.post(path, {"confirm": "wrong"}).status_code == 422
    done = office.post(path, {"confirm": "east"}, follow=True)
    assert "Cluster east is forgotten." in text(done)
    assert not Cluster.objects.exists()
    said = text(office.get("/activity/"))
    assert "forgot the cluster" in said
    assert "1 object stays in the cluster" in said
    assert "Service team/qwen" in said


def test_another_cluster_is_accepted_on_its_page(office: Client) -> None:
    cluster = stage.cluster()
    seen = {"connection": Connection.OTHER, "identity": "old", "answering": "new", "message": "Another cluster."}
    ClusterStatus.objects.create(cluster=cluster, **seen)
    assert "Accept" in text(office.get(f"/clusters/{cluster.pk}/"))
    assert "the one that answers at its address now is new" in text(office.get(f"/clusters/{cluster.pk}/accept/"))
    done = office.post(f"/clusters/{cluster.pk}/accept/", {"answering": "new"}, follow=True)
    assert "is the cluster new from now on" in text(done)


# ---- conditions


def signs(cluster: Cluster, **status: Any) -> dict[str, str]:
    """The condition's sign by its name."""
    found = conditions.of(cluster, ClusterStatus(cluster=cluster, **status))
    return {one.name: one.sign.value for one in found}


def test_conditions_tell_well_from_bad_and_unknown() -> None:
    cluster, now = stage.cluster(), timezone.now()
    assert signs(cluster) == {
        "Connection": "warning", "Credentials": "unknown", "Identity": "unknown", "Rights": "unknown",
        "Capacity": "unknown", "Database": "unknown", "Prometheus": "unknown",
    }  # fmt: skip
    cluster.credentials_expire_at = now + timedelta(days=5)
    assert signs(cluster)["Credentials"] == "warning"
    cluster.credentials_expire_at = now - timedelta(days=5)
    assert signs(cluster)["Credentials"] == "bad"
    heard = {"connection": Connection.CONNECTED, "seen_at": now, "nodes_known": True, "identity": "u"}
    cluster.credentials_expire_at = None
    known = ("Connection", "Credentials", "Identity", "Capacity")
    assert [signs(cluster, **heard)[name] for name in known] == ["well"] * 4
    assert signs(cluster, **heard | {"seen_at": now - timedelta(hours=1)})["Connection"] == "warning"
    assert signs(cluster, connection=Connection.REJECTED, seen_at=now)["Connection"] == "bad"


# ---- a Prometheus that wants to know who asks


class Guarded:
    """A real Prometheus behind TLS and a password (its own `web.config.file`)."""

    def __init__(self, url: str, ca_pem: str) -> None:
        self.url, self.ca_pem = url, ca_pem

    def cluster(self, **changed: Any) -> Cluster:
        made = Cluster(
            name="east", prometheus_url=self.url, prometheus_ca_pem=self.ca_pem, prometheus_auth="basic",
            prometheus_user="llmdash",
        )  # fmt: skip
        made.seal_prometheus(changed.pop("secret", "right"))
        for name, value in changed.items():
            setattr(made, name, value)
        return made


# bcrypt of "right", cost 4; Prometheus takes no other hash.
HASHED = "$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder: Path = tmp_path_factory.mktemp("guarded")
    authority = Authority.make()
    certificate, key = authority.issue("127.0.0.1")
    (folder / "tls.crt").write_text(certificate)
    (folder / "tls.key").write_text(key)
    web = {
        "tls_server_config": {"cert_file": "tls.crt", "key_file": "tls.key"},
        "basic_auth_users": {"llmdash": HASHED},
    }
    (folder / "web.yml").write_text(json.dumps(web))
    port = free_ports(1)[0]
    file = configuration.write({}, folder / "prometheus.yml")
    started = configuration.command(file, folder / "data", port, program=program("prometheus"))
    part = Part("prometheus", [*started, f"--web.config.file={folder / 'web.yml'}"], folder / "prometheus.log")
    part.start()
    url = f"https://127.0.0.1:{port}"

    def ready() -> bool:
        answer = httpx.get(f"{url}/-/ready", verify=False, trust_env=False, auth=("llmdash", "right"))
        return answer.is_success

    try:
        until("Prometheus was ready", ready, part)
        yield Guarded(url, authority.pem)
    finally:
        part.kill()


def test_prometheus_is_asked_with_a_password_over_tls_of_its_own_authority(guarded: Guarded) -> None:
    works, sentence = services.test_prometheus(guarded.cluster())
    assert (works, sentence) == (True, "Prometheus answers. vLLM: no series then; GPUs (DCGM): no series then.")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"secret": "wrong"}, "Prometheus refuses the credentials."),
        ({"prometheus_auth": "none"}, "Prometheus refuses the credentials."),
        ({"prometheus_ca_pem": ""}, "The certificate of Prometheus is not trusted."),
        ({"prometheus_ca_pem": Authority.make("another").pem}, "The certificate of Prometheus is not trusted."),
        ({"prometheus_url": "https://127.0.0.1:1"}, "Prometheus cannot be reached."),
    ],
)
def test_why_prometheus_does_not_answer_is_said(guarded: Guarded, changed: dict[str, Any], said: str) -> None:
    assert services.test_prometheus(guarded.cluster(**changed)) == (False, said)


@pytest.mark.parametrize("kubeconfig", ["x" * 300_000, "a\x00b", "kind: Config"], ids=["long", "nul", "empty"])
def test_of_a_kubeconfig_that_is_refused_nothing_else_is_said(office: Client, kubeconfig: str) -> None:
    answer = office.post("/clusters/new/", {"name": "west", "kubeconfig": kubeconfig})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["kubeconfig"]
    assert not Cluster.objects.exists()
