"""The search, and the audit of everything that one may see."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployments.models import AuditEntry
from tests import stage
from tests.deployments.api.caller import Caller, Team, problem, team

pytestmark = pytest.mark.django_db


@pytest.fixture(name="team")
def a_team() -> Team:
    return team()


def found(caller: Caller, words: str) -> list[tuple[str, str]]:
    return [(row["kind"], row["name"]) for row in caller.get(f"/search?q={words}").json()["results"]]


def test_everything_with_a_name_is_found(team: Team) -> None:
    team_of("strangers")
    members = [("member", f"team-{role}") for role in ("admin", "operator", "viewer")]
    assert found(team.viewer, "team") == [
        ("deployment", "team-llm"),
        ("project", "team"),
        ("cluster", "of-team"),
        *members,
    ]
    assert found(team.viewer, "qwen3") == [("deployment", "team-llm")]  # by its LLM
    assert found(team.viewer, "strangers") == []
    assert len(found(Caller(stage.user("boss", is_superuser=True)), "e")) == 12


def team_of(name: str) -> Team:
    return team(name)


def test_what_was_found_has_an_address(team: Team) -> None:
    for row in team.viewer.get("/search?q=team").json()["results"]:
        assert team.viewer.client.get(row["url"]).json()["id"] == row["id"]


def test_names_that_begin_so_come_first(team: Team) -> None:
    person = team.operator.person
    assert person
    for name in ("a-llm-x", "llm-x"):
        stage.deployment(team.project, person, name)
    assert [name for _, name in found(team.viewer, "llm")] == ["llm-x", "a-llm-x", "team-llm"]


def test_a_search_is_one_query_for_each_kind_and_who_asks(team: Team) -> None:
    with CaptureQueriesContext(connection) as made:
        found(team.viewer, "team")
    assert len(made) == 6  # session, user, one for each kind


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20", f"?q={'x' * 201}", "?q=a&limit=0", "?q=a&limit=x", "?find=a"])
def test_a_search_for_nothing_is_refused(team: Team, query: str) -> None:
    problem(team.viewer.get(f"/search{query}"), 400)


def audited(caller: Caller, query: str = "") -> list[str]:
    return [row["action"] for row in caller.get(f"/audit{query}").json()["results"]]


def test_the_audit_tells_what_one_may_see(team: Team) -> None:
    other = team_of("strangers")
    team.operator.post(f"{team.path}/scale", {"replicas": 2})
    assert audited(team.viewer) == ["scale", "create"]
    assert audited(other.viewer) == ["create"]
    assert len(audited(Caller(stage.user("boss", is_superuser=True)))) == 3


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("?action=scale", ["scale"]), ("?kind=deployment", ["scale", "create"]), ("?kind=user", []),
        ("?actor=operator", ["scale", "create"]), ("?actor=nobody", []), ("?q=team-llm", ["scale", "create"]),
        ("?project=team", ["scale", "create"]), ("?since=2020-01-01&until=9999-12-31", ["scale", "create"]),
        ("?until=2020-01-01", []), ("?limit=1", ["scale"]),
    ],
)  # fmt: skip
def test_the_audit_is_filtered_as_on_its_page(team: Team, query: str, actions: list[str]) -> None:
    team.operator.post(f"{team.path}/scale", {"replicas": 2})
    assert audited(team.viewer, query) == actions


def test_the_audit_is_read_on_by_its_cursor(team: Team) -> None:
    for replicas in range(2, 6):
        team.operator.post(f"{team.path}/scale", {"replicas": replicas})
    ids: list[Any] = []
    path: str | None = "/api/v1/audit?limit=2&action=scale"
    while path:
        page = team.viewer.client.get(path).json()
        ids += [row["id"] for row in page["results"]]
        path = page["next"]
    assert ids == list(AuditEntry.objects.filter(action="scale").values_list("pk", flat=True))


@pytest.mark.parametrize(
    "query",
    [
        "?action=fly",
        "?action=",
        "?kind=x",
        "?since=yesterday",
        "?until=",
        "?limit=0",
        "?limit=1001",
        "?cursor=x",
        "?who=me",
    ],
)
def test_a_filter_that_is_not_understood_is_refused(team: Team, query: str) -> None:
    problem(team.viewer.get(f"/audit{query}"), 400)
