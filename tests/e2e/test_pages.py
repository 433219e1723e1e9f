"""Every page in light and dark, wide and on a phone: nothing leaves the window, breaks the policy or bars a reader."""

import re

import pytest
from django.urls import resolve
from django.utils import timezone
from playwright.sync_api import Browser, ViewportSize, expect

from deployments import services
from deployments.choices import Connection, Health, Role
from deployments.models import ClusterStatus, Deployment, DeploymentStatus, NodeStatus, SecretValue
from llmdash.accounts.models import User
from tests import stage
from tests.access_table import ACCOUNTS, PAGES
from tests.e2e import browser
from tests.e2e.conftest import Opener, Scheme

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "NVIDIA-H100-80GB-HBM3"
UNKNOWN = "0b1c2d3e-0000-4000-8000-000000000001"


@pytest.fixture
def served() -> Deployment:
    """A deployment that the watcher has seen waiting, on a cluster with one full node."""
    project = stage.project("chat-assistants")
    owner = stage.member(project, "maria", Role.ADMIN)
    made = stage.deployment(project, by=owner, name="support-assistant-for-the-whole-of-europe")
    now = timezone.now()
    gpus = {"resource": "nvidia.com/gpu", "product": LONG, "total": 8, "used": 7, "free": 1, "largest_free": 1}
    ClusterStatus.objects.create(
        cluster=project.cluster, connection=Connection.CONNECTED, seen_at=now, nodes_known=True,
        kubernetes_version="v1.36.2", capacity={"gpus": [gpus]},
        unknown=[{"id": UNKNOWN, "namespace": "a-namespace-of-long-ago", "name": "x" * 50, "revision": 1234}],
    )  # fmt: skip
    holder = {"pod": "p", "namespace": project.namespace, "count": 7, "deployment": str(made.pk)}
    kind = {"resource": "nvidia.com/gpu", "product": LONG, "memory_mib": 81559, "allocatable": 8, "used": 7}
    NodeStatus.objects.create(
        cluster=project.cluster,
        name="gpu-node-01.rack-7.example.internal",
        ready=True,
        gpus=[kind | {"owners": [holder]}],
    )
    pod = {
        "name": f"{made.name}-6d9f7c8b54-x2x9q", "stage": "pending", "node": "", "ready": False, "restarts": 0,
        "reason": "Unschedulable", "message": "0/6 nodes are available: 4 Insufficient nvidia.com/gpu.", "ip": "",
        "gpus": 1, "current": True, "created_at": now.isoformat(), "stages": [],
    }  # fmt: skip
    SecretValue.objects.create(project=project, name="hf_token", version=1, sealed=b"")
    DeploymentStatus.objects.create(
        deployment=made, health=Health.WAITING, health_rank=Health.WAITING.rank, wanted=1, gpus=1, pods=[pod],
        sentence=f"The only replica waits: no node has 1 free {LONG}.", changed_at=now,
    )  # fmt: skip
    return made


def person() -> User:
    return User.objects.get(username="maria")


def boss() -> User:
    return User.objects.filter(username="boss").first() or stage.user("boss", is_superuser=True)


def addresses(served: Deployment) -> list[str]:
    """The pages of a member of a project: every page once, some in another state."""
    one, team = f"/deployments/{served.pk}/", f"/projects/{served.project_id}/"
    member = f"{team}members/{served.project.memberships.get().pk}/"
    acts = ("edit", "scale", "stop", "start", "restart", "delete", "try-again", "take-over", "drift-policy", "newer")
    return [
        "/", "/projects/", "/projects/?q=nothing", team, f"{team}secrets/write/",
        f"{team}secrets/hf_token/remove/", f"{team}members/add/", f"{member}role/", f"{member}remove/",
        "/activity/", "/activity/?q=nothing", "/deployments/", "/deployments/?q=nothing", "/deployments/new/", one,
        *(f"{one}{act}/" for act in acts), f"/deployments/bulk/?act=delete&pk={served.pk}",
        f"{one}revisions/1/", f"{one}revisions/1/roll-back/", f"{one}pods/{served.name}-6d9f7c8b54-x2x9q/logs/",
        "/clusters/", f"/clusters/{served.project.cluster_id}/", "/not-there/",
        "/accounts/password/change/", "/accounts/2fa/", "/accounts/logout/", "/accounts/tokens/",
        "/accounts/email/", "/accounts/reauthenticate/",
        "/api/docs/", "/api/docs/?q=scale", "/api/docs/?q=nothing-is-called-so",
    ]  # fmt: skip


