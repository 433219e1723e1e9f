"""The pages of projects and their members."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from deployments.choices import Health, Role
from deployments.models import Membership, Project
from tests import stage
from tests.deployments.views.people import Person, Team, beside, filled, heard, team, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db: None) -> Person:
    return Person(stage.user("boss", is_superuser=True))


@pytest.fixture
def other(db: None) -> Team:
    return team("other")


def page(made: Team) -> str:
    return f"/projects/{made.project.pk}/"


def test_the_list_shows_the_projects_of_the_person_with_what_they_hold(team: Team, other: Team) -> None:
    team.seen(team.make(), Health.SERVING, gpus=8)
    said = text(team.operator.get("/projects/"))
    assert "team Operator of-team , team 1 8 3" in said
    assert "other" not in said


def test_what_is_held_is_called_last_known_when_the_cluster_is_silent(team: Team) -> None:
    team.seen(team.make(), Health.SERVING, gpus=8)
    heard(team.project, seconds_ago=120)
    assert "last known 8" in text(team.operator.get("/projects/"))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["other", "team"]),
        ("?sort=-name", ["team", "other"]),
        ("?sort=-gpus", ["team", "other"]),
        ("?sort=nonsense", ["other", "team"]),
        ("?q=TEA", ["team"]),
        ("?q=of-other", ["other"]),
        ("?q=nothing", []),
    ],
)
def test_the_list_is_searched_and_sorted_by_its_address(
    team: Team, other: Team, boss: Person, query: str, names: list[str]
) -> None:
    team.seen(team.make(), Health.SERVING, gpus=8)
    assert [row.name for row in boss.get(f"/projects/{query}").context["page"]] == names


def test_the_number_of_queries_of_both_pages_is_fixed(team: Team, django_assert_num_queries: Any) -> None:
    def few() -> None:
        with django_assert_num_queries(6):
            team.admin.get("/projects/")
        with django_assert_num_queries(10):
            team.admin.get(page(team))

    team.make()
    few()
    for number in range(12):
        team.make(f"row-{number}")
        stage.member(team.project, f"person-{number}", Role.VIEWER)
        made = stage.project(f"p-{number}", cluster=team.project.cluster)
        Membership.objects.create(project=made, user=team.admin.user, role=Role.VIEWER)
    few()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["team-admin", "team-operator", "team-viewer"]),
        ("?by=-name", ["team-viewer", "team-operator", "team-admin"]),
        ("?by=nonsense", ["team-admin", "team-operator", "team-viewer"]),
        ("?member=OPER", ["team-operator"]),
        ("?member=nobody", []),
    ],
)
def test_members_are_searched_and_sorted_by_the_address(team: Team, query: str, names: list[str]) -> None:
    assert [row.who for row in team.viewer.get(page(team) + query).context["members"]] == names


def test_many_members_have_pages_and_a_search(team: Team) -> None:
    assert 'name="member"' not in team.viewer.get(page(team)).content.decode()
    for number in range(50):
        stage.member(team.project, f"person-{number:02}", Role.VIEWER)
    first = team.viewer.get(page(team))
    assert 'name="member"' in first.content.decode()
    assert "1–50 of 53 members" in text(first)
    assert [row.who for row in team.viewer.get(f"{page(team)}?at=2").context["members"]][-1] == "team-viewer"
    assert "No member is named so. Clear the search" in text(team.viewer.get(f"{page(team)}?member=nobody"))


def test_a_project_shows_its_members_and_deployments(team: Team) -> None:
    team.seen(team.make("llama"), Health.SERVING, sentence="Serving on 1 replica.")
    Membership.objects.create(project=team.project, group=Group.objects.create(name="ml"), role=Role.VIEWER)
    said = text(team.viewer.get(page(team)))
    for part in ("llama Serving", "ml group Viewer", "team-operator person Operator", "Admins of the project manage"):
        assert part in said


def test_an_admin_adds_people_and_groups_by_name(team: Team) -> None:
    stage.user("bob")
    stage.user("eve")
    Group.objects.create(name="ml")
    at = f"{page(team)}members/add/"
    for kind, name in (("user", "bob"), ("user", "eve"), ("group", "ml")):
        answer = team.admin.post(at, {"kind": kind, "name": name, "role": "operator"})
        assert answer["Location"] == page(team)
    holders = {row.holder: row.role for row in team.project.memberships.all()}
    assert (holders["bob"], holders["eve"], holders["ml"]) == ("operator", "operator", "operator")


@pytest.mark.parametrize(
    ("fields", "where", "said"),
    [
        ({"kind": "user", "name": "nobody", "role": "viewer"}, "name", "There is no active person of this name."),
        ({"kind": "group", "name": "team-viewer", "role": "viewer"}, "name", "There is no group of this name."),
        ({"kind": "user", "name": "gone", "role": "viewer"}, "name", "There is no active person of this name."),
        ({"kind": "user", "name": "one@example.org", "role": "viewer"}, "name", "There is no active person"),
        ({"kind": "user", "name": "team-viewer", "role": "king"}, "role", "Select a valid choice"),
        ({"kind": "user", "name": "", "role": "viewer"}, "name", "This field is required."),
    ],
)
def test_who_cannot_join_is_said_beside_the_field(team: Team, fields: dict[str, str], where: str, said: str) -> None:
    stage.user("gone", is_active=False)
    stage.user("one", email="one@example.org")  # people write their addresses themselves
    answer = team.admin.post(f"{page(team)}members/add/", fields)
    assert answer.status_code == 422
    assert said in " ".join(answer.context["form"].errors[where])
    assert team.project.memberships.count() == 3


def test_a_form_that_is_sent_twice_makes_a_member_and_a_project_once(team: Team, boss: Person) -> None:
    stage.user("nina")
    form = filled(boss.get(f"{page(team)}members/add/")) | {"kind": "user", "name": "nina", "role": "viewer"}
    assert form["idempotency_key"]
    answers = [boss.client.post(f"{page(team)}members/add/", form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert team.project.memberships.filter(user__username="nina").count() == 1
    new = filled(boss.get("/projects/new/")) | {
        "name": "twice", "cluster": str(team.project.cluster_id), "namespace": "twice",
    }  # fmt: skip
    answers = [boss.client.post("/projects/new/", new) for _ in range(2)]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, answers[0]["Location"])}


def test_somebody_who_is_a_member_already_is_said_on_top(team: Team) -> None:
    answer = team.admin.post(f"{page(team)}members/add/", {"kind": "user", "name": "team-viewer", "role": "admin"})
    assert answer.status_code == 422
    assert "already exists" in text(answer)


def test_roles_change_and_members_leave(team: Team) -> None:
    viewer = team.project.memberships.get(user=team.viewer.user)
    at = f"{page(team)}members/{viewer.pk}/"
    assert team.admin.post(f"{at}role/", {"role": "operator"})["Location"] == page(team)
    viewer.refresh_from_db()
    assert viewer.role == "operator"
    assert team.admin.post(f"{at}role/", {"role": "operator"})["Location"] == page(team), "said, and no error"
    assert team.admin.post(f"{at}remove/")["Location"] == page(team)
    assert team.viewer.get(page(team)).status_code == 404


def test_the_last_admin_is_told_why_they_stay(team: Team) -> None:
    own = team.project.memberships.get(user=team.admin.user)
    answer = team.admin.post(f"{page(team)}members/{own.pk}/remove/")
    assert answer.status_code == 422
    assert "A project keeps one admin" in text(answer)


def test_a_member_of_another_project_is_not_found_here(team: Team, other: Team) -> None:
    theirs = other.project.memberships.get(user=other.viewer.user)
    assert team.admin.post(f"{page(team)}members/{theirs.pk}/remove/").status_code == 404
    assert other.project.memberships.filter(pk=theirs.pk).exists()


def test_a_platform_admin_makes_renames_and_removes_a_project(team: Team, boss: Person) -> None:
    cluster = str(team.project.cluster.pk)
    fields = {"name": "research", "cluster": cluster, "namespace": "lab"}
    made_at = boss.post("/projects/new/", fields)["Location"]
    made = Project.objects.get(name="research")
    assert made_at == f"/projects/{made.pk}/"
    boss.post(f"{made_at}rename/", {"name": "lab"})
    assert boss.post(f"{made_at}remove/", {"confirm": "research"}).status_code == 422
    assert boss.post(f"{made_at}remove/", {"confirm": "lab"})["Location"] == "/projects/"
    assert not Project.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": "Not A Name"}, "name"),
        ({"name": "team"}, "name"),
        ({"namespace": "UPPER"}, "namespace"),
        ({"name": "x" * 64}, "name"),
        ({"cluster": "00000000-0000-0000-0000-000000000000"}, "cluster"),
        ({"cluster": "x"}, "cluster"),
    ],
)
def test_a_bad_project_is_refused_beside_its_field(
    team: Team, boss: Person, fields: dict[str, str], where: str
) -> None:
    good = {"name": "research", "cluster": str(team.project.cluster.pk), "namespace": "lab"}
    answer = boss.post("/projects/new/", good | fields)
    assert answer.status_code == 422
    assert answer.context["form"].errors[where]
    assert Project.objects.count() == 1


def test_a_project_that_is_in_use_says_what_holds_it(team: Team, boss: Person) -> None:
    team.make("llama")
    answer = boss.post(f"{page(team)}remove/", {"confirm": "team"})
    assert answer.status_code == 422
    assert "The project still holds llama" in text(answer)


def test_those_who_belong_to_nothing_learn_what_stands_here(db: None) -> None:
    said = text(Person(stage.user("new")).get("/projects/"))
    assert "No project you may see" in said
    assert "Platform admins make projects." in said


def test_projects_are_narrowed_by_their_cluster(team: Team, other: Team) -> None:
    Membership.objects.create(project=other.project, user=team.viewer.user, role=Role.VIEWER)
    page = team.viewer.get("/projects/?cluster=of-other")
    assert [row.name for row in page.context["page"]] == ["other"]
    assert page.context["clusters"] == [("of-other", 1), ("of-team", 1)]
    assert "All 2 of-other 1 of-team 1" in text(page)
    assert "No project matches" in text(team.viewer.get("/projects/?cluster=nowhere"))


def test_secrets_are_written_listed_and_removed_and_never_shown(team: Team) -> None:
    assert "None is stored." in text(team.viewer.get(page(team)))
    for _ in range(2):
        made = team.operator.send(f"{page(team)}secrets/write/", name="hf_token", value="canary-of-a-secret")
        assert made.status_code == 302
    answer = team.operator.get(page(team))
    assert "hf_token 2" in text(answer)
    assert "canary" not in answer.content.decode()
    bad = team.operator.send(f"{page(team)}secrets/write/", name="-bad-", value="canary-of-a-secret")
    assert bad.status_code == 422
    assert "Must have letters, digits, dashes" in beside(bad, "name")
    assert "canary" not in bad.content.decode()
    assert team.viewer.get(f"{page(team)}secrets/write/").status_code == 403
    assert team.operator.send(f"{page(team)}secrets/hf_token/remove/", confirm="hf").status_code == 422
    assert team.operator.send(f"{page(team)}secrets/hf_token/remove/", confirm="hf_token").status_code == 302
    assert "None is stored." in text(team.viewer.get(page(team)))
    for name in ("hf_token", "%00", "-x", "a%20b"):
        assert team.operator.get(f"{page(team)}secrets/{name}/remove/").status_code == 404


@pytest.mark.parametrize(
    ("sent", "kept"), [("token\r\n", b"token"), ("l1\r\nl2\r\n", b"l1\nl2"), (" spaced ", b" spaced ")]
)
def test_a_secret_is_stored_as_it_was_meant_and_not_as_browsers_send_it(team: Team, sent: str, kept: bytes) -> None:
    assert team.operator.send(f"{page(team)}secrets/write/", name="t", value=sent).status_code == 302
    assert team.project.secrets.get().open() == kept
    assert team.operator.send(f"{page(team)}secrets/write/", name="t", value="\r\n").status_code == 422


def test_a_form_that_was_sent_before_with_other_values_can_be_sent_again(team: Team) -> None:
    form = filled(team.operator.get(f"{page(team)}secrets/write/")) | {"name": "t", "value": "one"}
    team.operator.client.post(f"{page(team)}secrets/write/", form)
    refused: Any = team.operator.client.post(f"{page(team)}secrets/write/", form | {"value": "two"})
    assert "This form was sent before with other values, which are saved." in text(refused)
    again = filled(refused) | {"value": "two"}
    assert team.operator.client.post(f"{page(team)}secrets/write/", again).status_code == 302
    assert team.project.secrets.count() == 2


def test_a_project_that_has_a_namespace_which_none_may_have_now_is_renamed(team: Team, boss: Person) -> None:
    Project.objects.filter(pk=team.project.pk).update(namespace="kube-public")
    assert boss.send(f"{page(team)}rename/", name="renamed").status_code == 302
