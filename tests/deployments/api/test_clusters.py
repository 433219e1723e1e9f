"""Clusters by REST: what everybody of a project reads, and what platform admins write."""

from typing import Any

import pytest

from deployments.choices import Connection
from deployments.models import AuditEntry, Cluster, ClusterStatus, NodeStatus
from tests import stage
from tests.deployments.api.caller import Caller, Team, pointers, problem, rows, team

pytestmark = pytest.mark.django_db
CANARY = "canary-51b0"
NEW = {"name": "west", "api_url": "https://127.0.0.1:1", "token": CANARY}


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


@pytest.fixture
def boss() -> Caller:
    return Caller(stage.user("boss", is_superuser=True))


def of(team: Team, part: str = "") -> str:
    return f"/clusters/{team.project.cluster_id}{part}"


def test_a_cluster_is_registered_read_and_changed(boss: Caller) -> None:
    made = boss.post("/clusters", NEW | {"allowed_namespaces": ["team-*"]})
    assert made.status_code == 201
    assert boss.client.get(made["Location"]).json()["name"] == "west"
    path = f"/clusters/{made.json()['id']}/settings"
    read = boss.get(path)
    assert (read.json(), read["ETag"]) == (made.json(), made["ETag"])
    changed = boss("PATCH", path, {"max_in_flight": 3}, If_Match=read["ETag"])
    assert (changed.json()["max_in_flight"], changed.json()["allowed_namespaces"]) == (3, ["team-*"])
    assert Cluster.objects.get().open_credentials() == {"token": CANARY}
    for answer in (made, read, changed):
        assert CANARY not in answer.content.decode()
    assert [entry.action for entry in AuditEntry.objects.all()] == ["change cluster", "register cluster"]


def test_a_change_of_what_was_not_seen_is_refused(boss: Caller) -> None:
    path = f"/clusters/{boss.post('/clusters', NEW).json()['id']}/settings"
    tag = boss.get(path)["ETag"]
    problem(boss("PATCH", path, {"max_in_flight": 3}), 428)
    assert boss("PATCH", path, {"max_in_flight": 3}, If_Match=tag).status_code == 200
    problem(boss("PATCH", path, {"max_in_flight": 4}, If_Match=tag), 412)
    problem(boss("PATCH", path, {"max_in_flight": 3}, If_Match=boss.get(path)["ETag"]), 409)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ["/name"]),
        ({"name": "west"}, ["/api_url"]),
        (NEW | {"token": ""}, ["/token"]),
        (NEW | {"api_url": "https://169.254.169.254"}, ["/api_url"]),
        (NEW | {"kubeconfig": "{}"}, ["/kubeconfig", "/token"]),
        (NEW | {"name": "Not A Name"}, ["/name"]),
        (NEW | {"allowed_namespaces": ["A"]}, ["/allowed_namespaces"]),
        (NEW | {"allowed_namespaces": "team"}, ["/allowed_namespaces"]),
        (NEW | {"max_in_flight": 65}, ["/max_in_flight"]),
        (NEW | {"max_in_flight": "8"}, ["/max_in_flight"]),
        (NEW | {"prometheus_auth": "kerberos"}, ["/prometheus_auth"]),
        (NEW | {"prometheus_matchers": "x"}, ["/prometheus_matchers"]),
        (NEW | {"is_simulated": True}, ["/is_simulated"]),
    ],
)
def test_a_bad_cluster_is_refused_with_a_pointer(boss: Caller, body: dict[str, Any], pointer: list[str]) -> None:
    before = rows()
    answer = boss.post("/clusters", body)
    problem(answer, 400)
    assert sorted(pointers(answer)) == pointer
    assert CANARY not in answer.content.decode()
    assert (rows(), Cluster.objects.count()) == (before, 0)


def test_a_name_that_is_taken_is_a_conflict(boss: Caller) -> None:
    boss.post("/clusters", NEW)
    refused = problem(boss.post("/clusters", NEW), 409)
    assert (refused["code"], refused["detail"]) == ("taken", "Another cluster has this name.")
    assert refused["errors"] == [{"pointer": "/name", "detail": "Another cluster has this name."}]


