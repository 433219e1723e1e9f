"""The acts: each is a page that asks and a POST that acts, with no script; and only for those who may."""

import re
from typing import Any

import pytest
from django.apps import apps

from deployments import services
from deployments.choices import Action
from deployments.models import AppliedObject, AuditEntry, Deployment, Revision
from tests.deployments.views.people import Person, Team, beside, filled, rows, team, text

ACTS = ["stop", "start", "restart", "scale", "take-over", "drift-policy", "delete", "revisions/1/roll-back", "edit"]


def url(row: Deployment, act: str) -> str:
    return f"/deployments/{row.pk}/{act}/"


def newest(row: Deployment) -> Revision:
    return Revision.objects.filter(deployment=row).latest("number")


def audited(row: Deployment) -> list[str]:
    return list(AuditEntry.objects.filter(target_id=str(row.pk)).order_by("id").values_list("action", flat=True))


def goes(person: Person, row: Deployment, act: str, **fields: str) -> None:
    """The act is done and leads back to the deployment."""
    answer = person.post(url(row, act), fields)
    assert answer.status_code == 302, text(answer)
    assert answer["Location"] == f"/deployments/{row.pk}/"
    row.refresh_from_db()


@pytest.mark.parametrize("act", ACTS)
def test_asking_for_an_act_changes_nothing(team: Team, act: str) -> None:
    row = team.make()
    before = rows()
    for method in ("get", "head", "options"):
        answer = getattr(team.operator.client, method)(url(row, act))
        assert answer.status_code == 200
    assert rows() == before
    page = team.operator.get(url(row, act)).content.decode()
    assert re.search(r'<form[^>]*method="post"', page)
    assert "csrfmiddlewaretoken" in page


def test_stop_takes_the_replicas_away_and_start_brings_them_back(team: Team) -> None:
    row = team.make(replicas=3)
    goes(team.operator, row, "stop", reason="At night")
    spec = newest(row).spec
    assert (spec.running, spec.replicas, spec.wanted) == (False, 3, 0)
    assert (newest(row).reason, newest(row).action) == ("At night", Action.STOP)
    goes(team.operator, row, "start")
    assert newest(row).spec.wanted == 3
    assert audited(row) == ["create", "stop", "start"]


def test_an_act_that_is_posted_without_any_field_is_done(team: Team) -> None:
    row = team.make()
    answer = team.operator.raw(url(row, "stop"), b"")
    assert answer.status_code == 302
    assert not newest(row).spec.running
    goes(team.operator, row, "take-over")
    assert audited(row) == ["create", "stop", "take over"]


def test_restart_is_a_revision_that_says_when(team: Team) -> None:
    row = team.make()
    goes(team.operator, row, "restart")
    assert newest(row).spec.restarted_at is not None
    assert newest(row).action == Action.RESTART


def test_scaling_changes_the_number_only(team: Team) -> None:
    row = team.make(replicas=1, env=[{"name": "A", "value": "1"}])
    before = newest(row).spec
    goes(team.operator, row, "scale", replicas="5", reason="Traffic")
    assert newest(row).spec == before.model_copy(update={"replicas": 5})
    assert newest(row).reason == "Traffic"


@pytest.mark.parametrize("number", ["", "-1", "two", "1.5", "201", "100001", "9" * 30, "9" * 5000, "\x00"])
def test_an_absurd_number_of_replicas_is_told_beside_it(team: Team, number: str) -> None:
    row = team.make()
    before = rows()
    answer = team.operator.post(url(row, "scale"), {"replicas": number, "reason": "why"})
    assert beside(answer, "replicas")
    assert 'value="why"' in answer.content.decode()
    assert rows() == before


@pytest.mark.parametrize("act", ["stop", "scale", "restart"])
def test_a_reason_that_is_too_long_is_told_beside_it(team: Team, act: str) -> None:
    row = team.make()
    answer = team.operator.post(url(row, act), {"replicas": "2", "reason": "x" * 501})
    assert "at most 500 characters" in beside(answer, "reason")
    assert newest(row).number == 1


@pytest.mark.parametrize(("act", "fields"), [("stop", {}), ("scale", {"replicas": "4"}), ("restart", {})])
def test_an_act_that_is_sent_twice_is_done_once(team: Team, act: str, fields: dict[str, str]) -> None:
    row = team.make()
    form = filled(team.operator.get(url(row, act))) | fields
    assert form["idempotency_key"]
    for _ in range(3):
        goes(team.operator, row, act, **form)
    assert (newest(row).number, len(audited(row))) == (2, 2)


def test_an_act_that_changes_nothing_makes_nothing_and_says_so(team: Team) -> None:
    row = team.make(replicas=2)
    goes(team.operator, row, "scale", replicas="2")
    goes(team.operator, row, "start")
    assert newest(row).number == 1
    assert "This changes nothing, so no revision was made." in text(team.operator.get(f"/deployments/{row.pk}/"))


def test_rolling_back_makes_the_earlier_settings_the_newest(team: Team) -> None:
    row = team.make(replicas=1)
    services.scale(deployment=row, replicas=9, by=team.admin.user)
    assert "The settings of revision 1 become revision 3." in text(team.operator.get(url(row, "revisions/1/roll-back")))
    goes(team.operator, row, "revisions/1/roll-back")
    assert (newest(row).number, newest(row).spec.replicas, newest(row).reason) == (3, 1, "Back to revision 1")


def test_the_drift_policy_is_chosen(team: Team) -> None:
    row = team.make()
    goes(team.operator, row, "drift-policy", policy="leave")
    assert row.drift_policy == "leave"
    answer = team.operator.post(url(row, "drift-policy"), {"policy": "fight"})
    assert "Select a valid choice." in beside(answer, "policy")


