"""Projects made, renamed and removed by REST."""

from typing import Any

import pytest

from deployments.models import AuditEntry, Deployment, Project
from tests import stage
from tests.deployments.api.caller import Caller, Team, pointers, problem, team

pytestmark = pytest.mark.django_db


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


@pytest.fixture
def boss(team: Team) -> Caller:
    return Caller(stage.user("boss", is_superuser=True))


def body(**changed: Any) -> dict[str, Any]:
    return {"name": "new", "cluster": "of-team", "namespace": "new"} | changed


def test_a_platform_admin_makes_a_project(boss: Caller) -> None:
    made = boss.post("/projects", body(create_namespace=True))
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["role"]) == ("new", "admin")
    read = boss.client.get(made["Location"])
    assert (read.json(), read["ETag"]) == (made.json(), made["ETag"])
    assert Project.objects.get(name="new").create_namespace
    assert AuditEntry.objects.filter(action="create project").count() == 1


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"name": "Not A Name"}, "/name"), ({"namespace": "-"}, "/namespace"), ({"cluster": "nowhere"}, "/cluster"),
        ({"name": ""}, "/name"), ({"owner": "me"}, "/owner"), ({"create_namespace": "yes"}, "/create_namespace"),
    ],
)  # fmt: skip
def test_bad_values_are_refused_where_they_stand(boss: Caller, changed: dict[str, Any], where: str) -> None:
    answer = boss.post("/projects", body(**changed))
    problem(answer, 400)
    assert pointers(answer) == [where]


def test_a_name_or_namespace_that_is_taken_is_a_conflict(boss: Caller) -> None:
    for changed in ({"name": "team"}, {"namespace": "team"}):
        refused = problem(boss.post("/projects", body(**changed)), 409)
        assert refused["code"] == "taken"
        assert [one["pointer"] for one in refused["errors"]] == [f"/{field}" for field in changed]


def test_a_project_is_renamed_as_it_was_seen(team: Team, boss: Caller) -> None:
    path = f"/projects/{team.project.pk}"
    problem(boss("PATCH", path, {"name": "chat"}), 428)
    seen = boss.get(path)["ETag"]
    renamed = boss("PATCH", path, {"name": "chat"}, If_Match=seen)
    assert renamed.json()["name"] == "chat"
    problem(boss("PATCH", path, {"name": "talk"}, If_Match=seen), 412)
    assert boss("PATCH", path, {"name": "talk"}, If_Match=renamed["ETag"]).status_code == 200
    stage.project("other", cluster=team.project.cluster)
    assert problem(boss("PATCH", path, {"name": "other"}, If_Match="*"), 409)["code"] == "taken"
    problem(boss("PATCH", path, {"name": "No Name"}, If_Match="*"), 400)


def test_a_project_is_removed_when_it_holds_nothing(team: Team, boss: Caller) -> None:
    path = f"/projects/{team.project.pk}"
    assert problem(boss("DELETE", path, If_Match="*"), 409)["code"] == "in-use"
    Deployment.objects.all().delete()
    problem(boss("DELETE", path, If_Match='"older"'), 412)
    assert boss("DELETE", path, If_Match=boss.get(path)["ETag"]).status_code == 204
    problem(boss.get(path), 404)


def test_admins_of_a_project_do_not_own_it(team: Team) -> None:
    path = f"/projects/{team.project.pk}"
    problem(team.admin.post("/projects", body()), 403)
    problem(team.admin("PATCH", path, {"name": "mine"}, If_Match="*"), 403)
    problem(team.admin("DELETE", path, If_Match="*"), 403)
