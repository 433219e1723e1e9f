"""Pages in the states that their address alone does not show: refused, made, asked again."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, ViewportSize, expect

from deployments.choices import Role
from deployments.models import Deployment
from tests import stage
from tests.e2e import browser
from tests.e2e.conftest import Opener, Scheme
from tests.e2e.test_pages import boss, person, served

__all__ = ["served"]  # a fixture
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sound(page: Page, what: str) -> None:
    """It fits and is readable."""
    assert (browser.beyond(page), browser.barriers(page)) == ([], []), what


@pytest.mark.parametrize("viewport", [browser.WIDE, browser.PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_form_answers_is_readable(
    served: Deployment, page_of: Opener, viewport: ViewportSize, scheme: Scheme
) -> None:
    page = page_of(person(), viewport, scheme)
    page.goto("/deployments/new/")
    page.locator("main button[type=submit].btn-primary").click()
    page.wait_for_selector("[id$=_error]")
    sound(page, "a deployment with mistakes")
    page.goto(f"/deployments/bulk/?act=delete&pk={served.pk}")
    page.locator("main form").evaluate("form => { form.noValidate = true; }")
    page.locator("#id_confirm").fill("delete 2")
    page.locator("main form").evaluate("form => form.submit()")
    page.wait_for_selector("[id$=_error]")
    sound(page, "a bulk act that was not confirmed")
    page.goto("/accounts/tokens/")
    page.locator("main input[name=name]").fill("ci")
    page.locator("main button[type=submit]").first.click()
    page.wait_for_load_state()
    sound(page, "a token that was made")
    page = page_of(boss(), viewport, scheme)
    page.goto("/clusters/new/")
    page.fill("#id_name", "No Name!")
    page.get_by_role("button", name="Test").click()
    page.wait_for_selector("#tested-title")
    sound(page, "a cluster that could not be tested")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_one_may_not_do_is_readable(served: Deployment, page_of: Opener, scheme: Scheme) -> None:
    viewer = stage.member(served.project, "vera", Role.VIEWER)
    page = page_of(viewer, browser.PHONE, scheme)
    for address, status in ((f"/deployments/{served.pk}/edit/", 403), ("/deployments/x/", 404)):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == status
        sound(page, address)


def test_a_dialog_whose_session_had_ended_comes_back_with_what_was_typed(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto(f"/deployments/{served.pk}/")
    page.locator("main a[data-ask]", has_text="Scale").first.click()
    page.fill("#ask [name=replicas]", "5")
    page.fill("#ask [name=reason]", "Monday")
    Session.objects.all().delete()
    page.click("#ask button[type=submit]")
    page.fill("input[name=login]", person().username)
    page.fill("input[name=password]", stage.PASSWORD)
    page.click("main button[type=submit]")
    expect(page.locator("#ask [name=replicas]")).to_have_value("5")
    expect(page.locator("#ask [name=reason]")).to_have_value("Monday")
    page.click("#ask button[type=submit]")
    expect(page.locator("body")).to_contain_text("is being scaled")
    assert served.revisions.latest("number").spec.replicas == 5