def offices(served: Deployment) -> list[str]:
    """The pages of a platform admin, beyond those."""
    cluster, team = f"/clusters/{served.project.cluster_id}/", f"/projects/{served.project_id}/"
    return [
        "/clusters/new/", cluster, f"{cluster}settings/", f"{cluster}accept/", f"{cluster}forget/",
        f"{cluster}unknown/{UNKNOWN}/adopt/",
        "/projects/new/", f"{team}rename/", f"{team}remove/",
    ]  # fmt: skip


# Parts of pages, files, what is for machines, what leads elsewhere, and what allauth has and nobody is led to.
NO_PAGES = re.compile(
    r"overview/traffic/|deployments/traffic/|activity/export/|.*/nodes/|.*/charts/|stream/|metrics|healthz|readyz|clusters/test/|.*/test/"
    r"|accounts/(login|signup|inactive|confirm-email|password/(reset|set)|2fa/.+|\^.+|tokens/.+/revoke)/?.*"
)


def test_every_page_is_among_them(served: Deployment) -> None:
    known = [address.partition("?")[0] for address in addresses(served) + offices(served) if address != "/not-there/"]
    looked_at = {resolve(address).route for address in known}
    pages = {route for route, cases in (PAGES | ACCOUNTS).items() if any(case.method == "GET" for case in cases)}
    assert {route for route in pages - looked_at if not NO_PAGES.fullmatch(route)} == set()