def test_the_test_is_kept_and_conditions_tell_of_it(boss: Caller, team: Team) -> None:
    report = boss.post(of(team, "/test"))
    assert (report.json()["ok"], report.json()["connection"]) == (False, "unreachable")
    assert Cluster.objects.get().tested["message"] == report.json()["message"]
    found = {one["name"]: one for one in team.viewer.get(of(team, "/conditions")).json()["results"]}
    assert (found["Rights"]["sign"], found["Credentials"]["sign"]) == ("unknown", "unknown")


def test_another_identity_is_accepted_as_seen(boss: Caller, team: Team) -> None:
    cluster = team.project.cluster
    ClusterStatus.objects.create(cluster=cluster, connection=Connection.OTHER, identity="old", answering="new")
    assert problem(boss.post(of(team, "/accept-identity"), {"identity": "old"}), 409)["code"] == "stale"
    assert boss.post(of(team, "/accept-identity"), {"identity": "new"}).json()["identity"] == "new"


def test_forgetting_needs_the_name_and_tells_what_stays(boss: Caller, team: Team) -> None:
    answer = boss.post(of(team, "/forget"), {"name": "wrong"})
    problem(answer, 400)
    assert pointers(answer) == ["/name"]
    done = boss.post(of(team, "/forget"), {"name": team.project.cluster.name})
    assert (done.status_code, done.json()) == (200, {"left": []})
    problem(boss.get(of(team)), 404)


# ---- nodes


def holder(deployment: Any, count: int) -> dict[str, Any]:
    return {"pod": "p-1", "namespace": "x", "count": count, "deployment": str(getattr(deployment, "pk", ""))}


@pytest.fixture
def gpu_node(team: Team) -> dict[str, Any]:
    """A node of eight GPUs: two held by the team's deployment, one by another project's, one by nobody of ours."""
    other = stage.project("hidden", cluster=team.project.cluster, namespace="hidden")
    theirs = stage.deployment(other, stage.user("stranger"), "their-llm")
    mine = stage.deployment(team.project, stage.user("builder"))
    held = [holder(mine, 2), holder(theirs, 1), holder(None, 1)]
    kind = {"resource": "nvidia.com/gpu", "product": "H100", "memory_mib": 81559, "allocatable": 8, "used": 4}
    NodeStatus.objects.create(cluster=team.project.cluster, name="gpu-1", ready=True, gpus=[kind | {"owners": held}])
    NodeStatus.objects.create(cluster=team.project.cluster, name="cpu-1", message="NetworkUnavailable")
    return kind


def test_nodes_are_listed_with_their_gpus_and_the_callers_holders_only(team: Team, gpu_node: dict[str, Any]) -> None:
    found = team.viewer.get(of(team, "/nodes")).json()
    assert (found["count"], [one["name"] for one in found["results"]]) == (2, ["cpu-1", "gpu-1"])
    assert found["results"][0] | {"message": "NetworkUnavailable", "ready": False, "gpus": []} == found["results"][0]
    [gpus] = found["results"][1]["gpus"]
    [mine] = gpus.pop("holders")
    assert gpus == gpu_node | {"free": 4}
    assert (mine["name"], mine["count"], mine["pod"]) == ("qwen", 2, "p-1")


def test_a_platform_admin_sees_every_holder_of_ours(team: Team, boss: Caller, gpu_node: dict[str, Any]) -> None:
    [found] = boss.get(of(team, "/nodes?search=GPU")).json()["results"]
    assert {one["name"] for one in found["gpus"][0]["holders"]} == {"qwen", "their-llm"}


def test_what_is_free_is_unknown_where_not_all_pods_may_be_listed(team: Team, gpu_node: dict[str, Any]) -> None:
    capacity = {"gpus": [gpu_node | {"total": 8, "free": None}]}
    ClusterStatus.objects.update_or_create(cluster=team.project.cluster, defaults={"capacity": capacity})
    found = team.viewer.get(of(team, "/nodes?page=1&page_size=200")).json()["results"][1]
    assert found["gpus"][0]["free"] is None
