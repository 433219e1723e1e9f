"""One deployment: whether it serves; if not, why, and what to do."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments import advice, services
from deployments.choices import Health, Outcome, Problem
from deployments.models import AppliedObject, ClusterStatus, Deployment, Revision, ServedRevision
from tests.deployments.views.people import Person, Team, heard, team, text

MOST_QUERIES = 16
POD: dict[str, Any] = {
    "name": "qwen-7d9f8b6c54-x2k9p", "uid": "u", "node": "gpu-1", "stage": "ready", "ready": True, "ended": False,
    "restarts": 0, "reason": "", "message": "", "ip": "10.0.0.9", "gpus": 1, "current": True,
    "created_at": "2026-07-01T10:00:00+00:00",
    "stages": [{"stage": stage, "at": "2026-07-01T10:01:00+00:00"}
               for stage in ("scheduled", "pulling", "loading", "ready")],
}  # fmt: skip
XSS = "<script>alert(1)</script>"


def path(row: Deployment) -> str:
    return f"/deployments/{row.pk}/"


def page(person: Person, row: Deployment) -> str:
    answer = person.get(path(row))
    assert answer.status_code == 200
    return text(answer)


def applied(row: Deployment, **fields: Any) -> Deployment:
    """As the worker leaves it."""
    Deployment.objects.filter(pk=row.pk).update(**{"applied": 1} | fields)
    row.refresh_from_db()
    return row


# ---- how it is


@pytest.mark.parametrize("health", [health for health in Health if health != Health.UNKNOWN])
def test_each_health_has_its_word_its_sentence_and_its_age(team: Team, health: Health) -> None:
    row = applied(team.make())
    team.seen(row, health, sentence="A sentence of its own.", ready=1, wanted=2)
    said = page(team.viewer, row)
    step = advice.BY_HEALTH.get(health, "")
    assert " ".join(f"{health.label} A sentence of its own. {step} cluster checked".split()) in said
    assert said.startswith(f"qwen: {health.label} · llmdash"), "the page's title"


def test_a_deployment_that_nobody_has_seen_yet_is_unknown_and_says_so(team: Team) -> None:
    row = team.make()
    said = page(team.viewer, row)
    assert "Unknown Saved; not seen in the cluster yet." in said
    assert "Revision 1 is being applied" in said
    assert "No pods yet" in said
    assert "None in the last hour." in said


def test_a_cluster_that_was_never_reached_is_told_with_its_reason(team: Team) -> None:
    row = team.make()
    ClusterStatus.objects.update(seen_at=None, connection="certificate", message="The certificate has expired.")
    assert "Cluster of-team has not been reached yet: The certificate has expired." in page(team.viewer, row)
    ClusterStatus.objects.all().delete()
    assert "Cluster of-team has not been reached yet." in page(team.viewer, row)


def test_an_old_status_is_never_shown_as_healthy(team: Team) -> None:
    row = applied(team.make())
    team.seen(row, sentence="Serving on 1 replica.", pods=[POD], ready=1, wanted=1)
    heard(team.project, seconds_ago=46, message="The API server refuses connections.")
    said = page(team.viewer, row)
    assert "Unknown Cluster of-team is not heard of: The API server refuses connections. Look at its cluster" in said
    assert "cluster last heard" in said
    assert "Serving on" not in said
    assert "last known: 1 of 1 ready" in said
    assert POD["name"] in said
    assert "Rollout of the newest pods" not in said
    heard(team.project, seconds_ago=40)
    assert "Serving on 1 replica." in page(team.viewer, row)


def test_the_rollout_shows_each_stage_with_counts(team: Team) -> None:
    row = applied(team.make(replicas=2))
    loading = POD | {"stage": "loading", "ready": False, "stages": [*POD["stages"][:3], {"stage": "ready", "at": None}]}
    team.seen(row, Health.DEGRADED, pods=[POD, loading], ready=1, wanted=2)
    context = team.viewer.get(path(row)).context
    told = [(step["stage"].value, step["count"], step["state"]) for step in context["stages"]]
    assert told == [("scheduled", 2, "done"), ("pulling", 2, "done"), ("loading", 2, "active"), ("ready", 1, "todo")]


def test_a_pod_that_fails_says_why_beside_it(team: Team) -> None:
    row = applied(team.make())
    message = 'Back-off pulling image "vllm/vllm-openai:typo"'
    failed = POD | {"stage": "failed", "ready": False, "reason": "ImagePullBackOff", "message": message, "restarts": 3}
    team.seen(row, Health.FAILING, pods=[failed], sentence="The replica fails: the image cannot be pulled.", wanted=1)
    said = page(team.viewer, row)
    assert f"ImagePullBackOff : {message}" in said
    assert "The replica fails: the image cannot be pulled." in said


def test_events_are_told_with_kind_count_and_message(team: Team) -> None:
    row = applied(team.make())
    event = {"at": "2026-07-01T10:00:00+00:00", "type": "Warning", "reason": "FailedScheduling", "message": "0/4 nodes",
             "object": "Pod/qwen-1", "count": 7}  # fmt: skip
    team.seen(row, events=[event, event | {"at": None}])
    assert "Warning: FailedScheduling ×7 Pod/qwen-1" in page(team.viewer, row)


def test_drift_is_told_by_object_field_values_and_rival(team: Team) -> None:
    row = applied(team.make())
    drift = {"object": "Deployment/qwen", "field": "spec.replicas", "wanted": 1, "live": 7, "rival": "kubectl-edit"}
    team.seen(row, drift=[drift, drift | {"rival": ""}])
    said = page(team.viewer, row)
    assert "The cluster differs from revision 1 in 2 places." in said
    assert "Deployment/qwen spec.replicas 1 7 kubectl-edit" in said
    assert "Deployment/qwen spec.replicas 1 7 unknown" in said


# ---- why it is not applied


@pytest.mark.parametrize(
    ("problem", "label", "step"),
    [
        (
            Problem.WAIT,
            "Waits for an edit",
            "Edit the deployment, or have the cluster's admin lift what stands in the way",
        ),
        (Problem.BACK_OFF, "Trying again", "Nothing to do: it is tried again by itself."),
        (
            Problem.CLUSTER,
            "Cluster refuses us",
            "A platform admin has to mend the cluster's credentials, certificate or address.",
        ),
        (Problem.CONTESTED, "Contested", "Find out who changes it, then take over, or set the drift policy to leave."),
        (Problem.POISON, "Parked", "Edit the deployment to try again, and look at the workers' log."),
    ],
)
def test_every_problem_says_what_happened_and_what_to_do(team: Team, problem: Problem, label: str, step: str) -> None:
    row = team.make()
    error = {"message": "quota exceeded: gpus", "objects_done": 2, "objects_total": 5}
    later = timezone.now() + timedelta(hours=1)
    applied(row, applied=0, problem=problem, last_error=error, next_attempt_at=later)
    said = page(team.operator, row)
    assert f"{label} quota exceeded: gpus 2 of 5 objects are applied." in said
    assert f"Next: {step}" in said
    assert "Next try by itself:" in said
    assert ("Take over" in said) == (problem == Problem.CONTESTED)


def test_a_viewer_reads_who_may_take_over(team: Team) -> None:
    row = applied(team.make(), problem=Problem.CONTESTED, last_error={"message": "rival keeps changing it."})
    assert "An operator of the project can take over." in page(team.viewer, row)


def test_a_problem_without_a_message_breaks_nothing(team: Team) -> None:
    row = applied(team.make(), problem=Problem.WAIT, last_error={})
    assert "Waits for an edit" in page(team.viewer, row)


# ---- deleted


def test_what_is_being_deleted_lists_what_is_left_and_offers_no_act(team: Team) -> None:
    row = team.make()
    inventory(row)
    services.delete(deployment=row, by=team.admin.user)
    said = page(team.admin, row)
    assert "Being deleted; 2 objects left in the cluster. Deployment qwen Service qwen" in said
    assert "Being deleted: no action is left." in said
    body = team.admin.get(path(row)).content.decode()
    assert all(f"{path(row)}{act}/" not in body for act in ("stop", "scale", "edit", "delete", "restart"))


def test_a_deletion_that_is_refused_says_why_and_who_can_help(team: Team) -> None:
    row = team.make()
    inventory(row)
    services.delete(deployment=row, by=team.admin.user)
    applied(row, problem=Problem.WAIT, last_error={"message": "hook denies it."}, deletion_started_at=timezone.now())
    team.seen(row, Health.FAILING, sentence="Being deleted: 2 objects left. It is refused: hook denies it.")
    said = page(team.admin, row)
    assert "Failing Being deleted; 2 objects left in the cluster." in said
    assert "Not removed hook denies it. Next: Have the cluster's admin lift what stands in the way" in said
    assert all(words not in said for words in ("Waits for an edit", "This goes on by itself", "Edit the deployment"))


def test_what_hindered_a_revision_does_not_hinder_a_deletion_that_has_not_begun(team: Team) -> None:
    row = team.make()
    inventory(row)
    services.delete(deployment=row, by=team.admin.user)
    applied(row, problem=Problem.WAIT, last_error={"message": "quota exceeded."})
    said = page(team.admin, row)
    assert "Not removed" not in said
    assert "quota exceeded." not in said


def test_what_is_gone_is_not_found(team: Team) -> None:
    row = applied(team.make(), deleted_at=timezone.now(), gone_at=timezone.now())
    assert team.admin.get(path(row)).status_code == 404


def inventory(row: Deployment) -> None:
    for kind in ("Deployment", "Service"):
        AppliedObject.objects.create(
            deployment=row, api_version="v1", kind=kind, namespace="team", name="qwen", uid=kind, resource_version="1",
            revision=1, applied_at=timezone.now(),
        )  # fmt: skip


# ---- what others wrote


def test_nothing_that_a_cluster_says_is_taken_for_markup(team: Team) -> None:
    row = applied(team.make(env=[{"name": "A", "value": XSS}]), problem=Problem.WAIT, last_error={"message": XSS})
    event = {"at": None, "type": XSS, "reason": XSS, "message": XSS, "object": XSS, "count": 1}
    drift = {"object": XSS, "field": XSS, "wanted": XSS, "live": {"a": XSS}, "rival": XSS}
    endpoint = {"external": XSS, "cluster_ip": XSS, "ports": []}
    pod = POD | {"reason": XSS, "message": XSS, "node": XSS}
    team.seen(row, sentence=XSS, pods=[pod], events=[event], drift=[drift], endpoint=endpoint)
    heard(team.project, message=XSS)
    for person in (team.viewer, team.operator):
        body = person.get(path(row)).content.decode()
        assert XSS not in body
        assert "&lt;script&gt;alert(1)" in body


def test_a_pod_with_a_name_of_its_own_kind_takes_no_page_down(team: Team) -> None:
    row = applied(team.make())
    team.seen(row, pods=[POD, POD | {"name": "a.stranger"}])
    said = page(team.viewer, row)
    assert "a.stranger" in said
    assert POD["name"] in said


def test_a_secret_that_is_in_force_is_named_and_never_shown(team: Team) -> None:
    value = "hush-canary-77"
    secret = services.store_secret(project=team.project, name="HF_TOKEN", value=value, by=team.admin.user)
    row = team.make(env=[{"name": "HF_TOKEN", "secret": str(secret.pk)}])
    for person in (team.viewer, team.operator, team.admin):
        for part in ("", "revisions/1/", "edit/"):
            assert value not in person.get(path(row) + part).content.decode()
    assert "HF_TOKEN (secret HF_TOKEN, version 1)" in page(team.viewer, row)
    services.store_secret(project=team.project, name="HF_TOKEN", value=value, by=team.admin.user)
    assert "HF_TOKEN (secret HF_TOKEN, version 1, newest is 2)" in page(team.viewer, row)


# ---- parts


def test_a_live_update_is_the_part_of_the_page_that_lives(team: Team) -> None:
    row = applied(team.make())
    team.seen(row, sentence="Serving on 1 replica.")
    part = team.viewer.get(path(row), HX_Request="true").content.decode()
    assert "Serving on 1 replica." in part
    assert "<html" not in part


def test_the_revision_that_served_last_is_offered_where_the_newest_does_not_serve(team: Team) -> None:
    row = team.make()
    team.operator.send(f"/deployments/{row.pk}/scale/", replicas="3")
    ServedRevision.objects.create(deployment=row, number=1)
    team.seen(row, Health.SERVING)
    assert "1 served last" not in page(team.operator, row)
    team.seen(row, Health.FAILING)
    said = page(team.operator, row)
    assert "1 served last: roll back to 1" in said
    assert said.count("has served") == 1
    assert "roll back to 1" not in page(team.viewer, row)


def test_a_revision_shows_what_it_changed(team: Team) -> None:
    row = team.make(replicas=1)
    services.scale(deployment=row, replicas=4, by=team.operator.user, reason="Traffic")
    Revision.objects.filter(number=2).update(outcome=Outcome.REFUSED)
    said = text(team.viewer.get(f"{path(row)}revisions/2/"))
    assert "Changed since revision 1" in said
    assert "replicas 1 4" in said
    assert "“Traffic”" in said
    assert "Refused" in said
    assert "The first revision" in text(team.viewer.get(f"{path(row)}revisions/1/"))


@pytest.mark.parametrize("number", ["0", "3", "99999999999999999999", "4294967296"])
def test_a_revision_that_is_not_there_is_not_found(team: Team, number: str) -> None:
    row = team.make()
    assert team.viewer.get(f"{path(row)}revisions/{number}/").status_code == 404
    assert team.operator.get(f"{path(row)}revisions/{number}/roll-back/").status_code == 404


@pytest.mark.parametrize("query", ["?page=2", "?page=-1", "?page=abc", "?page=%00", "?page=" + "9" * 5000])
def test_no_query_breaks_the_page(team: Team, query: str) -> None:
    row = team.make()
    for replicas in range(2, 14):
        services.scale(deployment=row, replicas=replicas, by=team.operator.user)
    assert team.viewer.get(path(row) + query).status_code == 200


def test_the_page_costs_the_same_for_one_revision_and_for_many(team: Team) -> None:
    row = applied(team.make())
    team.seen(row, pods=[POD])
    few = queries(team.viewer, row)
    for replicas in range(2, 30):
        services.scale(deployment=row, replicas=replicas, by=team.operator.user)
    inventory(row)
    team.seen(row, pods=[POD | {"name": f"qwen-{n}"} for n in range(50)])
    assert queries(team.viewer, row) <= min(MOST_QUERIES, few + 1), "one more asks for the revision before the page"


def queries(person: Person, row: Deployment) -> int:
    with CaptureQueriesContext(connection) as caught:
        person.get(path(row))
    return len(caught)


def test_strangers_find_nothing(team: Team) -> None:
    row = team.make()
    stranger = others().admin
    for part in ("", "edit/", "scale/", "stop/", "delete/", "revisions/1/", "pods/x/logs/", "charts/"):
        answer = stranger.get(path(row) + part)
        assert answer.status_code == 404, part
        assert "qwen" not in text(answer)


def others() -> Team:
    return team("others")


def test_a_stage_that_is_done_tells_when_it_ended(team: Team) -> None:
    times = {"scheduled": "10:00:00", "pulling": "10:00:01", "loading": "10:00:30", "ready": "10:01:00"}
    stages = [{"stage": stage, "at": f"2026-05-01T{at}+00:00"} for stage, at in times.items()]
    row = applied(team.make())
    team.seen(row, pods=[POD | {"stages": stages}], ready=1, wanted=1)
    found = {step["stage"].value: step["at"] for step in team.viewer.get(path(row)).context["stages"]}
    assert [found[stage][11:19] for stage in times] == ["10:00:00", "10:00:30", "10:01:00", "10:01:00"]


def test_the_calls_name_the_llm_that_serves(team: Team) -> None:
    row = applied(team.make(llm="Qwen/Qwen3-8B"))
    AppliedObject.objects.create(
        deployment=row, api_version="v1", kind="Service", namespace="team", name="qwen", uid="u", revision=1,
        resource_version="1", applied_at=timezone.now(),
    )  # fmt: skip
    ServedRevision.objects.create(deployment=row, number=1)
    assert team.operator.send(f"{path(row)}edit/", llm="Qwen/Qwen3-32B").status_code == 302
    old = POD | {"current": False, "ready": True}
    team.seen(row, Health.DEGRADED, pods=[old], endpoint={"external": ""})
    said = page(team.operator, row)
    assert "Only pods of revision 1 serve now" in said
    assert '"model": "Qwen/Qwen3-8B"' in said
    team.seen(row, Health.DEGRADED, pods=[old, old | {"current": True}], endpoint={"external": ""})
    assert '"model": "Qwen/Qwen3-32B"' in page(team.operator, row)
