"""The activity page: what each person sees of the audit, by which filters, and as which file."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments import audit, services
from deployments.choices import Action
from deployments.models import AuditEntry
from llmdash.accounts import services as accounts
from llmdash.accounts.choices import Scope
from tests import stage
from tests.deployments.views.people import Person, Team, team, text

pytestmark = pytest.mark.django_db
PAGE = "/activity/"


def acts(answer: Any) -> list[tuple[str, str]]:
    return [(entry.action, entry.target_name) for entry in answer.context["entries"]]


def exported(person: Person, query: str = "") -> str:
    return b"".join(person.get(f"/activity/export/{query}").streaming_content).decode()


def test_a_member_sees_what_was_done_in_the_project_newest_first(team: Team) -> None:
    row = team.make()
    services.scale(deployment=row, replicas=3, by=team.operator.user, reason="Monday")
    answer = team.viewer.get(PAGE)
    assert acts(answer) == [("scale", "qwen"), ("create", "qwen")]
    said = text(answer)
    assert "team-operator" in said
    assert "scaled (revision 2): “Monday”" in said
    assert "1 change replicas from 1 to 3" in said


def test_a_stranger_sees_nothing_of_it_and_is_told_what_would_stand_here(team: Team, other: Team) -> None:
    team.make()
    answer = other.admin.get(PAGE)
    assert acts(answer) == []
    assert "Nothing was done yet" in text(answer)
    assert exported(other.admin).count("\n") == 1


def test_what_was_done_to_clusters_and_people_is_for_platform_admins(team: Team) -> None:
    audit.record(None, Action.CHANGE, team.project.cluster)
    assert acts(team.admin.get(PAGE)) == []
    boss = Person(stage.user("boss", is_superuser=True))
    assert acts(boss.get(PAGE)) == [("change", "of-team")]


def test_what_it_is_about_is_a_link_for_those_who_may_follow_it(team: Team) -> None:
    row = team.make()
    assert f'href="/deployments/{row.pk}/"' in team.viewer.get(PAGE).content.decode()
    audit.record(None, Action.CHANGE, team.project.cluster, project=team.project)
    assert f'href="/clusters/{team.project.cluster.pk}/"' in team.viewer.get(PAGE).content.decode()
    type(row).objects.filter(pk=row.pk).update(gone_at=timezone.now())
    assert f'href="/deployments/{row.pk}/"' not in team.viewer.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=other", ["create"]),
        ("q=OTHER", ["create"]),
        ("actor=nobody", []),
        ("actor=operator", ["scale", "create", "create"]),
        ("action=scale", ["scale"]),
        ("kind=deployment", ["scale", "create", "create"]),
        ("kind=cluster", []),
        ("project=team", ["scale", "create", "create"]),
        ("project=another", []),
        ("action=scale&q=other", []),
        ("since=nonsense&before=x&action=", ["scale", "create", "create"]),
        ("before=0", []),
        ("until=9999-12-31", ["scale", "create", "create"]),
        ("since=9999-12-31", []),
        ("q=%00", ["scale", "create", "create"]),
    ],
)
def test_filters_stand_in_the_address(team: Team, query: str, found: list[str]) -> None:
    row = team.make()
    team.make("other")
    services.scale(deployment=row, replicas=3, by=team.operator.user)
    answer = team.viewer.get(f"{PAGE}?{query}")
    assert [action for action, _ in acts(answer)] == found


def test_both_days_of_a_range_count(team: Team) -> None:
    row = team.make()
    for day in (1, 2, 3):
        entry = audit.record(None, Action.HEAL, row, project=team.project, day=day)
        AuditEntry.objects.filter(pk=entry.pk).update(at=datetime(2026, 5, day, 23, 59, tzinfo=UTC))
    answer = team.viewer.get(f"{PAGE}?since=2026-05-01&until=2026-05-02")
    assert [entry.detail["day"] for entry in answer.context["entries"]] == [2, 1]


def test_an_id_and_a_request_are_found(team: Team) -> None:
    row = team.make()
    AuditEntry.objects.update(request_id="r-77")
    for query in (f"q={row.pk}", "q=r-77"):
        assert len(acts(team.viewer.get(f"{PAGE}?{query}"))) == 1


def test_older_acts_follow_page_by_page_and_none_is_skipped(team: Team) -> None:
    row = team.make()
    for number in range(119):
        audit.record(None, Action.HEAL, row, project=team.project, number=number)
    seen: list[int] = []
    query: str = ""
    while True:
        answer = team.viewer.get(PAGE + query)
        seen += [entry.pk for entry in answer.context["entries"]]
        if answer.context["older"] is None:
            break
        query = f"?before={answer.context['older']}"
    assert len(seen) == 120
    assert seen == sorted(seen, reverse=True)
    assert "data-live" not in answer.content.decode().split('id="activity"')[1].split(">")[0]


def test_a_filter_that_finds_nothing_says_so_and_offers_the_way_back(team: Team) -> None:
    team.make()
    said = text(team.viewer.get(f"{PAGE}?action=delete"))
    assert "No act matches" in said
    assert "Clear the filters" in said


def test_the_number_of_queries_is_fixed(team: Team, django_assert_num_queries: Any) -> None:
    for number in range(3):
        team.make(f"row-{number}")
    team.viewer.get(PAGE)
    with django_assert_num_queries(5):
        team.viewer.get(PAGE)
    for number in range(30):
        team.make(f"more-{number}")
    with django_assert_num_queries(5):
        team.viewer.get(PAGE)


def test_the_file_holds_what_the_filters_leave(team: Team) -> None:
    row = team.make()
    services.scale(deployment=row, replicas=3, by=team.operator.user)
    lines = [json.loads(line) for line in exported(team.viewer, "?format=json&action=scale").splitlines()]
    assert [(line["actor"], line["target"], line["project"]) for line in lines] == [("team-operator", "qwen", "team")]
    assert lines[0]["detail"]["changes"] == [{"field": "replicas", "before": 1, "after": 3}]
    rows = list(csv.DictReader(io.StringIO(exported(team.viewer))))
    assert [row["action"] for row in rows] == ["scale", "create"]
    assert json.loads(rows[0]["detail"])["revision"] == 2


def test_no_cell_of_the_file_is_a_formula(team: Team) -> None:
    row = team.make()
    entry = audit.record(None, Action.HEAL, row, project=team.project)
    AuditEntry.objects.filter(pk=entry.pk).update(target_name="=1+1", actor_name="@x")
    rows = list(csv.DictReader(io.StringIO(exported(team.viewer))))
    assert (rows[0]["target"], rows[0]["actor"]) == ("'=1+1", "'@x")


def test_days_long_ago_and_far_away_are_taken(team: Team) -> None:
    team.make()
    soon = (timezone.now() + timedelta(days=1)).date().isoformat()
    assert len(acts(team.viewer.get(f"{PAGE}?since=0001-01-01&until={soon}"))) == 1


@pytest.fixture
def other(db: None) -> Team:
    return team("other")


def test_each_filter_that_is_set_can_be_taken_away_by_itself(team: Team) -> None:
    said = team.admin.get("/activity/?actor=maria&action=scale&kind=apitoken&until=2026-01-02&before=7")
    assert [(one["words"], one["query"]) for one in said.context["active"]] == [
        ("By maria", "?action=scale&kind=apitoken&until=2026-01-02"),
        ("Scaled", "?actor=maria&kind=apitoken&until=2026-01-02"),
        ("To: API token", "?actor=maria&action=scale&until=2026-01-02"),
        ("To 2026-01-02", "?actor=maria&action=scale&kind=apitoken"),
    ]
    assert team.admin.get("/activity/").context["active"] == []


def test_ones_own_tokens_are_among_the_acts(team: Team) -> None:
    accounts.make_token(user=team.viewer.user, name="ci", scope=Scope.READ)
    assert "API token ci" in text(team.viewer.get("/activity/"))
    assert "API token ci" not in text(team.operator.get("/activity/"))
