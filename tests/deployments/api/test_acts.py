"""The acts: scale, stop, start, restart, roll back, take over, drift policy; and the history that they leave."""

from typing import Any

import pytest

from deployments.models import AuditEntry, Deployment, Revision
from tests.deployments.api.caller import Team, pointers, problem, rows, team

pytestmark = pytest.mark.django_db
ACTS: list[tuple[str, dict[str, Any], str]] = [
    ("scale", {"replicas": 3}, "scale"),
    ("stop", {}, "stop"),
    ("restart", {}, "restart"),
]


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


@pytest.mark.parametrize(("act", "body", "action"), ACTS)
def test_an_act_makes_a_revision_and_tells_where_it_stands(
    team: Team, act: str, body: dict[str, Any], action: str
) -> None:
    answer = team.operator.post(f"{team.path}/{act}", body | {"reason": "tonight"})
    assert answer.status_code == 202
    assert answer["Location"] == f"/api/v1{team.path}/revisions/2"
    revision = team.viewer.client.get(answer["Location"]).json()
    assert (revision["action"], revision["author"], revision["reason"]) == (action, "team-operator", "tonight")
    assert revision["outcome"] == "pending"
    assert revision["changes"]


def test_stop_keeps_the_replicas_and_start_brings_them_back(team: Team) -> None:
    team.operator.post(f"{team.path}/scale", {"replicas": 3})
    stopped = team.operator.post(f"{team.path}/stop").json()["spec"]
    assert (stopped["running"], stopped["replicas"]) == (False, 3)
    started = team.operator.post(f"{team.path}/start").json()["spec"]
    assert (started["running"], started["replicas"]) == (True, 3)


def test_starting_what_runs_makes_no_revision_and_says_so(team: Team) -> None:
    before = rows()
    assert problem(team.operator.post(f"{team.path}/start"), 409)["code"] == "unchanged"
    assert rows() == before


@pytest.mark.parametrize(("act", "body", "action"), ACTS)
def test_a_repeated_act_with_its_key_acts_once(team: Team, act: str, body: dict[str, Any], action: str) -> None:
    first = team.operator.post(f"{team.path}/{act}", body, Idempotency_Key="k")
    before = rows()
    again = team.operator.post(f"{team.path}/{act}", body, Idempotency_Key="k")
    assert (again.status_code, again["Location"]) == (202, first["Location"])
    assert rows() == before


def test_a_key_of_one_act_does_not_serve_another(team: Team) -> None:
    team.operator.post(f"{team.path}/scale", {"replicas": 3}, Idempotency_Key="k")
    before = rows()
    answer = team.operator.post(f"{team.path}/scale", {"replicas": 4}, Idempotency_Key="k")
    assert problem(answer, 422)["code"] == "key-reused"
    assert rows() == before


@pytest.mark.parametrize(("act", "body", "action"), ACTS)
def test_an_act_on_an_older_revision_is_refused_when_the_caller_asks(
    team: Team, act: str, body: dict[str, Any], action: str
) -> None:
    team.operator.post(f"{team.path}/scale", {"replicas": 7})
    before = rows()
    problem(team.operator.post(f"{team.path}/{act}", body, If_Match='"1"'), 412)
    assert rows() == before
    assert team.operator.post(f"{team.path}/{act}", body, If_Match='"2"').status_code == 202


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "/replicas"),
        ({"replicas": -1}, "/replicas"),
        ({"replicas": 201}, "/replicas"),
        ({"replicas": "3"}, "/replicas"),
        ({"replicas": 10**100}, "/replicas"),
        ({"replicas": 3, "gpus": 8}, "/gpus"),
        ({"replicas": 3, "reason": 3}, "/reason"),
    ],
)
def test_an_impossible_scale_is_refused_at_its_key(team: Team, body: dict[str, Any], where: str) -> None:
    before = rows()
    answer = team.operator.post(f"{team.path}/scale", body)
    problem(answer, 400)
    assert pointers(answer) == [where]
    assert rows() == before


@pytest.mark.parametrize("act", ["stop", "start", "restart", "take-over"])
def test_an_act_without_parameters_takes_none(team: Team, act: str) -> None:
    before = rows()
    assert pointers(team.operator.post(f"{team.path}/{act}", {"replicas": 0})) == ["/replicas"]
    assert rows() == before


