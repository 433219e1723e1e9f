"""Tokens a second and latency in lists: filled after the page, kept over live updates."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from deployments.choices import Health, Role
from deployments.models import Cluster, DeploymentStatus
from tests import stage
from tests.deployments.views.people import heard
from tests.e2e.conftest import Opener
from tests.monitoring.measured import Series, prometheus_of

pytestmark = pytest.mark.django_db(transaction=True)
ROW = "tr:has(a.name:text-is('{}'))"
SWAP = "document.dispatchEvent(new CustomEvent('llmdash:ask-anew'))"
POD = {"namespace": "team", "pod": "qwen-7d9f8b6c54-x2k9p"}
SERIES: list[Series] = [("vllm:generation_tokens_total", POD, lambda at: at * 100)]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_of(SERIES, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture
def page(page_of: Opener, measured: str) -> Page:
    """A viewer's, of a project with `qwen`, which serves, and `mute`, which is not measured."""
    project = stage.project("team")
    heard(project)
    Cluster.objects.update(prometheus_url=measured)
    viewer = stage.member(project, "vera", Role.VIEWER)
    for name in ("qwen", "mute"):
        DeploymentStatus.objects.create(deployment=stage.deployment(project, viewer, name), health=Health.SERVING)
    return page_of(viewer)


def test_cells_are_filled_and_stay_through_live_updates(page: Page) -> None:
    page.goto("/deployments/")
    qwen, mute = (page.locator(ROW.format(name)) for name in ("qwen", "mute"))
    expect(qwen.locator("[data-traffic=tokens]")).to_have_text("100")
    expect(qwen.locator(".spark path:not(.base)")).to_have_attribute("d", re.compile("^M.*L"))
    expect(qwen.locator("[data-traffic=ttft]")).to_have_text("no traffic")
    expect(mute.locator("[data-traffic=tokens]")).to_have_text("no series")
    page.evaluate("document.querySelector('[data-traffic=tokens]').dataset.marked = 1")
    DeploymentStatus.objects.update(sentence="It came back.", health=Health.DEGRADED)
    page.evaluate(SWAP)
    expect(qwen).to_contain_text("It came back.")
    expect(page.locator("[data-marked]")).to_have_text("no series")  # the same cell, the first row's
    expect(qwen.locator("[data-traffic=tokens]")).to_have_text("100")


def test_a_row_that_comes_later_is_filled_too(page: Page) -> None:
    page.goto("/deployments/?health=degraded")
    expect(page.locator("main")).to_contain_text("No deployment matches")
    DeploymentStatus.objects.update(health=Health.DEGRADED)
    page.evaluate(SWAP)
    expect(page.locator(f"{ROW.format('qwen')} [data-traffic=tokens]")).to_have_text("100")


def test_a_silent_prometheus_is_unknown_and_says_why(page: Page) -> None:
    Cluster.objects.update(prometheus_url="http://127.0.0.1:1")
    page.goto("/deployments/")
    cell = page.locator(f"{ROW.format('qwen')} [data-traffic=tokens]")
    expect(cell).to_have_text("unknown")
    expect(cell.locator("span")).to_have_attribute("title", "Prometheus cannot be reached.")


def test_the_projects_page_has_them_too(page: Page) -> None:
    page.goto("/projects/")
    page.click("main a:has-text('team')")
    expect(page.locator(f"{ROW.format('qwen')} [data-traffic=tokens]")).to_have_text("100")
