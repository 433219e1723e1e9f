"""What charts draw: their times are the reader's, written alike for everybody."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from deployments.choices import Role
from tests import stage
from tests.e2e.conftest import Opener

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOON = 1_782_907_200  # 2026-07-01T12:00:00Z
# What the newest drawing wrote: a chart is drawn again when its width changes.
DRAWN = """
    window.drawn = [];
    const {clearRect, fillText} = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.clearRect = function (...said) { drawn = []; clearRect.apply(this, said); };
    CanvasRenderingContext2D.prototype.fillText = function (said, ...at) {
        drawn.push(said);
        fillText.call(this, said, ...at);
    };
"""


def charted(page: Page, minutes: int) -> None:
    """Answer for the charts: one line until three hours after noon."""
    times = [NOON + 3 * 3600 - 60 * n for n in range(minutes, -1, -1)]
    data = {"x": times, "series": [{"label": "Tokens", "values": [float(n) for n in range(len(times))]}]}
    body = f"""<figure class="chart" data-chart data-unit="tokens/s"><div class="plot" hx-morph-skip></div>
        <script type="application/json">{json.dumps(data)}</script></figure>"""

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="text/html")

    page.route("**/charts/**", answer)


def test_a_minute_is_written_once(page_of: Opener) -> None:
    project = stage.project()
    row = stage.deployment(project, by=stage.member(project, "maria", Role.OPERATOR))
    page = page_of(row.revisions.get().author)
    page.add_init_script(DRAWN)
    charted(page, minutes=2)
    page.goto(f"/deployments/{row.pk}/")
    expect(page.locator(".u-over")).to_be_visible()
    times = [text for text in page.evaluate("drawn") if ":" in text]
    assert 1 <= len(times) == len(set(times)) <= 3


@pytest.mark.parametrize("locale", ["en-US", "de-DE", "ar-EG"])
def test_times_have_24_hours_in_the_readers_zone(page_of: Opener, locale: str) -> None:
    project = stage.project()
    row = stage.deployment(project, by=stage.member(project, "maria", Role.OPERATOR))
    page = page_of(row.revisions.get().author, locale=locale, timezone_id="Asia/Tokyo")
    page.add_init_script(DRAWN)
    charted(page, minutes=360)
    page.goto(f"/deployments/{row.pk}/")
    page.locator(".u-over").hover()
    expect(page.locator(".u-legend .u-value").first).to_have_text(re.compile(r"^2[0-3]:[0-5][0-9]$"))
    texts = {text for text in page.evaluate("drawn") if ":" in text or "-" in text}
    assert {"19:00", "21:00", "23:00"} <= texts
    assert "07-02" in texts, "the tick at which a day begins"
    assert all(re.fullmatch(r"[0-2][0-9]:[0-5][0-9]|[0-1][0-9]-[0-3][0-9]", text) for text in texts)
