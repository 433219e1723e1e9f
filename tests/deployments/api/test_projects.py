"""Projects, their secrets, clusters, and the index."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.choices import Role
from deployments.models import ClusterStatus, DeploymentStatus, Membership, SecretValue
from tests import stage
from tests.deployments.api.caller import Caller, Team, pointers, problem, rows, team, wish

pytestmark = pytest.mark.django_db
CANARY = "canary-3f9a-secret"


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


def secrets(team: Team) -> str:
    return f"/projects/{team.project.pk}/secrets"


def test_the_index_tells_where_things_are(team: Team) -> None:
    assert team.viewer.get("/").json() == {
        "overview": "/api/v1/overview",
        "deployments": "/api/v1/deployments",
        "projects": "/api/v1/projects",
        "clusters": "/api/v1/clusters",
        "search": "/api/v1/search",
        "tokens": "/api/v1/tokens",
        "audit": "/api/v1/audit",
    }


def test_a_project_says_what_the_caller_may_do(team: Team) -> None:
    answer = team.viewer.get(f"/projects/{team.project.pk}")
    assert (answer.json()["role"], answer.json()["may"]) == ("viewer", ["logs", "view"])
    assert team.operator.get(f"/projects/{team.project.pk}").json()["may"] == ["delete", "deploy", "logs", "view"]
    assert team.viewer.get(f"/projects/{team.project.pk}", If_None_Match=answer["ETag"]).status_code == 304


def test_projects_list_the_strongest_role_in_a_fixed_number_of_queries(team: Team) -> None:
    from django.contrib.auth.models import Group

    person = team.viewer.person
    assert person
    group = Group.objects.create(name="llm-admins")
    person.groups.add(group)
    Membership.objects.create(project=team.project, group=group, role=Role.ADMIN)
    with CaptureQueriesContext(connection) as few:
        (row,) = team.viewer.get("/projects").json()["results"]
    assert (row["name"], row["role"]) == ("team", "admin")
    for number in range(10):
        other = stage.project(f"p{number}", cluster=team.project.cluster)
        Membership.objects.create(project=other, user=person, role=Role.VIEWER)
    with CaptureQueriesContext(connection) as many:
        assert team.viewer.get("/projects").json()["count"] == 11
    assert len(few) == len(many) == 5  # session, user, count, rows, roles


def test_projects_are_searched_and_filtered(team: Team) -> None:
    team_of_strangers = team_named("strangers")
    boss = Caller(stage.user("boss", is_superuser=True))
    assert [row["name"] for row in boss.get("/projects?search=stran").json()["results"]] == ["strangers"]
    assert [row["name"] for row in boss.get("/projects?cluster=of-team").json()["results"]] == ["team"]
    assert [row["name"] for row in team_of_strangers.viewer.get("/projects").json()["results"]] == ["strangers"]


def team_named(name: str) -> Team:
    return team(name)


@pytest.mark.parametrize(
    ("what", "query", "names"),
    [
        ("projects", "?ordering=-gpus", ["team", "alone", "empty"]),
        ("projects", "?ordering=-name", ["team", "empty", "alone"]),
        ("projects", "?ordering=created", ["team", "empty", "alone"]), ("projects", "?search=of-alone", ["alone"]),
        ("clusters", "?ordering=-name", ["of-team", "of-alone"]),
        ("clusters", "?ordering=created", ["of-team", "of-alone"]),
    ],
)  # fmt: skip
def test_lists_are_sorted(team: Team, what: str, query: str, names: list[str]) -> None:
    stage.project("empty", cluster=team.project.cluster)
    stage.project("alone", cluster=stage.cluster("of-alone"))
    DeploymentStatus.objects.create(deployment=team.deployment, gpus=4)
    boss = Caller(stage.user("boss", is_superuser=True))
    assert [row["name"] for row in boss.get(f"/{what}{query}").json()["results"]] == names
    problem(boss.get(f"/{what}?ordering=nonsense"), 400)


def test_a_project_tells_what_it_holds_alone_and_in_the_list(team: Team) -> None:
    DeploymentStatus.objects.create(deployment=team.deployment, gpus=4)
    alone = team.viewer.get(f"/projects/{team.project.pk}/use").json()
    assert alone == {"deployments": 1, "gpus": 4, "members": 3, "stale": True, "seen_at": None}
    [line] = team.viewer.get("/projects").json()["results"]
    assert {key: line[key] for key in alone} == alone


def test_a_stranger_finds_no_project_secret_or_cluster(team: Team) -> None:
    stranger = team_named("strangers").admin
    for path in (f"/projects/{team.project.pk}", secrets(team), f"/clusters/{team.project.cluster_id}"):
        problem(stranger.get(path), 404)
    problem(stranger.post(secrets(team), {"name": "token", "value": "x"}), 404)


# ---- secrets


def test_a_secret_is_stored_and_its_value_never_comes_back(team: Team) -> None:
    answer = team.operator.post(secrets(team), {"name": "HF_TOKEN", "value": CANARY})
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "name", "version", "created_at"}
    again = team.operator.post(secrets(team), {"name": "HF_TOKEN", "value": CANARY + "2"})
    assert again.json()["version"] == 2
    listed = team.viewer.get(secrets(team))
    assert [(row["name"], row["version"]) for row in listed.json()["results"]] == [("HF_TOKEN", 2), ("HF_TOKEN", 1)]
    assert CANARY.encode() not in answer.content + again.content + listed.content
    assert SecretValue.objects.get(pk=answer.json()["id"]).open() == CANARY.encode()


def test_a_stored_secret_is_named_in_a_spec_by_its_id(team: Team) -> None:
    made = team.operator.post(secrets(team), {"name": "HF_TOKEN", "value": CANARY}).json()
    spec = {"llm": "Qwen/Qwen3-8B", "env": [{"name": "HF_TOKEN", "secret": made["id"]}]}
    answer = team.operator.post("/deployments", wish(team.project, spec=spec))
    assert answer.status_code == 202
    assert answer.json()["spec"]["env"] == [{"name": "HF_TOKEN", "value": None, "secret": made["id"]}]


def test_a_secret_of_another_project_is_not_known(team: Team) -> None:
    other = team_named("strangers")
    theirs = other.operator.post(secrets(other), {"name": "HF_TOKEN", "value": CANARY}).json()
    spec = {"llm": "Qwen/Qwen3-8B", "env": [{"name": "HF_TOKEN", "secret": theirs["id"]}]}
    assert pointers(team.operator.post("/deployments", wish(team.project, spec=spec))) == ["/spec/env/0/secret"]


def test_a_viewer_cannot_store_a_secret(team: Team) -> None:
    problem(team.viewer.post(secrets(team), {"name": "HF_TOKEN", "value": CANARY}), 403)
    assert not SecretValue.objects.exists()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "HF_TOKEN"}, "/value"),
        ({"name": "", "value": "v"}, "/name"),
        ({"name": "a b", "value": "v"}, "/name"),
        ({"name": "a\n", "value": "v"}, "/name"),
        ({"name": "x" * 254, "value": "v"}, "/name"),
        ({"name": "HF_TOKEN", "value": ""}, "/value"),
        ({"name": "HF_TOKEN", "value": 7}, "/value"),
        ({"name": "HF_TOKEN", "value": CANARY + "\x00"}, "/value"),
        ({"name": "HF_TOKEN", "value": CANARY * 5000}, "/value"),
        ({"name": "HF_TOKEN", "value": CANARY, "version": 9}, "/version"),
    ],
)
def test_a_bad_secret_is_refused_without_repeating_it(team: Team, body: dict[str, Any], where: str) -> None:
    before = rows()
    answer = team.operator.post(secrets(team), body)
    problem(answer, 400)
    assert pointers(answer) == [where]
    assert CANARY.encode() not in answer.content
    assert rows() == before


# ---- clusters


def test_a_cluster_tells_its_connection_and_no_credentials(team: Team) -> None:
    answer = team.viewer.get(f"/clusters/{team.project.cluster_id}")
    body = answer.json()
    assert (body["name"], body["connection"], body["stale"]) == ("of-team", "never", True)
    assert b"a-token" not in answer.content
    assert not {key for key in body if "credential" in key or "ca" in key.split("_") or "prometheus" in key}
    ClusterStatus.objects.create(cluster=team.project.cluster, connection="connected", seen_at=timezone.now())
    fresh = team.viewer.get(f"/clusters/{team.project.cluster_id}", If_None_Match=answer["ETag"])
    assert (fresh.status_code, fresh.json()["connection"], fresh.json()["stale"]) == (200, "connected", False)
    known = team.viewer.get(f"/clusters/{team.project.cluster_id}", If_None_Match=fresh["ETag"])
    assert known.status_code == 304


def test_clusters_are_listed_in_a_fixed_number_of_queries(team: Team) -> None:
    boss = Caller(stage.user("boss", is_superuser=True))
    with CaptureQueriesContext(connection) as few:
        assert boss.get("/clusters").json()["count"] == 1
    for number in range(10):
        stage.cluster(f"c{number}")
    with CaptureQueriesContext(connection) as many:
        assert boss.get("/clusters").json()["count"] == 11
    assert len(few) == len(many) == 4  # session, user, count, rows
    assert [row["name"] for row in team.viewer.get("/clusters").json()["results"]] == ["of-team"]
