"""Status, pods and events of a deployment, as the watcher last saw them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments.choices import Health
from deployments.models import ClusterStatus, Deployment, DeploymentStatus
from tests.deployments.api.caller import Team, problem, team

pytestmark = pytest.mark.django_db
POD = {"name": "team-llm-7d9f-abc", "stage": "loading", "ready": False, "node": "gpu-1", "private": "not for the API"}
DRIFT = {"object": "Service/x", "field": "spec.type", "wanted": "ClusterIP", "live": "NodePort", "rival": "kubectl"}
EVENTS = [{"at": f"2026-01-01T00:00:{n:02d}Z", "type": "Normal", "reason": f"R{n}", "count": 1} for n in range(5)]


@pytest.fixture(name="team")
def a_team() -> Team:
    made = team()
    heard(made)
    DeploymentStatus.objects.create(
        deployment=made.deployment, health=Health.STARTING, sentence="Loading the weights.", wanted=1, seq=7,
        pods=[POD], events=EVENTS, observed_revision=1,
        drift=[DRIFT],
    )  # fmt: skip
    return made


def heard(team: Team, age: float = 0) -> None:
    """The cluster was last heard of that many seconds ago."""
    seen = timezone.now() - timedelta(seconds=age)
    ClusterStatus.objects.update_or_create(cluster=team.project.cluster, defaults={"seen_at": seen})


def read(team: Team, what: str, **headers: str) -> Any:
    return team.viewer.get(f"{team.path}/{what}", **headers)


def test_the_status_says_how_it_is_and_how_old_that_is(team: Team) -> None:
    body = read(team, "status").json()
    assert (body["health"], body["sentence"], body["stale"]) == ("starting", "Loading the weights.", False)
    assert body["seen_at"]
    assert (body["revision"], body["applied"], body["observed_revision"], body["settled"]) == (1, 0, 1, False)
    assert body["drift"][0]["rival"] == "kubectl"
    assert body["last_error"] is None


def test_a_status_of_a_silent_cluster_is_unknown_and_stale(team: Team) -> None:
    heard(team, age=60)
    body = read(team, "status").json()
    assert (body["health"], body["stale"]) == ("unknown", True)
    assert body["sentence"].startswith("Cluster of-team is not heard of")


def test_what_was_never_seen_is_unknown(team: Team) -> None:
    DeploymentStatus.objects.all().delete()
    assert read(team, "status").json()["health"] == "unknown"
    assert read(team, "pods").json()["results"] == []
    ClusterStatus.objects.all().delete()
    body = read(team, "status").json()
    assert (body["health"], body["stale"], body["seen_at"]) == ("unknown", True, None)


def test_the_status_carries_what_stopped_the_worker(team: Team) -> None:
    error = {"message": "quota exceeded", "status": 403, "internal": "no"}
    Deployment.objects.filter(pk=team.deployment.pk).update(problem="wait", last_error=error)
    body = read(team, "status").json()
    assert (body["problem"], body["last_error"]["message"]) == ("wait", "quota exceeded")
    assert "internal" not in body["last_error"]


@pytest.mark.parametrize("what", ["status", "pods", "events"])
def test_each_has_an_etag_of_its_own_that_moves_with_what_it_says(team: Team, what: str) -> None:
    answer = read(team, what)
    assert answer["ETag"].startswith('"1-7-')
    assert read(team, what, If_None_Match=answer["ETag"]).status_code == 304
    heard(team, age=60)
    assert read(team, what, If_None_Match=answer["ETag"]).json()["stale"] is True


def test_pods_hold_only_what_the_api_promises(team: Team) -> None:
    (pod,) = read(team, "pods").json()["results"]
    assert (pod["name"], pod["stage"], pod["ready"], pod["ip"]) == (POD["name"], "loading", False, None)
    assert "private" not in pod


def test_events_are_read_by_limit_and_cursor(team: Team) -> None:
    first = read(team, "events?limit=3").json()
    assert [event["reason"] for event in first["results"]] == ["R0", "R1", "R2"]
    rest = team.viewer.client.get(first["next"]).json()
    assert [event["reason"] for event in rest["results"]] == ["R3", "R4"]
    assert rest["next"] is None


@pytest.mark.parametrize("query", ["limit=-1", "limit=x", "cursor=1e9", "cursor=99999999999", "size=2", "limit=²"])
def test_a_query_that_is_not_understood_is_refused(team: Team, query: str) -> None:
    problem(read(team, f"events?{query}"), 400)


@pytest.mark.parametrize("what", ["status", "pods", "events", "audit", "revisions"])
def test_a_stranger_finds_nothing(team: Team, what: str) -> None:
    problem(other().admin.get(f"{team.path}/{what}"), 404)


def other() -> Team:
    return team("strangers")
