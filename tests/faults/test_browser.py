"""Open pages behind a proxy that cuts streams, in seven tabs, and in a browser that sleeps."""

import threading

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browser import chromium
from tests.faults.conftest import Fault
from tests.faults.person import Person
from tests.faults.site import Site, eventually
from tests.faults.wire import Wire

pytestmark = pytest.mark.plane
TABS = 7  # HTTP/1.1 allows six connections to an origin
CUT_EVERY = 2.0


@pytest.mark.fault("29", "a proxy cuts streams, seven tabs, a browser that slept", bound=20)
def test_seven_tabs_catch_up_without_a_reload(site: Site, fault: Fault) -> None:
    site.serve_pages()
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    wire, calm = Wire(site.port), threading.Event()

    def cutting() -> None:
        while not calm.wait(CUT_EVERY):
            wire.cut()

    cutter = threading.Thread(target=cutting)
    with chromium() as browser:
        context = browser.new_context(base_url=f"http://127.0.0.1:{wire.port}")
        signed_in(context, site, wire)
        tabs = [opened(context, f"/deployments/{made['id']}/") for _ in range(TABS)]
        cutter.start()
        site.act(f"/deployments/{made['id']}/scale", {"replicas": 2})
        fault.until(lambda: all(shows(tab, 2) for tab in tabs))
        calm.set()
        cutter.join()

        sleeper = context.new_cdp_session(tabs[0])
        sleeper.send("Page.setWebLifecycleState", {"state": "frozen"})
        site.act(f"/deployments/{made['id']}/scale", {"replicas": 3})
        fault.until(lambda: shows(tabs[1], 3))
        wire.cut()
        sleeper.send("Page.setWebLifecycleState", {"state": "active"})
        fault.until(lambda: all(shows(tab, 3) for tab in tabs))
        assert all(tab.evaluate("window.marked") for tab in tabs), "nobody loaded the page anew"
    wire.stop()


def signed_in(context: BrowserContext, site: Site, wire: Wire) -> None:
    cookie = {"name": "sessionid", "value": Person(site).session, "url": f"http://127.0.0.1:{wire.port}"}
    context.add_cookies([cookie])  # type: ignore[list-item]


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate("window.marked = true")
    return page


def shows(page: Page, revision: int) -> bool:
    return (page.locator("#rollout-revision").text_content() or "").startswith(f"Revision {revision},")
