"""A row of a list says what the page of its deployment says, and is drawn once for as long as it says the same."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import set_script_prefix
from django.utils import timezone

from deployments import glance, lines
from deployments.choices import Health
from deployments.lines import Line
from deployments.models import ClusterStatus, Deployment, DeploymentStatus
from deployments.templatetags.rows import deployment_row, drawn
from tests import stage
from tests.deployments.views.people import Team


@pytest.fixture
def row(team: Team) -> Deployment:
    """A deployment that fails."""
    made = stage.deployment(team.project, team.operator.user, "qwen")
    team.seen(made, Health.FAILING, gpus=2)
    return made


def line() -> Line:
    return lines.read(lines.values(glance.listed()))[0]


def silent() -> None:
    ClusterStatus.objects.update(seen_at=timezone.now() - timedelta(hours=1), message="No route to host")


def never_heard() -> None:
    ClusterStatus.objects.update(seen_at=None, message="")


def not_yet_seen() -> None:
    DeploymentStatus.objects.all().delete()


def denied() -> None:
    DeploymentStatus.objects.update(health=Health.UNKNOWN, health_rank=0, sentence="pods is forbidden")


def as_it_is() -> None:
    pass


@pytest.mark.parametrize("happens", [as_it_is, silent, never_heard, not_yet_seen, denied])
def test_a_line_says_what_the_page_says(row: Deployment, happens: Callable[[], None]) -> None:
    happens()
    seen, found = glance.of(glance.listed().get(pk=row.pk)), line()
    shared = ("health", "sentence", "ready", "wanted", "gpus", "stale", "seen_at", "changed_at")
    assert {name: getattr(found, name) for name in shared} == {name: getattr(seen, name) for name in shared}
    assert (found.runtime_label, found.desired, found.is_settled) == (seen.runtime, row.desired, row.is_settled)
    assert found.llm == row.revisions.get().spec.llm


@pytest.mark.usefixtures("row")
def test_a_row_is_drawn_once_while_it_shows_the_same() -> None:
    drawn.cache_clear()
    first = deployment_row(line(), "bulk")
    ClusterStatus.objects.update(seen_at=timezone.now())
    assert deployment_row(line(), "bulk") == first
    assert (drawn.cache_info().misses, drawn.cache_info().hits) == (1, 1)
    DeploymentStatus.objects.update(sentence="Another one.")
    assert "Another one." in deployment_row(line(), "bulk")


@pytest.mark.usefixtures("row")
def test_who_may_not_choose_rows_gets_a_row_of_their_own() -> None:
    assert "data-pick" in deployment_row(line(), "bulk")
    assert "data-pick" not in deployment_row(line())


@pytest.mark.usefixtures("row")
def test_a_row_leads_below_the_prefix_of_its_request() -> None:
    plain = deployment_row(line())
    set_script_prefix("/llmdash/")
    try:
        assert 'href="/llmdash/deployments/' in deployment_row(line())
    finally:
        set_script_prefix("/")
    assert deployment_row(line()) == plain