def test_deleting_lists_what_goes_and_asks_for_the_name(team: Team) -> None:
    row = team.make()
    for kind, ours in (("Deployment", True), ("Service", False)):
        AppliedObject.objects.create(
            deployment=row, api_version="v1", kind=kind, namespace="team", name="qwen", uid=kind, resource_version="1",
            revision=1, applied_at=row.created_at, created_by_us=ours,
        )  # fmt: skip
    said = text(team.operator.get(url(row, "delete")))
    assert (
        "Goes from namespace team of of-team : Deployment qwen Service qwen (stays: llmdash did not create it)" in said
    )
    for name in ("", "QWEN", "qwen ", "other"):
        answer = team.operator.post(url(row, "delete"), {"confirm": name.strip() + "x" if name == "qwen " else name})
        assert beside(answer, "confirm")
        row.refresh_from_db()
        assert row.deleted_at is None
    goes(team.operator, row, "delete", confirm="qwen", reason="too dear")
    assert row.deleted_at is not None
    assert AuditEntry.objects.get(action="delete").detail["reason"] == "too dear"
    goes(team.operator, row, "delete", confirm="qwen")
    assert audited(row) == ["create", "delete"]


@pytest.mark.parametrize(
    "act", ["stop", "start", "restart", "scale", "take-over", "drift-policy", "revisions/1/roll-back"]
)
def test_what_is_being_deleted_takes_no_act_and_says_why(team: Team, act: str) -> None:
    row = team.make()
    services.delete(deployment=row, by=team.admin.user)
    before = rows()
    answer = team.operator.post(url(row, act), {"replicas": "2", "policy": "leave"})
    assert answer.status_code == 422
    assert "This deployment is being deleted." in text(answer)
    assert rows() == before


# ---- who may


@pytest.mark.parametrize("act", ACTS)
def test_a_viewer_may_not_act_and_reads_why(team: Team, act: str) -> None:
    row = team.make()
    before = rows()
    fields = {"replicas": "5", "confirm": "qwen", "policy": "leave", "if_revision": "1"}
    for answer in (team.viewer.post(url(row, act), fields), team.viewer.get(url(row, act))):
        assert answer.status_code == 403
        assert "You are viewer in project team; operators may do this." in text(answer)
    assert rows() == before
    row.refresh_from_db()
    assert (row.desired, row.deleted_at, row.drift_policy, row.taken_over_at) == (1, None, "heal", None)


def test_a_viewer_sees_the_buttons_disabled_with_the_reason(team: Team) -> None:
    row = team.make()
    page = team.viewer.get(f"/deployments/{row.pk}/").content.decode()
    assert '<span class="reason" id="role-reason">You are viewer in project team; operators may do this.</span>' in page
    buttons = re.findall(r"<button[^>]*\bdisabled\b[^>]*>", page)
    assert [re.search(r'aria-describedby="role-reason"', button) is not None for button in buttons] == [True] * 3
    assert not any(f"/deployments/{row.pk}/{act}/" in page for act in ACTS)
    listed = team.viewer.get("/deployments/").content.decode()
    assert re.search(r'<button[^>]*disabled[^>]*aria-describedby="why-not"', listed)
    assert team.viewer.get("/deployments/new/").status_code == 403
    assert team.viewer.post("/deployments/new/", {"name": "x"}).status_code == 403


@pytest.mark.parametrize("act", ACTS)
def test_a_stranger_finds_nothing_to_act_on(team: Team, act: str) -> None:
    row = team.make()
    stranger = others()
    before = rows()
    for answer in (stranger.get(url(row, act)), stranger.post(url(row, act), {"replicas": "2", "confirm": "qwen"})):
        assert answer.status_code == 404
        assert "qwen" not in text(answer)
    assert rows() == before


def others() -> Person:
    return team("others").admin


@pytest.mark.parametrize("act", ACTS)
def test_no_act_is_done_without_the_forms_token(team: Team, act: str) -> None:
    row = team.make()
    before = rows()
    team.operator.client.handler.enforce_csrf_checks = True
    answer: Any = team.operator.post(url(row, act), {"replicas": "5", "confirm": "qwen", "policy": "leave"})
    assert answer.status_code == 403
    assert "The form had expired or came from another site." in text(answer)
    assert rows() == before


@pytest.mark.parametrize("act", ["stop", "scale"])
def test_with_the_forms_token_it_is_done_as_by_a_browser_without_script(team: Team, act: str) -> None:
    row = team.make()
    team.operator.client.handler.enforce_csrf_checks = True
    page = team.operator.get(url(row, act))
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert token
    goes(team.operator, row, act, **filled(page) | {"csrfmiddlewaretoken": token[1], "replicas": "7"})
    assert newest(row).number == 2


# ---- what no form of ours sends


@pytest.mark.parametrize("act", ACTS)
def test_fields_that_nobody_knows_are_stored_nowhere(team: Team, act: str) -> None:
    canary = "stray-canary-77"
    row = team.make(replicas=1)
    services.scale(deployment=row, replicas=3, by=team.admin.user)
    services.stop(deployment=row, by=team.admin.user) if act == "start" else None
    form = filled(team.operator.get(url(row, act)))
    typed = {"replicas": "2", "confirm": "qwen", "policy": "leave"}
    form |= {name: value for name, value in typed.items() if name in form}
    stray = dict.fromkeys(("nobody", "author", "spec", "outcome", "applied", "by", "number", "action"), canary)
    assert team.operator.post(url(row, act), form | stray).status_code == 302
    for kind in apps.get_models():
        assert canary not in str(list(kind._default_manager.values())), kind
