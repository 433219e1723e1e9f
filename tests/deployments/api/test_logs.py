"""Logs by REST, and requests that are only tried."""

import pytest

from deployments.models import Deployment
from tests.deployments.api.caller import Team, pointers, problem, rows, team, wish

pytestmark = pytest.mark.django_db
POD = "team-llm-7d9f8b6c54-x2k9p"


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


def test_a_cluster_that_does_not_answer_is_said_so(team: Team) -> None:
    body = problem(team.viewer.get(f"{team.path}/pods/{POD}/logs?tail=20&previous=true"), 409)
    assert body["code"] == "not-read"
    assert "The API server refuses connections." in body["detail"]


def test_pods_of_others_are_not_there(team: Team) -> None:
    problem(team.viewer.get(f"{team.path}/pods/somebody-elses-pod/logs"), 404)


@pytest.mark.parametrize(
    "query",
    ["tail=0", "tail=x", "tail=", "previous=yes", "timestamps=1", "since=yesterday", "since=2026-11-26", "since=",
     "since=2026-11-26T09:30:00", "follow=true"],
)  # fmt: skip
def test_what_is_no_excerpt_is_refused(team: Team, query: str) -> None:
    problem(team.viewer.get(f"{team.path}/pods/{POD}/logs?{query}"), 400)


# ---- only tried


def test_a_new_deployment_that_is_only_tried_is_told_and_not_made(team: Team) -> None:
    before = rows()
    answer = team.operator.post("/deployments?dry_run=true", wish(team.project), Idempotency_Key="k")
    assert answer.status_code == 200
    body = answer.json()
    assert body["spec"]["llm"] == "Qwen/Qwen3-8B"
    assert {"field": "gpus", "before": None, "after": 1} in body["changes"]
    assert rows() == before
    refused = team.operator.post("/deployments?dry_run=true", wish(team.project, spec={"gpus": -1, "llm": "a/b"}))
    problem(refused, 400)
    assert pointers(refused) == ["/spec/gpus"]
    assert team.operator.post("/deployments", wish(team.project), Idempotency_Key="k").status_code == 202


def test_a_new_spec_that_is_only_tried_tells_the_difference(team: Team) -> None:
    before, path = rows(), f"{team.path}?dry_run=true"
    spec = {"llm": "Qwen/Qwen3-8B", "gpus": 1, "replicas": 4}
    answer = team.operator("PUT", path, {"spec": spec}, If_Match='"1"')
    assert answer.json()["changes"] == [{"field": "replicas", "before": 1, "after": 4}]
    assert problem(team.operator("PUT", path, {"spec": spec | {"replicas": 1}}, If_Match='"1"'), 409)["code"] == (
        "unchanged"
    )
    problem(team.operator("PUT", path, {"spec": spec}, If_Match='"7"'), 412)
    problem(team.viewer("PUT", path, {"spec": spec}, If_Match='"1"'), 403)
    assert rows() == before
    assert Deployment.objects.get(pk=team.deployment.pk).desired == 1


@pytest.mark.parametrize("said", ["yes", "", "1"])
def test_dry_run_is_true_or_false(team: Team, said: str) -> None:
    problem(team.operator.post(f"/deployments?dry_run={said}", wish(team.project)), 400)


def test_acts_are_not_only_tried(team: Team) -> None:
    problem(team.operator.post(f"{team.path}/stop?dry_run=true"), 400)


def test_deployments_are_found_by_name(team: Team) -> None:
    assert team.viewer.get("/deployments?name=team-llm").json()["count"] == 1
    assert team.viewer.get("/deployments?name=team").json()["count"] == 0
