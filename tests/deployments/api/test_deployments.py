"""Deployments: created, listed, read, revised, deleted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.choices import Health
from deployments.models import AuditEntry, ClusterStatus, Deployment, DeploymentStatus, Revision
from tests import stage
from tests.deployments.api.caller import Caller, Team, pointers, problem, rows, team, wish

pytestmark = pytest.mark.django_db


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


def see(deployment: Deployment, health: Health, age: float = 0, **fields: Any) -> None:
    """What the watcher writes about a deployment and its cluster."""
    now = timezone.now()
    ClusterStatus.objects.update_or_create(
        cluster=deployment.project.cluster,
        defaults={"seen_at": now - timedelta(seconds=age), "connection": "connected"},
    )
    DeploymentStatus.objects.update_or_create(
        deployment=deployment, defaults={"health": health, "health_rank": health.rank, "changed_at": now} | fields
    )


# ---- create


def test_a_deployment_is_created_with_its_first_revision(team: Team) -> None:
    answer = team.operator.post("/deployments", wish(team.project, reason="try it", drift_policy="leave"))
    assert answer.status_code == 202
    body = answer.json()
    made = Deployment.objects.get(pk=body["id"])
    assert (made.name, made.desired, made.drift_policy) == ("new", 1, "leave")
    assert answer["Location"] == f"/api/v1/deployments/{made.pk}/revisions/1"
    assert team.operator.client.get(answer["Location"]).json()["reason"] == "try it"
    assert (body["project"], body["revision"], body["spec"]["gpus"]) == ("team", 1, 1)
    assert AuditEntry.objects.filter(target_id=str(made.pk), action="create").count() == 1


def test_the_project_may_be_named_by_its_id(team: Team) -> None:
    assert team.operator.post("/deployments", wish(team.project, project=str(team.project.pk))).status_code == 202


def test_the_same_create_with_the_same_key_makes_one_deployment(team: Team) -> None:
    first = team.operator.post("/deployments", wish(team.project), Idempotency_Key="k-1")
    before = rows()
    again = team.operator.post("/deployments", wish(team.project), Idempotency_Key="k-1")
    assert again.status_code == 202
    assert (again.json(), again["Location"]) == (first.json(), first["Location"])
    assert rows() == before


def test_another_create_with_the_same_key_is_refused(team: Team) -> None:
    team.operator.post("/deployments", wish(team.project), Idempotency_Key="k-1")
    before = rows()
    answer = team.operator.post("/deployments", wish(team.project, name="other"), Idempotency_Key="k-1")
    assert problem(answer, 422)["code"] == "key-reused"
    assert rows() == before


def test_keys_of_two_people_do_not_meet(team: Team) -> None:
    team.operator.post("/deployments", wish(team.project), Idempotency_Key="k-1")
    answer = team.admin.post("/deployments", wish(team.project, name="other"), Idempotency_Key="k-1")
    assert answer.status_code == 202


def test_a_viewer_cannot_create(team: Team) -> None:
    before = rows()
    said = problem(team.viewer.post("/deployments", wish(team.project)), 403)
    assert said["detail"] == "You are viewer in project team; this needs operator."
    assert rows() == before


def test_a_hidden_project_is_as_unknown_as_a_missing_one(team: Team) -> None:
    other = stage.project("hidden", cluster=stage.cluster("far"))
    hidden = problem(team.operator.post("/deployments", wish(other)), 400)
    missing = problem(team.operator.post("/deployments", wish(other, project="nowhere")), 400)
    assert hidden["errors"] == missing["errors"]
    assert hidden["errors"][0]["pointer"] == "/project"


# ---- list


def test_the_list_says_how_each_is(team: Team) -> None:
    see(team.deployment, Health.SERVING, ready=2, wanted=2, gpus=2, sentence="Serving on 2 of 2 replicas.")
    (row,) = team.viewer.get("/deployments").json()["results"]
    assert (row["name"], row["project"], row["cluster"]) == ("team-llm", "team", "of-team")
    assert (row["health"], row["ready"], row["stale"], row["llm"]) == ("serving", 2, False, "Qwen/Qwen3-8B")


def test_a_stale_row_is_unknown_whatever_it_says(team: Team) -> None:
    see(team.deployment, Health.SERVING, age=120)
    (row,) = team.viewer.get("/deployments").json()["results"]
    assert (row["health"], row["stale"]) == ("unknown", True)
    assert team.viewer.get("/deployments?health=serving").json()["count"] == 0
    assert team.viewer.get("/deployments?health=unknown").json()["count"] == 1


def test_the_list_holds_only_what_the_caller_may_see(team: Team) -> None:
    other = team_of_strangers()
    assert [row["name"] for row in team.viewer.get("/deployments").json()["results"]] == ["team-llm"]
    boss = Caller(stage.user("boss", is_superuser=True))
    assert boss.get("/deployments").json()["count"] == 2
    assert other.viewer.get("/deployments?search=team-llm").json()["count"] == 0
    assert other.viewer.get("/deployments?project=team").json()["count"] == 0


def team_of_strangers() -> Team:
    return team("strangers")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=whisper", ["whisper"]),
        ("search=openai/", ["whisper"]),
        ("project=team", ["team-llm", "whisper"]),
        ("project=team&project=strangers", ["strangers-llm", "team-llm", "whisper"]),
        ("cluster=of-strangers", ["strangers-llm"]),
        ("health=failing", ["whisper"]),
        ("health=failing&health=unknown", ["strangers-llm", "team-llm", "whisper"]),
        ("ordering=-name", ["whisper", "team-llm", "strangers-llm"]),
        ("ordering=-health", ["whisper", "strangers-llm", "team-llm"]),
        ("ordering=created", ["team-llm", "strangers-llm", "whisper"]),
        ("page_size=2&page=2", ["whisper"]),
    ],
)
def test_the_list_is_searched_filtered_ordered_and_paged(team: Team, query: str, names: list[str]) -> None:
    team_of_strangers()
    assert team.operator.person
    whisper = stage.deployment(team.project, team.operator.person, "whisper", llm="openai/whisper-large-v3")
    see(whisper, Health.FAILING)
    DeploymentStatus.objects.filter(deployment=team.deployment).delete()
    boss = Caller(stage.user("boss", is_superuser=True))
    assert [row["name"] for row in boss.get(f"/deployments?{query}").json()["results"]] == names


@pytest.mark.parametrize(
    "query",
    ["ordering=secret", "health=well", "helth=failing", "search=%00", "page=", "page_size=", "page_size=1001"],
)
def test_a_query_that_is_not_understood_is_refused(team: Team, query: str) -> None:
    problem(team.viewer.get(f"/deployments?{query}"), 400)


def test_a_page_that_is_not_there_is_not_found_and_what_is_no_number_is_refused(team: Team) -> None:
    for page in ("999999999", "9" * 40):
        problem(team.viewer.get(f"/deployments?page={page}"), 404)
    for page in ("0", "-1", "none"):
        assert "'page'" in problem(team.viewer.get(f"/deployments?page={page}"), 400)["detail"]


def test_the_list_costs_the_same_queries_for_any_number_of_rows(team: Team) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert team.viewer.get("/deployments?page_size=200&search=l").status_code == 200
        return len(captured)

    few = queries()
    assert team.operator.person
    for number in range(20):
        see(stage.deployment(team.project, team.operator.person, f"llm-{number}"), Health.SERVING)
    assert queries() == few
    assert few == 4  # session, user, count, rows


# ---- read


def test_a_deployment_is_intent_only_and_its_etag_is_the_revision(team: Team) -> None:
    answer = team.viewer.get(team.path)
    assert answer["ETag"] == '"1"'
    assert "health" not in answer.json()
    assert answer.json()["spec"]["llm"] == "Qwen/Qwen3-8B"


def test_what_the_caller_has_is_not_sent_again(team: Team) -> None:
    known = team.viewer.get(team.path)["ETag"]
    answer = team.viewer.get(team.path, If_None_Match=f'"0", W/{known}')
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", known)
    assert team.viewer.get(team.path, If_None_Match='"7"').status_code == 200


def test_the_etag_moves_with_everything_that_the_answer_says(team: Team) -> None:
    known = {team.viewer.get(team.path)["ETag"]}
    team.operator.post(f"{team.path}/drift-policy", {"drift_policy": "leave"})
    known.add(team.viewer.get(team.path)["ETag"])
    team.operator.post(f"{team.path}/stop")
    known.add(team.viewer.get(team.path)["ETag"])
    team.operator("DELETE", team.path, If_Match="*")
    known.add(team.viewer.get(team.path)["ETag"])
    assert known == {'"1"', '"1-leave"', '"2-leave"', '"2-leave-deleting"'}


# ---- revise


def test_put_makes_the_whole_spec_the_newest_revision(team: Team) -> None:
    body = {"spec": {"llm": "Qwen/Qwen3-8B", "replicas": 2}, "reason": "more"}
    answer = team.operator("PUT", team.path, body, If_Match='"1"')
    assert answer.status_code == 202
    assert answer["Location"].endswith("/revisions/2")
    assert answer["ETag"] == '"2"'
    spec = team.viewer.get(team.path).json()["spec"]
    assert (spec["replicas"], spec["gpus"]) == (2, 0)


def test_patch_changes_only_what_it_names(team: Team) -> None:
    answer = team.operator("PATCH", team.path, {"spec": {"replicas": 3}}, If_Match='"1"')
    assert answer.status_code == 202
    assert (answer.json()["spec"]["replicas"], answer.json()["spec"]["gpus"]) == (3, 1)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_without_if_match_is_refused(team: Team, method: str) -> None:
    before = rows()
    problem(team.operator(method, team.path, {"spec": {}}), 428)
    assert rows() == before


@pytest.mark.parametrize(
    ("method", "body"),
    [("PUT", {"spec": {"llm": "a/b"}}), ("PATCH", {"spec": {"gpus": 4}}), ("DELETE", None)],
)
@pytest.mark.parametrize("tag", ['"1"', '"9"', '"none"', 'W/"1"'])
def test_a_change_of_an_older_revision_is_refused_with_the_difference(
    team: Team, method: str, body: Any, tag: str
) -> None:
    team.admin.post(f"{team.path}/scale", {"replicas": 5})
    before = rows()
    said = problem(team.operator(method, team.path, body, If_Match=tag), 412)
    assert said["code"] == "conflict"
    assert (said["newest"]["revision"], said["newest"]["author"]) == (2, "team-admin")
    if "1" in tag:
        assert said["changes"] == [{"field": "replicas", "before": 1, "after": 5}]
    assert rows() == before


@pytest.mark.parametrize("key", ["", "two words", "k" * 201])
def test_what_is_no_idempotency_key_is_a_bad_request(team: Team, key: str) -> None:
    before = rows()
    problem(team.operator.post("/deployments", wish(team.project), Idempotency_Key=key), 400)
    assert rows() == before


@pytest.mark.parametrize("tag", ["1", "", "{}", '"1', '"1" "2"', '*, "1"'])
def test_what_is_no_entity_tag_is_a_bad_request(team: Team, tag: str) -> None:
    before = rows()
    problem(team.operator("DELETE", team.path, None, If_Match=tag), 400)
    assert rows() == before


@pytest.mark.parametrize("tag", ['"1"', "*", '"7", "1"', '"1-leave"', 'W/"1"'])
def test_a_tag_of_the_newest_revision_lets_a_change_through(team: Team, tag: str) -> None:
    assert team.operator("PATCH", team.path, {"spec": {"replicas": 2}}, If_Match=tag).status_code == 202


def test_a_change_that_changes_nothing_makes_no_revision_and_says_so(team: Team) -> None:
    before = rows()
    answer = team.operator("PATCH", team.path, {"spec": {"replicas": 1}}, If_Match='"1"')
    assert problem(answer, 409)["code"] == "unchanged"
    assert rows() == before


def test_a_patch_is_judged_by_the_spec(team: Team) -> None:
    before = rows()
    answer = team.operator("PATCH", team.path, {"spec": {"replicas": -1, "nose": 1}}, If_Match='"1"')
    problem(answer, 400)
    assert sorted(pointers(answer)) == ["/spec/nose", "/spec/replicas"]
    assert rows() == before


def test_a_put_with_a_key_acts_once(team: Team) -> None:
    body = {"spec": {"llm": "Qwen/Qwen3-8B", "replicas": 2}}
    first = team.operator("PUT", team.path, body, If_Match='"1"', Idempotency_Key="k")
    again = team.operator("PUT", team.path, body, If_Match='"1"', Idempotency_Key="k")
    assert (again.status_code, again["Location"]) == (202, first["Location"])
    assert Revision.objects.filter(deployment=team.deployment).count() == 2


# ---- delete


def test_delete_asks_for_removal_and_leaves_the_row_to_the_worker(team: Team) -> None:
    answer = team.operator("DELETE", team.path, If_Match='"1"')
    assert answer.status_code == 202
    assert answer.json()["deleted_at"]
    assert answer["Location"] == f"/api/v1{team.path}"
    assert team.viewer.get(team.path).json()["deleted_at"]
    said = problem(team.operator.post(f"{team.path}/stop"), 409)
    assert said["code"] == "deleting"


def test_a_delete_may_say_why(team: Team) -> None:
    assert team.operator("DELETE", team.path, {"reason": "too dear"}, If_Match='"1"').status_code == 202
    assert AuditEntry.objects.get(action="delete").detail["reason"] == "too dear"


def test_a_second_delete_changes_nothing(team: Team) -> None:
    team.operator("DELETE", team.path, If_Match='"1"')
    before = rows()
    assert team.operator("DELETE", team.path, If_Match='"1"').status_code == 202
    assert rows() == before


def test_what_is_gone_is_not_found(team: Team) -> None:
    Deployment.objects.filter(pk=team.deployment.pk).update(gone_at=timezone.now(), deleted_at=timezone.now())
    problem(team.operator.get(team.path), 404)
    assert team.operator.get("/deployments").json()["count"] == 0


# ---- who


def test_anonymous_callers_are_told_to_sign_in(team: Team) -> None:
    answer = Caller(None).get("/deployments")
    problem(answer, 401)
    assert answer["WWW-Authenticate"] == 'Bearer realm="llmdash"'


def test_somebody_who_was_deactivated_is_anonymous(team: Team) -> None:
    assert team.viewer.person
    team.viewer.person.is_active = False
    team.viewer.person.save()
    problem(team.viewer.get("/deployments"), 401)


def test_an_unsafe_call_of_a_browser_needs_its_token(team: Team) -> None:
    from django.test import Client

    caller = Caller(team.operator.person, Client(enforce_csrf_checks=True))
    before = rows()
    problem(caller.post(f"{team.path}/stop"), 403)
    assert rows() == before
    assert json.loads(caller.get(team.path).content)["revision"] == 1
