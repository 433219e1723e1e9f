"""Two people at once: whoever comes second sees what the first did before anything is done on top of it."""

from typing import Any

import pytest

from deployments import services
from deployments.choices import Action
from deployments.models import Deployment, Revision
from tests.deployments.views.people import Fields, Team, beside, filled, rows, text, typed

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
    assert "gpus from 1 to 4" in said
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


# ---- the edit form: what each of the two changed


def mine_and_theirs(team: Team, row: Deployment, mine: Fields, theirs: Fields) -> Any:
    """My answer after somebody else saved theirs while I was typing."""
    form = filled(team.operator.get(url(row, "edit"))) | mine
    assert team.admin.send(url(row, "edit"), **theirs).status_code == 302
    answer = team.operator.post(url(row, "edit"), form)
    assert answer.status_code == 409
    return answer


def saved_again(team: Team, row: Deployment, answer: Any) -> Any:
    """The spec after the page was sent once more, untouched."""
    again = {name: typed(answer, name) for name in filled(answer) if name != "service_type"}
    assert team.operator.post(url(row, "edit"), again | {"service_type": "ClusterIP"}).status_code == 302
    return newest(row).spec


def test_a_field_that_i_did_not_touch_keeps_the_others_value(team: Team) -> None:
    row = team.make(replicas=1, args=["--x"], files=[{"path": "/a", "content": "no end"}])
    theirs = {"gpus": "4", "args": "--theirs", "image": "a/b:1", "port": "9000", "node_selector": "zone=a"}
    answer = mine_and_theirs(team, row, {"replicas": "5", "env": "MINE=1"}, theirs)
    assert "Both of you changed" not in text(answer)
    spec = saved_again(team, row, answer)
    assert (spec.replicas, [var.name for var in spec.env]) == (5, ["MINE"])
    assert (spec.gpus, spec.args, spec.image, spec.port) == (4, ["--theirs"], "a/b:1", 9000)
    assert (spec.node_selector, spec.files[0].content) == ({"zone": "a"}, "no end")


def test_a_field_that_both_changed_is_named_and_mine_stands(team: Team) -> None:
    row = team.make(replicas=1)
    mine = {"replicas": "5", "gpu_type": "H100", "context_length": "4096"}
    answer = mine_and_theirs(team, row, mine, {"replicas": "3", "gpu_type": "H100", "port": "9000"})
    assert "Both of you changed Replicas : your text stands in the form" in text(answer)
    spec = saved_again(team, row, answer)
    assert (spec.replicas, spec.gpu_type, spec.context_length, spec.port) == (5, "H100", 4096, 9000)


def test_a_field_that_i_emptied_stays_empty_and_one_that_they_emptied_too(team: Team) -> None:
    row = team.make(args=["--x"], context_length=4096)
    spec = saved_again(team, row, mine_and_theirs(team, row, {"args": ""}, {"context_length": ""}))
    assert (spec.args, spec.context_length) == ([], None)


def test_secrets_of_both_are_kept_and_one_that_both_typed_is_named(team: Team) -> None:
    row = team.make()
    assert team.operator.send(url(row, "edit"), secret_env="A=1\nB=1").status_code == 302
    first = {var.name: var.secret for var in newest(row).spec.env}
    answer = mine_and_theirs(team, row, {"replicas": "2"}, {"secret_env": "A=2\nB"})
    assert typed(answer, "secret_env") == "A\nB"
    spec = saved_again(team, row, answer)
    now = {var.name: var.secret for var in spec.env}
    assert now["A"] not in (None, first["A"])
    assert now["B"] == first["B"]
    answer = mine_and_theirs(team, row, {"secret_env": "A=mine\nB"}, {"secret_env": "A=theirs\nB"})
    assert "Both of you changed Secret environment" in text(answer)
    assert "mine" not in typed(answer, "secret_env")


def test_what_the_form_does_not_show_is_kept_from_the_other(team: Team) -> None:
    row = team.make(replicas=1)
    form = filled(team.operator.get(url(row, "edit"))) | {"gpus": "2"}
    services.stop(deployment=row, by=team.admin.user)
    answer = team.operator.post(url(row, "edit"), form)
    assert "running from yes to no" in text(answer)
    spec = saved_again(team, row, answer)
    assert (spec.running, spec.gpus) == (False, 2)


def test_mistakes_and_the_others_change_are_told_in_one_round(team: Team) -> None:
    row = team.make(replicas=1)
    answer = mine_and_theirs(team, row, {"replicas": "x", "cpu_request": "2"}, {"cpu_limit": "1", "gpus": "3"})
    assert beside(answer, "replicas") == "Must be a whole number."
    assert beside(answer, "cpu_request") == "Is more than the limit of 1."
    assert typed(answer, "gpus") == "3"
    assert newest(row).number == 2


def test_an_edit_with_a_secret_that_is_sent_twice_is_no_conflict_with_itself(team: Team) -> None:
    row = team.make(replicas=2)
    form = filled(team.operator.get(url(row, "edit"))) | {"secret_env": "T=1", "args": "--x"}
    assert [team.operator.post(url(row, "edit"), form).status_code for _ in range(3)] == [302] * 3
    assert newest(row).number == 2
