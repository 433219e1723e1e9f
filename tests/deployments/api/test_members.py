"""Members of a project by REST."""

import pytest
from django.contrib.auth.models import Group

from deployments.choices import Role
from deployments.models import AuditEntry, Membership
from tests import stage
from tests.deployments.api.caller import Caller, Team, pointers, problem, rows, team

pytestmark = pytest.mark.django_db


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


def members(team: Team) -> str:
    return f"/projects/{team.project.pk}/members"


def one(team: Team, role: Role = Role.VIEWER) -> str:
    return f"{members(team)}/{team.project.memberships.get(role=role).pk}"


def test_everybody_of_the_project_sees_its_members(team: Team) -> None:
    found = team.viewer.get(members(team)).json()
    assert found["count"] == 3
    assert {(row["user"], row["role"]) for row in found["results"]} == {
        ("team-viewer", "viewer"), ("team-operator", "operator"), ("team-admin", "admin"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["team-admin", "team-operator", "team-viewer"]),
        ("?ordering=-name", ["team-viewer", "team-operator", "team-admin"]),
        ("?ordering=-role", ["team-viewer", "team-operator", "team-admin"]),
        ("?search=OPER", ["team-operator"]), ("?search=nobody", []),
    ],
)  # fmt: skip
def test_members_are_searched_and_sorted(team: Team, query: str, names: list[str]) -> None:
    assert [row["user"] for row in team.viewer.get(members(team) + query).json()["results"]] == names


def test_groups_are_found_and_sorted_among_people(team: Team) -> None:
    Membership.objects.create(project=team.project, group=Group.objects.create(name="team-ops"), role=Role.VIEWER)
    found = team.viewer.get(f"{members(team)}?search=team-o").json()["results"]
    assert [row["user"] or row["group"] for row in found] == ["team-operator", "team-ops"]


def test_a_person_and_a_group_join(team: Team) -> None:
    stage.user("nina", email="nina@example.org")  # an address is nobody's name
    Group.objects.create(name="ops")
    made = team.admin.post(members(team), {"user": "nina", "role": "operator"})
    assert (made.status_code, made.json()["user"]) == (201, "nina")
    read = team.viewer.client.get(made["Location"])
    assert (read.json(), read["ETag"]) == (made.json(), made["ETag"])
    assert team.admin.post(members(team), {"group": "ops", "role": "viewer"}).json()["group"] == "ops"
    assert AuditEntry.objects.filter(action="add", actor=team.admin.person).count() == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"user": "nobody", "role": "viewer"}, "/user"),
        ({"group": "nobody", "role": "viewer"}, "/group"),
        ({"user": "team-viewer", "group": "ops", "role": "viewer"}, ""),
        ({"role": "viewer"}, ""),
        ({"user": "team-viewer"}, "/role"),
        ({"user": "team-viewer", "role": "owner"}, "/role"),
        ({"user": "team-viewer", "role": "admin", "project": "x"}, "/project"),
    ],
)
def test_a_bad_body_is_refused(team: Team, body: dict[str, str], pointer: str) -> None:
    before = rows()
    answer = team.admin.post(members(team), body)
    problem(answer, 400)
    assert pointers(answer) == [pointer]
    assert rows() == before


def test_somebody_inactive_is_not_found(team: Team) -> None:
    stage.user("gone", is_active=False)
    problem(team.admin.post(members(team), {"user": "gone", "role": "viewer"}), 400)


def test_who_is_a_member_does_not_join_again(team: Team) -> None:
    answer = team.admin.post(members(team), {"user": "team-viewer", "role": "admin"})
    assert problem(answer, 409)["code"] == "member-already"


def test_a_role_changes_only_as_it_was_seen(team: Team) -> None:
    problem(team.admin("PATCH", one(team), {"role": "operator"}), 428)
    seen = team.admin.get(one(team))["ETag"]
    problem(team.admin("PATCH", one(team), {"role": "operator"}, If_Match='"older"'), 412)
    path = one(team)
    changed = team.admin("PATCH", path, {"role": "operator"}, If_Match=seen)
    assert changed.json()["role"] == "operator"
    problem(team.admin("PATCH", path, {"role": "admin"}, If_Match=seen), 412)
    assert problem(team.admin("PATCH", path, {"role": "operator"}, If_Match="*"), 409)["code"] == "unchanged"


def test_a_member_is_removed_once(team: Team) -> None:
    path = one(team)
    seen = team.admin.get(path)["ETag"]
    problem(team.admin("DELETE", path), 428)
    problem(team.admin("DELETE", path, If_Match='"older"'), 412)
    assert team.admin("DELETE", path, If_Match=seen).status_code == 204
    problem(team.admin("DELETE", path, If_Match=seen), 404)
    problem(team.viewer.get(members(team)), 404)


def test_the_last_admin_stays(team: Team) -> None:
    path = one(team, Role.ADMIN)
    assert problem(team.admin("DELETE", path, If_Match="*"), 409)["code"] == "last-admin"
    assert problem(team.admin("PATCH", path, {"role": "viewer"}, If_Match="*"), 409)["code"] == "last-admin"


def test_members_of_another_project_are_not_there(team: Team) -> None:
    other = team_of("strangers")
    strange = f"{members(team)}/{other.project.memberships.get(role=Role.VIEWER).pk}"
    for method in ("GET", "PATCH", "DELETE"):
        body = {"role": "admin"} if method == "PATCH" else None
        problem(team.admin(method, strange, body, If_Match="*"), 404)
    assert Membership.objects.filter(project=other.project).count() == 3


def team_of(name: str) -> Team:
    return team(name)


def test_only_admins_manage(team: Team) -> None:
    for caller in (team.viewer, team.operator):
        problem(caller.post(members(team), {"user": "team-viewer", "role": "admin"}), 403)
        problem(caller("PATCH", one(team), {"role": "admin"}, If_Match="*"), 403)
        problem(caller("DELETE", one(team), If_Match="*"), 403)
    boss = Caller(stage.user("boss", is_superuser=True))
    assert boss("DELETE", one(team), If_Match="*").status_code == 204