def test_roll_back_makes_an_earlier_spec_the_newest(team: Team) -> None:
    team.operator.post(f"{team.path}/scale", {"replicas": 3})
    answer = team.operator.post(f"{team.path}/rollback", {"revision": 1})
    assert (answer.status_code, answer.json()["revision"], answer.json()["spec"]["replicas"]) == (202, 3, 1)


@pytest.mark.parametrize("revision", [0, -1, 2, 10**30])
def test_roll_back_to_a_revision_that_is_not_there_is_refused(team: Team, revision: int) -> None:
    before = rows()
    answer = team.operator.post(f"{team.path}/rollback", {"revision": revision})
    problem(answer, 400)
    assert pointers(answer) == ["/revision"]
    assert rows() == before


def test_take_over_is_audited_and_accepted(team: Team) -> None:
    answer = team.operator.post(f"{team.path}/take-over")
    assert answer.status_code == 202
    assert Deployment.objects.get(pk=team.deployment.pk).taken_over_at
    assert AuditEntry.objects.filter(action="take over").count() == 1
    assert Revision.objects.filter(deployment=team.deployment).count() == 1


def test_the_drift_policy_is_set_and_audited(team: Team) -> None:
    answer = team.operator.post(f"{team.path}/drift-policy", {"drift_policy": "leave"})
    assert (answer.status_code, answer.json()["drift_policy"], answer["ETag"]) == (200, "leave", '"1-leave"')
    assert AuditEntry.objects.filter(action="set drift policy").count() == 1
    assert pointers(team.operator.post(f"{team.path}/drift-policy", {"drift_policy": "x"})) == ["/drift_policy"]


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("scale", {"replicas": 2}),
        ("stop", {}),
        ("start", {}),
        ("restart", {}),
        ("rollback", {"revision": 1}),
        ("take-over", {}),
        ("drift-policy", {"drift_policy": "leave"}),
    ],
)
def test_who_only_looks_cannot_act_and_a_stranger_finds_nothing(team: Team, act: str, body: dict[str, Any]) -> None:
    stranger = _stranger()
    before = rows()
    problem(team.viewer.post(f"{team.path}/{act}", body), 403)
    problem(stranger.admin.post(f"{team.path}/{act}", body), 404)
    assert rows() == before


def _stranger() -> Team:
    return team("strangers")


# ---- history


def test_revisions_are_listed_newest_first_without_their_specs(team: Team) -> None:
    team.operator.post(f"{team.path}/scale", {"replicas": 3})
    body = team.viewer.get(f"{team.path}/revisions").json()
    assert [row["revision"] for row in body["results"]] == [2, 1]
    assert "spec" not in body["results"][0]
    assert team.viewer.get(f"{team.path}/revisions?page_size=1&page=2").json()["results"][0]["revision"] == 1


def test_a_revision_holds_its_spec_and_what_it_changed(team: Team) -> None:
    team.operator.post(f"{team.path}/scale", {"replicas": 3})
    answer = team.viewer.get(f"{team.path}/revisions/2")
    assert answer.json()["changes"] == [{"field": "replicas", "before": 1, "after": 3}]
    assert answer.json()["spec"]["replicas"] == 3
    assert team.viewer.get(f"{team.path}/revisions/2", If_None_Match=answer["ETag"]).status_code == 304
    Revision.objects.filter(deployment=team.deployment, number=2).update(outcome="applied")
    assert team.viewer.get(f"{team.path}/revisions/2", If_None_Match=answer["ETag"]).json()["outcome"] == "applied"


def test_the_audit_is_read_newest_first_by_a_cursor(team: Team) -> None:
    team.operator.post(f"{team.path}/scale", {"replicas": 3})
    team.operator.post(f"{team.path}/stop")
    first = team.viewer.get(f"{team.path}/audit?limit=2").json()
    assert [entry["action"] for entry in first["results"]] == ["stop", "scale"]
    rest = team.viewer.client.get(first["next"]).json()
    assert [entry["action"] for entry in rest["results"]] == ["create"]
    assert rest["next"] is None
    problem(team.viewer.get(f"{team.path}/audit?cursor=nonsense"), 400)
