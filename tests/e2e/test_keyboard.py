"""Everything that can be done with a mouse can be done without one, and one sees where one is."""

import pytest
from playwright.sync_api import Page, expect

from deployments.models import Deployment
from tests.e2e.conftest import Opener
from tests.e2e.test_pages import addresses, boss, offices, person, served

__all__ = ["served"]  # a fixture
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# What somebody who clicks can reach: visible, able, and not taken out of the order on purpose. Of radio buttons of one
# name the Tab key reaches the chosen one.
ACTIONS = """() => {
    const all = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    const can = (el) => el.checkVisibility({ visibilityProperty: true }) && !el.disabled && el.tabIndex >= 0
        && !el.closest("[inert]") && !(el.type === "radio" && !el.checked);
    window.actions = [...document.querySelectorAll(all)].filter(can);
    return window.actions.length;
}"""
FOCUSED = """() => {
    const el = document.activeElement, style = getComputedStyle(el);
    const shown = style.outlineStyle !== "none" || style.boxShadow !== "none";
    return [window.actions.indexOf(el), shown, el.outerHTML.slice(0, 160)];
}"""
# A live update may have taken an action away meanwhile.
LEFT = """(missing) => missing.map((n) => window.actions[n]).filter((el) => el.isConnected)
    .map((el) => el.outerHTML.slice(0, 160))"""


def unreached(page: Page) -> list[str]:
    """What the Tab key does not lead to, and where one would not see that one is there."""
    actions = set(range(page.evaluate(ACTIONS)))
    reached: set[int] = set()
    found: list[str] = []
    for _ in range(2 * len(actions) + 20):
        page.keyboard.press("Tab")
        number, is_shown, text = page.evaluate(FOCUSED)
        if number >= 0 and number not in reached and not is_shown:
            found.append(f"not seen: {text}")
        reached.add(number)
        if reached >= actions:
            break
    return found + [f"not reached: {text}" for text in page.evaluate(LEFT, sorted(actions - reached))]


def test_the_tab_key_leads_to_every_action_of_every_page(served: Deployment, page_of: Opener) -> None:
    for user, found in ((person(), addresses(served)), (boss(), offices(served))):
        page = page_of(user)
        for address in found:
            page.goto(address)
            assert unreached(page) == [], address


def test_a_deployment_is_stopped_and_its_list_walked_without_a_mouse(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto("/deployments/")
    page.keyboard.press("j")
    expect(page.locator("a.name").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/deployments/{served.pk}/")
    page.locator("text=Stop").first.focus()
    page.keyboard.press("Enter")
    submit = page.locator("#ask [type=submit]")
    expect(submit).to_be_visible()
    for _ in range(20):
        if submit.evaluate("el => el === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("is being stopped")


def test_arrows_walk_through_the_rows(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto("/clusters/")
    page.keyboard.press("ArrowDown")
    expect(page.locator("main [data-row]").first).to_be_focused()
