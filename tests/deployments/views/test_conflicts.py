"""Two people at once: whoever comes second sees what the first did before anything is done on top of it."""

from typing import Any

import pytest

from deployments import services
from deployments.choices import Action
from deployments.models import Deployment, Revision
from tests.deployments.views.people import Fields, Team, filled, rows, text, typed

# Every act that makes a revision or ends them, and what is typed into its form.
GUARDED: dict[str, Fields] = {
    "stop": {"reason": "At night"},
    "restart": {"reason": "Stuck"},
    "scale": {"replicas": "5", "reason": "Traffic"},
    "revisions/1/roll-back": {"reason": "It was better"},
    "delete": {"confirm": "qwen"},
    "edit": {"replicas": "5", "reason": "Traffic"},
}
UNGUARDED: dict[str, Fields] = {"take-over": {}, "drift-policy": {"policy": "leave"}}


def url(row: Deployment, act: str) -> str:
    return f"/deployments/{row.pk}/{act}/"


def newest(row: Deployment) -> Revision:
    return Revision.objects.filter(deployment=row).latest("number")


def others_turn(team: Team, row: Deployment) -> None:
    """Somebody else makes a revision."""
    fields = {"gpus": 4, "args": ["--theirs"]}
    services.change(deployment=row, action=Action.REVISE, by=team.admin.user, fields=fields)


@pytest.mark.parametrize(("act", "fields"), GUARDED.items())
def test_whoever_comes_second_sees_what_the_first_changed_and_acts_knowingly(
    team: Team, act: str, fields: Fields
) -> None:
    row = team.make(replicas=2)
    services.scale(deployment=row, replicas=3, by=team.operator.user)
    form = filled(team.operator.get(url(row, act))) | fields
    assert form["if_revision"] == "2"
    others_turn(team, row)
    before = rows()
    answer = team.operator.post(url(row, act), form)
    assert answer.status_code == 409
    assert rows() == before
    row.refresh_from_db()
    assert row.deleted_at is None
    said = text(answer)
    assert "team-admin saved revision 3" in said
    assert "gpus 1 4" in said
    assert "--theirs" in said
    assert {name: typed(answer, name) for name in fields} == fields
    assert typed(answer, "if_revision") == "3"
    again = form | {name: typed(answer, name) for name in ("if_revision", *fields)}
    assert team.operator.post(url(row, act), again).status_code == 302
    row.refresh_from_db()
    assert row.desired == (3 if act == "delete" else 4)
    assert (row.deleted_at is not None) == (act == "delete")


def test_a_start_is_guarded_as_well(team: Team) -> None:
    row = team.make()
    services.stop(deployment=row, by=team.operator.user)
    form = filled(team.operator.get(url(row, "start")))
    others_turn(team, row)
    answer = team.operator.post(url(row, "start"), form)
    assert answer.status_code == 409
    assert "Press the button again to start all the same." in text(answer)
    assert team.operator.post(url(row, "start"), form | {"if_revision": "3"}).status_code == 302
    assert newest(row).spec.running


@pytest.mark.parametrize(("act", "fields"), UNGUARDED.items())
def test_what_does_not_depend_on_the_revision_is_done_whatever_was_revised(
    team: Team, act: str, fields: Fields
) -> None:
    row = team.make()
    form = filled(team.operator.get(url(row, act))) | fields
    others_turn(team, row)
    assert team.operator.post(url(row, act), form).status_code == 302
    row.refresh_from_db()
    assert (row.asked, row.desired) == (1, 2)


@pytest.mark.parametrize("act", GUARDED)
def test_a_third_change_is_told_after_the_second(team: Team, act: str) -> None:
    row = team.make(replicas=2)
    form: Any = filled(team.operator.get(url(row, act))) | GUARDED[act]
    for number in ("2", "3"):
        services.scale(deployment=row, replicas=int(number) + 10, by=team.admin.user)
        answer = team.operator.post(url(row, act), form)
        assert answer.status_code == 409
        form |= {"if_revision": typed(answer, "if_revision")}
        assert form["if_revision"] == number


@pytest.mark.parametrize("act", [act for act in GUARDED if act != "edit"])
@pytest.mark.parametrize("seen", ["abc", "0", "-1", "1.5", "9" * 5000])
def test_an_act_that_says_nonsense_about_what_it_saw_is_refused(team: Team, act: str, seen: str) -> None:
    row = team.make()
    before = rows()
    answer = team.operator.post(url(row, act), GUARDED[act] | {"if_revision": seen})
    assert answer.status_code == 422
    assert "This form has lost track of what it began with." in text(answer)
    assert rows() == before


@pytest.mark.parametrize("act", [act for act in GUARDED if act != "delete"])
def test_an_act_that_is_sent_twice_is_no_conflict_with_itself(team: Team, act: str) -> None:
    row = team.make(replicas=2)
    services.scale(deployment=row, replicas=3, by=team.admin.user)
    form = filled(team.operator.get(url(row, act))) | GUARDED[act]
    assert [team.operator.post(url(row, act), form).status_code for _ in range(3)] == [302] * 3
    assert newest(row).number == 3
