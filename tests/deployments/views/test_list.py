"""The list: search, filters, sort and pages, all in the address; and what it says when there is nothing to show."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.choices import Health
from deployments.models import ClusterStatus, Deployment, Membership
from tests import stage
from tests.deployments.views.people import Person, Team, heard, team, text

PATH = "/deployments/"
MOST_QUERIES = 8


def names(person: Person, query: str = "") -> list[str]:
    """The rows in their order."""
    answer = person.get(PATH + query)
    assert answer.status_code == 200
    return re.findall(r'<a class="name"[^>]*>([^<]+)</a>', answer.content.decode())


@pytest.fixture
def five(team: Team) -> Team:
    """Five deployments that differ in everything."""
    second = stage.project("second", cluster=stage.cluster("west"))
    heard(second)
    Membership.objects.create(project=second, user=team.viewer.user, role="viewer")
    worth = [
        ("alpha", team.project, Health.SERVING, {"llm": "Qwen/Qwen3-8B"}, 4),
        ("bravo", team.project, Health.FAILING, {"llm": "meta-llama/Llama-3.1-8B"}, 2),
        ("charlie", second, Health.DEGRADED, {"llm": "Qwen/Qwen3-32B"}, 8),
        ("delta", second, Health.WAITING, {"llm": "google/gemma-3-27b-it"}, 0),
        ("echo", team.project, Health.STOPPED, {"llm": "Qwen/QwQ-32B"}, 1),
    ]
    for age, (name, project, health, spec, gpus) in enumerate(worth):
        row = stage.deployment(project, team.operator.user, name, **spec)
        team.seen(row, health, gpus=gpus, changed_at=timezone.now() - timedelta(hours=age))
    Deployment.objects.filter(name="delta").update(desired=1)
    return team


# ---- search and filters


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=alp", ["alpha"]),
        ("?q=ALPHA", ["alpha"]),
        ("?q=qwen3", ["alpha", "charlie"]),
        ("?q=%20echo%20", ["echo"]),
        ("?q=nothing", []),
        ("?q=%25", []),
        ("?q=_", []),
        ("?q=%27%20or%201%3D1%20--", []),
        ("?health=failing", ["bravo"]),
        ("?health=serving", ["alpha"]),
        ("?health=unknown", []),
        ("?health=nonsense", ["alpha", "bravo", "charlie", "delta", "echo"]),
        ("?project=second", ["charlie", "delta"]),
        ("?cluster=of-team", ["alpha", "bravo", "echo"]),
        ("?cluster=of-team&health=stopped&project=team&q=qwq", ["echo"]),
        ("?project=absent", []),
    ],
)
def test_search_and_filters_leave_what_they_say(five: Team, query: str, found: list[str]) -> None:
    assert names(five.viewer, query) == found


SORTED: dict[str, list[str]] = {
    "name": ["alpha", "bravo", "charlie", "delta", "echo"],
    "health": ["echo", "bravo", "delta", "charlie", "alpha"],
    "project": ["charlie", "delta", "alpha", "bravo", "echo"],
    "gpus": ["delta", "echo", "bravo", "alpha", "charlie"],
    "changed": ["echo", "delta", "charlie", "bravo", "alpha"],
}


@pytest.mark.parametrize("key", SORTED)
def test_every_column_sorts_both_ways(five: Team, key: str) -> None:
    assert names(five.viewer, f"?sort={key}") == SORTED[key]
    turned = {"project": ["alpha", "bravo", "echo", "charlie", "delta"]}.get(key, SORTED[key][::-1])
    assert names(five.viewer, f"?sort=-{key}") == turned


def test_revisions_sort_both_ways_and_names_break_ties(five: Team) -> None:
    Deployment.objects.filter(name="charlie").update(desired=5)
    assert names(five.viewer, "?sort=-revision")[0] == "charlie"
    assert names(five.viewer, "?sort=revision") == ["alpha", "bravo", "delta", "echo", "charlie"]


@pytest.mark.parametrize(
    "sort", ["", "nothing", "-", "--name", "name;drop", "project__cluster__sealed_credentials", "?"]
)
def test_an_unknown_sort_is_by_name(five: Team, sort: str) -> None:
    assert names(five.viewer, f"?sort={sort}") == SORTED["name"]


# ---- pages and the address


def many(team: Team, count: int) -> None:
    for number in range(count):
        team.seen(team.make(f"llm-{number:03d}"), gpus=number)


def test_pages_hold_fifty_rows_and_keep_filters_and_sort(team: Team) -> None:
    many(team, 60)
    first, second = names(team.viewer, "?sort=-gpus&q=llm"), names(team.viewer, "?sort=-gpus&q=llm&page=2")
    assert (len(first), len(second)) == (50, 10)
    assert (first[0], second[-1]) == ("llm-059", "llm-000")
    links = re.findall(r'href="(\?[^"]*page=2[^"]*)"', team.viewer.get(f"{PATH}?sort=-gpus&q=llm").content.decode())
    assert links
    assert all("sort=-gpus" in link and "q=llm" in link for link in links)


def test_the_controls_show_what_the_address_says(five: Team) -> None:
    body = five.viewer.get(f"{PATH}?q=qwen&health=serving&project=team&sort=-gpus").content.decode()
    assert 'value="qwen"' in body
    assert re.search(r'<option value="team"\s+selected>', body)
    assert '<input type="hidden" name="health" value="serving">' in body
    assert '<input type="hidden" name="sort" value="-gpus">' in body
    assert 'data-live-url="/deployments/?q=qwen&amp;health=serving&amp;project=team&amp;sort=-gpus"' in body
    chip = re.search(r'<a class="chip tone-green"\s+href="[^"]*"\s+aria-current="true">', body)
    assert chip


@pytest.mark.parametrize("page", ["0", "-1", "abc", "99999", "9" * 5000, "%00", "1.5", "", "Ⅷ"])
def test_a_page_that_is_not_there_is_answered_with_one_that_is(five: Team, page: str) -> None:
    assert names(five.viewer, f"?page={page}") == SORTED["name"]


NO_TEXT = ["%FF%FE", "%ED%A0%80"]  # is not UTF-8 and refused as such
HOSTILE = [*NO_TEXT, "%00", "%F0%9F%98%80", "<script>alert(1)</script>", "'\"--;", "a" * 5000,
           "%0d%0aSet-Cookie:x=1", "${7*7}", "{{7*7}}", "..%2f..%2f", "[]", "%E2%80%AE"]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("fragment", [True, False])
def test_no_query_breaks_the_list(five: Team, value: str, fragment: bool) -> None:
    headers = {"HX_Request": "true"} if fragment else {}
    for key in ("q", "health", "project", "cluster", "sort", "page", "unknown"):
        answer = five.viewer.get(f"{PATH}?{key}={value}&{key}={value}", **headers)
        assert answer.status_code == (400 if value in NO_TEXT else 200)
        assert b"<script>alert(1)" not in answer.content


def test_characters_that_nobody_types_are_left_out_of_the_search(five: Team) -> None:
    assert names(five.viewer, "?q=al%00pha%07") == ["alpha"]


# ---- what is live


def test_a_live_update_is_the_very_table_of_the_page(five: Team) -> None:
    whole = five.viewer.get(PATH).content.decode()
    part = five.viewer.get(PATH, HX_Request="true").content.decode()
    assert part.strip()
    assert re.sub(r"\s+", " ", part.strip()) in re.sub(r"\s+", " ", whole)
    assert "<html" not in part


def test_a_row_says_health_numbers_and_cause(five: Team) -> None:
    row = Deployment.objects.get(name="bravo")
    sentence = "Serving on 1 of 2 replicas; the other one waits: no node has 2 free H100."
    five.seen(row, Health.DEGRADED, sentence=sentence, ready=1, wanted=2, gpus=2)
    Deployment.objects.update(applied=1)
    said = text(five.viewer.get(f"{PATH}?q=bravo"))
    assert f"Degraded {sentence} 1/2" in said
    assert "meta-llama/Llama-3.1-8B , vLLM" in said


def test_a_deletion_that_is_refused_is_failing_and_one_that_goes_on_is_not(five: Team) -> None:
    Deployment.objects.filter(name__in=["alpha", "echo"]).update(deleted_at=timezone.now(), problem="wait")
    refused = "Being deleted: 2 objects left. It is refused: hook denies it."
    five.seen(Deployment.objects.get(name="alpha"), Health.FAILING, sentence=refused)
    five.seen(Deployment.objects.get(name="echo"), Health.STOPPED, sentence="Being deleted: 1 object left.")
    assert f"alpha Failing {refused}" in text(five.viewer.get(f"{PATH}?q=alpha"))
    assert "echo Deleting Being deleted: 1 object left." in text(five.viewer.get(f"{PATH}?q=echo"))
    assert names(five.viewer, "?health=failing") == ["alpha", "bravo"]


def test_an_old_status_is_unknown_and_says_since_when(five: Team) -> None:
    heard(five.project, seconds_ago=600, message="The API server refuses connections.")
    said = text(five.viewer.get(PATH))
    assert "Not heard from of-team" in said
    assert "The API server refuses connections." in said
    assert names(five.viewer, "?health=unknown") == ["alpha", "bravo", "echo"]
    assert names(five.viewer, "?health=serving") == []
    assert names(five.viewer, "?sort=health")[:3] == ["alpha", "bravo", "echo"]
    assert "unknown" in text(five.viewer.get(f"{PATH}?q=alpha"))
    assert "1/1" not in text(five.viewer.get(f"{PATH}?q=alpha"))


def test_a_row_that_was_never_seen_is_unknown(team: Team) -> None:
    team.make("fresh")
    assert "Unknown" in text(team.viewer.get(PATH))
    ClusterStatus.objects.all().delete()
    assert names(team.viewer) == ["fresh"]


def test_a_broken_status_takes_no_other_row_down(five: Team) -> None:
    row = Deployment.objects.get(name="alpha")
    five.seen(row, sentence="<b>not bold</b>", pods=[], gpus=0)
    assert "<b>not bold</b>" not in five.viewer.get(PATH).content.decode()
    assert len(names(five.viewer)) == 5


# ---- empty, filtered, forbidden


def test_an_empty_list_teaches_and_offers_the_first(team: Team) -> None:
    said = text(team.operator.get(PATH))
    assert "No LLM is deployed yet" in said
    assert "Deploy the first LLM" in said
    assert 'href="/deployments/new/"' in team.operator.get(PATH).content.decode()


def test_a_viewer_of_an_empty_list_is_told_why_there_is_no_button(team: Team) -> None:
    said = text(team.viewer.get(PATH))
    assert "You are viewer in every project." in said
    assert "Deploy the first LLM" not in said
    assert 'href="/deployments/new/"' not in team.viewer.get(PATH).content.decode()


def test_somebody_without_a_project_is_told_so(team: Team) -> None:
    team.make()
    said = text(Person(stage.user("new")).get(PATH))
    assert "There is no project yet." in said
    assert "qwen" not in said


def test_a_filter_that_leaves_nothing_says_which(five: Team) -> None:
    said = text(five.viewer.get(f"{PATH}?q=zulu&health=failing&project=team&cluster=west"))
    assert "No deployment matches" in said
    assert "You see 5 deployments, none of them named “zulu” failing in project team on west" in said
    assert "Clear the filters" in said
    assert "No LLM is deployed yet" not in said


def test_a_live_update_of_an_empty_list_keeps_its_button(team: Team) -> None:
    assert "Deploy the first LLM" in text(team.operator.get(PATH, HX_Request="true"))


def test_nobody_sees_rows_of_other_projects(five: Team) -> None:
    other = team("other")
    other.make("theirs")
    assert names(other.viewer) == ["theirs"]
    assert names(other.viewer, "?project=team") == []
    assert "theirs" not in names(five.viewer)
    assert "other" not in text(five.viewer.get(PATH))


# ---- cost


def queries(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as caught:
        act()
    return len(caught)


@pytest.mark.parametrize("query", ["", "?sort=-health&q=llm&project=team&health=serving"])
def test_the_list_costs_the_same_for_five_rows_and_for_sixty(team: Team, query: str) -> None:
    many(team, 5)
    person = Person(stage.user("boss", is_superuser=True))
    person.get(PATH)
    few = queries(lambda: person.get(PATH + query))
    for number in range(5, 60):
        team.seen(team.make(f"llm-{number:03d}"), pods=[{"name": "x"}] * 5)
    assert queries(lambda: person.get(PATH + query)) == few <= MOST_QUERIES
    assert queries(lambda: team.viewer.get(PATH + query)) <= MOST_QUERIES
    assert queries(lambda: team.viewer.get(PATH + query, HX_Request="true")) <= MOST_QUERIES


def test_a_cluster_that_was_never_connected_is_named_above_its_rows(team: Team) -> None:
    team.make("alpha")
    ClusterStatus.objects.all().delete()
    assert [cluster.pk for cluster in team.viewer.get(PATH).context["stale_clusters"]] == [team.project.cluster_id]
    assert f"Not heard from {team.project.cluster.name}" in text(team.viewer.get(PATH))
