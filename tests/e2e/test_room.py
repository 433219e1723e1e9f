"""What the form of a new deployment says of the room there is, while one types."""

import re

import pytest
from playwright.sync_api import Page, expect

from deployments.choices import Role
from deployments.models import ClusterStatus, Deployment, Membership
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
    mig = gpus("A100 mig-1g.10gb", 7, 7, "nvidia.com/mig-1g.10gb")
    here = [gpus("H100", 6, 4), gpus("L4", 2, 1), mig, gpus("MI300X", 8, 8, "amd.com/gpu")]
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
    form.fill("main input[name=gpus]", "4")
    form.fill("main input[name=replicas]", "-3")
    expect(form.locator("[data-product]")).to_have_text("unknown")
    expect(form.locator("table.room tbody tr").first).to_have_text(re.compile(r"H100\s*east\s*6 of 8\s*4"))
    assert errors == []
    assert browser.barriers(form) == []


@pytest.mark.parametrize(
    ("row", "type_", "resource"),
    [("H100", "H100", "nvidia.com/gpu"), ("MI300X", "MI300X", "amd.com/gpu"),
     ("A100 mig-1g.10gb", "A100", "nvidia.com/mig-1g.10gb")],
)  # fmt: skip
def test_a_row_of_the_table_sets_type_and_resource_and_that_is_taken(
    form: Page, row: str, type_: str, resource: str
) -> None:
    form.get_by_role("button", name=f"Use {row} of east").click()
    foreign = "vLLM's own image is built for NVIDIA GPUs: name an image that is built for ROCm."
    say(form, foreign if row == "MI300X" else "", name="fits", gpus="1")
    say(form, "", image="registry.example/vllm:rocm")
    assert form.input_value("#id_gpu_type") == type_
    form.fill("main input[name=llm]", "Qwen/Qwen3-8B")
    form.get_by_role("button", name="Deploy").click()
    form.wait_for_url("**/deployments/*-*/")
    made = Deployment.objects.get(name="fits").revisions.get().spec
    assert (made.gpu_type, made.gpu_resource) == (type_, resource)


def test_a_type_of_another_resource_is_told_and_refused_beside_its_field(form: Page) -> None:
    say(form, "GPUs of type MI300X are amd.com/gpu on east: set that as GPU resource.", gpus="1", gpu_type="MI300X")
    form.fill("main input[name=name]", "amiss")
    form.fill("main input[name=llm]", "Qwen/Qwen3-8B")
    form.get_by_role("button", name="Deploy").click()
    expect(form.locator("#id_gpu_type_error")).to_contain_text("GPUs of this type are amd.com/gpu there")
    assert not Deployment.objects.exists()


def test_where_the_free_gpus_are_unknown_nothing_is_claimed(form: Page) -> None:
    say(form, "No node of east has 100 free GPUs now, the most is 4: replicas will wait.", gpus="100")
    form.select_option("main select[name=project]", label="other")
    say(form, "")


def test_the_yaml_is_shown_while_one_types_and_secrets_stay_here(form: Page) -> None:
    errors, sent = browser.listen(form), list[str]()
    form.on("request", lambda request: sent.append(request.post_data or "") if "/preview/" in request.url else None)
    form.fill("main textarea[name=secret_env]", "TOKEN=canary")
    form.locator("[data-preview] summary").click()
    preview = form.locator("[data-preview] [data-out]")
    expect(preview).to_contain_text("It is no deployment yet")
    form.fill("main input[name=name]", "typed")
    form.fill("main input[name=llm]", "Qwen/Qwen3-8B")
    expect(preview).to_contain_text("Deployment typed")
    expect(preview).to_contain_text("kind: Service")
    expect(preview).to_contain_text("TOKEN")
    assert sent
    assert "canary" not in "".join(sent)
    assert errors == []
    assert browser.barriers(form) == []
    assert browser.beyond(form) == []
