"""What the form of a new deployment says of the room there is, while one types."""

import re

import pytest
from playwright.sync_api import Page, expect

from deployments.choices import Role
from deployments.models import ClusterStatus, Membership
from tests import stage
from tests.e2e import browser
from tests.e2e.conftest import Opener

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def gpus(product: str, free: int | None, largest: int | None, resource: str = "nvidia.com/gpu") -> dict[str, object]:
    return {"resource": resource, "product": product, "total": 8, "used": 0, "free": free, "largest_free": largest}


@pytest.fixture
def form(page_of: Opener) -> Page:
    """Of somebody with a project on each of two clusters; `east` tells what is free, `west` may not list all pods."""
    east = stage.project("team", cluster=stage.cluster("east"))
    west = stage.project("other", cluster=stage.cluster("west"), namespace="other")
    maria = stage.member(east, "maria", Role.OPERATOR)
    Membership.objects.create(project=west, user=maria, role=Role.OPERATOR)
    here = [gpus("H100", 6, 4), gpus("L4", 2, 1), gpus("A100", 7, 7, "nvidia.com/mig-1g.10gb")]
    ClusterStatus.objects.create(cluster=east.cluster, capacity={"gpus": here})
    ClusterStatus.objects.create(cluster=west.cluster, capacity={"gpus": [gpus("H100", None, None)]})
    page = page_of(maria)
    page.goto(f"/deployments/new/?project={east.pk}")
    return page


def say(form: Page, text: str, **fields: str) -> None:
    """With these fields the hint says this, "" for no hint."""
    for name, value in fields.items():
        form.fill(f"main input[name={name}]", value)
    hint = form.locator("[data-room]")
    expect(hint).to_have_text(text)
    expect(hint).to_be_visible(visible=bool(text))


def test_too_little_room_is_told_before_the_button_is_pressed(form: Page) -> None:
    errors = browser.listen(form)
    say(form, "", gpus="4")
    say(form, "No node of east has 5 free GPUs now, the most is 4: replicas will wait.", gpus="5")
    say(form, "8 GPUs are free on east now: some replicas will wait.", gpus="3", replicas="3")
    say(
        form,
        "No node of east has 2 free GPUs of type L4 now, the most is 1: replicas will wait.",
        gpus="2",
        gpu_type="L4",
    )
    say(form, "No node of east has GPUs of type B200.", gpu_type="B200")
    say(form, "", gpus="0")
    expect(form.locator("table.room tbody tr").first).to_have_text(re.compile(r"H100\s*east\s*6 of 8\s*4"))
    assert errors == []
    assert browser.barriers(form) == []


def test_where_the_free_gpus_are_unknown_nothing_is_claimed(form: Page) -> None:
    say(form, "No node of east has 100 free GPUs now, the most is 4: replicas will wait.", gpus="100")
    form.select_option("main select[name=project]", label="other")
    say(form, "")