@pytest.mark.parametrize("viewport", [browser.WIDE, browser.PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_are_readable(
    served: Deployment, page_of: Opener, live_server: object, viewport: ViewportSize, scheme: Scheme
) -> None:
    for user, found in ((person(), addresses(served)), (boss(), offices(served))):
        page = page_of(user, viewport, scheme)
        errors, hosts = browser.listen(page), browser.others(page, str(live_server))
        for address in found:
            page.goto(address)
            assert browser.beyond(page) == [], address
            assert browser.barriers(page) == [], address
        assert (errors, hosts) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_before_sign_in_are_readable(chromium: Browser, live_server: object, scheme: Scheme) -> None:
    page = chromium.new_context(base_url=str(live_server), viewport=browser.PHONE, color_scheme=scheme).new_page()
    errors, hosts = browser.listen(page), browser.others(page, str(live_server))
    for address in ("/accounts/login/?next=/clusters/", "/accounts/password/reset/", "/accounts/signup/"):
        page.goto(address)
        assert (browser.beyond(page), browser.barriers(page)) == ([], []), address
    page.goto("/accounts/login/")
    page.fill("input[name=login]", "nobody")
    page.fill("input[name=password]", "wrong")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main [role=alert]")).to_be_visible()
    assert browser.barriers(page) == []
    assert (errors, hosts) == ([], [])


def test_the_list_says_why_in_words(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto("/deployments/")
    row = page.locator(f"[data-live-row='{served.pk}']")
    expect(row).to_contain_text("Waiting")
    expect(row).to_contain_text(f"no node has 1 free {LONG}")


def test_scale_opens_as_a_dialog_and_makes_a_revision(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto(f"/deployments/{served.pk}/")
    page.keyboard.press("s")
    page.locator("#ask #id_replicas").fill("3")
    page.locator("#ask [type=submit]").click()
    expect(page.locator(".messages")).to_contain_text("is being scaled")
    assert served.revisions.order_by("-number")[0].spec.replicas == 3


def test_delete_waits_for_the_name(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto(f"/deployments/{served.pk}/")
    page.locator("summary[aria-label='More actions']").click()
    page.locator(".menu-list >> text=Delete").click()
    submit = page.locator("#ask [type=submit]")
    expect(submit).to_be_disabled()
    page.locator("#ask #id_confirm").fill(served.name)
    submit.click()
    expect(page.locator(".messages")).to_contain_text("is being deleted")


def test_what_was_typed_is_there_after_a_reload(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto("/deployments/new/")
    page.fill("#id_llm", "Qwen/Qwen3-8B")
    page.fill("#id_secret_env", "HF_TOKEN=hush")
    page.reload()
    expect(page.locator("#id_llm")).to_have_value("Qwen/Qwen3-8B")
    expect(page.locator("#id_secret_env")).to_have_value("")


def test_a_member_joins_and_leaves_by_dialogs(served: Deployment, page_of: Opener) -> None:
    stage.user("bob")
    page = page_of(person())
    page.goto(f"/projects/{served.project_id}/")
    page.locator("section[aria-labelledby='members-title'] >> text=Add").click()
    page.locator("#ask #id_name").fill("nobody")
    page.locator("#ask [type=submit]").click()
    expect(page.locator("#ask #id_name_error")).to_contain_text("There is no active person of this name.")
    page.locator("#ask #id_name").fill("bob")
    page.locator("#ask [type=submit]").click()
    expect(page.locator(".messages")).to_contain_text("has a new member")
    page.wait_for_load_state()  # before its script is there a link just leads on
    page.locator("a[aria-label='Remove bob']").click()
    page.locator("#ask [type=submit]").click()
    expect(page.locator(".messages")).to_contain_text("has one member less")
    assert [row.holder for row in served.project.memberships.all()] == ["maria"]


def test_keys_lead_to_search_rows_and_help(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto("/deployments/")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("a.name").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_the_second_of_two_editors_sees_what_the_first_did(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto(f"/deployments/{served.pk}/edit/")
    services.scale(deployment=served, replicas=4, by=person())
    page.fill("#id_gpus", "2")
    page.locator("main button[type=submit].btn-primary").click()
    expect(page.locator("#conflict-title")).to_contain_text("maria saved revision 2")
    expect(page.locator("#id_gpus")).to_have_value("2")


def test_mistakes_stand_beside_their_field(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto("/deployments/new/")
    page.fill("#id_name", "chat")
    page.locator("main button[type=submit].btn-primary").click()
    expect(page.locator("#id_llm_error")).to_contain_text("needs an LLM to serve")
    expect(page.locator("#id_llm")).to_be_focused()
    expect(page.locator("#id_name")).to_have_value("chat")


def test_a_dialog_shows_what_another_person_did_meanwhile_and_then_acts(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto(f"/deployments/{served.pk}/")
    page.keyboard.press("s")
    page.locator("#ask #id_replicas").fill("3")
    page.locator("#ask #id_reason").fill("Traffic")
    services.scale(deployment=served, replicas=4, by=person())
    page.locator("#ask [type=submit]").click()
    expect(page.locator("#ask #conflict-title")).to_contain_text("maria saved revision 2")
    expect(page.locator("#ask #id_replicas")).to_have_value("3")
    expect(page.locator("#ask #id_reason")).to_have_value("Traffic")
    assert browser.barriers(page) == []
    assert served.revisions.count() == 2
    page.locator("#ask [type=submit]").dblclick()
    expect(page.locator(".messages")).to_contain_text("is being scaled")
    assert list(served.revisions.order_by("number").values_list("spec_json__replicas", flat=True)) == [1, 4, 3]


def test_a_dialog_shows_what_is_wrong_beside_its_field(served: Deployment, page_of: Opener) -> None:
    page = page_of(person())
    page.goto(f"/deployments/{served.pk}/")
    page.keyboard.press("s")
    page.locator("#ask form").evaluate("form => { form.noValidate = true; }")
    page.locator("#ask #id_replicas").fill("100000")
    page.locator("#ask [type=submit]").click()
    expect(page.locator("#ask #id_replicas_error")).to_contain_text("or less here")
    expect(page.locator("#ask #id_replicas")).to_be_focused()
    page.locator("#ask #id_replicas").fill("2")
    page.locator("#ask [type=submit]").click()
    expect(page.locator(".messages")).to_contain_text("is being scaled")


def test_rows_that_are_chosen_stay_so_when_the_list_changes(served: Deployment, page_of: Opener) -> None:
    other = stage.deployment(served.project, by=person(), name="other")
    page = page_of(person())
    page.goto("/deployments/")
    expect(page.locator("#bulk button[value=stop]")).to_be_disabled()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-picked]")).to_have_text("1 chosen")
    services.delete(deployment=other, by=person())
    expect(page.locator(f"[data-live-row='{other.pk}'] .health")).to_contain_text("Deleting", timeout=20_000)
    expect(page.locator("[data-pick]").first).to_be_checked()
    page.locator("[data-pick-all]").check()
    expect(page.locator("[data-picked]")).to_have_text("2 chosen")
    page.locator("#bulk button[value=stop]").click()
    expect(page.locator("main")).to_contain_text("It is being deleted already.")
    page.locator("main button[type=submit]").click()
    expect(page.locator(".messages")).to_contain_text("is being stopped.")
