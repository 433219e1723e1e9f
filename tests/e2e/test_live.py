"""Open pages hear of changes, over the real server and its event stream."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from deployments import services, stream
from deployments.choices import Connection, Health, Role
from deployments.models import ClusterStatus, Deployment, DeploymentStatus
from llmdash.accounts.models import User
from tests import stage
from tests.e2e import server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def web() -> Iterator[server.Web]:
    with server.running() as made:
        yield made


@pytest.fixture
def serving() -> Deployment:
    project = stage.project()
    made = stage.deployment(project, by=stage.member(project, "maria", Role.OPERATOR))
    ClusterStatus.objects.create(cluster=project.cluster, connection=Connection.CONNECTED, seen_at=timezone.now())
    DeploymentStatus.objects.create(deployment=made, health=Health.SERVING, sentence="Serving.", ready=1, wanted=1)
    return made


def signed_in(chromium: Browser, web: server.Web) -> BrowserContext:
    client = Client()
    client.force_login(User.objects.get(username="maria"))
    context = chromium.new_context(base_url=web.url)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": web.url}])
    return context


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#live")).to_have_text("Live")
    return page


def says(deployment: Deployment, sentence: str) -> None:
    """What the watcher does when it sees something new."""
    DeploymentStatus.objects.filter(deployment=deployment).update(health=Health.FAILING, sentence=sentence)
    stream.publish(stream.DEPLOYMENT, [deployment.pk])


def test_a_change_reaches_an_open_list_and_leaves_typed_text(
    chromium: Browser, web: server.Web, serving: Deployment
) -> None:
    page = opened(signed_in(chromium, web), "/deployments/")
    page.locator("#q").press_sequentially("half a wo")
    says(serving, "Out of memory.")
    expect(page.locator(f"[data-live-row='{serving.pk}']")).to_contain_text("Out of memory.")
    expect(page.locator("#q")).to_have_value("half a wo")
    expect(page.locator("#q")).to_be_focused()
    expect(page).to_have_title("(1 failing) Deployments · llmdash")


@pytest.mark.parametrize("address", ["/deployments/", "/deployments/{pk}/"], ids=["list", "page"])
def test_a_silent_watcher_turns_an_open_page_to_unknown_and_back(
    chromium: Browser, serving: Deployment, address: str
) -> None:
    ClusterStatus.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    with server.running(LLMDASH_STALE_SECONDS="10") as web:
        page = opened(signed_in(chromium, web), address.format(pk=serving.pk))
        badge = page.locator("main .badge").first
        expect(badge).to_have_text("Unknown")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "charts" not in request.url else None)
        ClusterStatus.objects.update(seen_at=timezone.now())  # nothing else changed, so nothing else is told
        expect(badge).to_have_text("Serving", timeout=10_000)
        expect(badge).to_have_text("Unknown", timeout=25_000)
        page.wait_for_timeout(1_000)
        count = len(asked)
        page.wait_for_timeout(3_000)
        assert len(asked) == count, "asked once, not as long as it is stale"


def test_a_page_catches_up_when_the_server_comes_back(chromium: Browser, web: server.Web, serving: Deployment) -> None:
    page = opened(signed_in(chromium, web), f"/deployments/{serving.pk}/")
    web.stop()
    expect(page.locator("#live")).not_to_have_text("Live")
    says(serving, "Out of memory.")
    web.start()
    expect(page.locator(".say")).to_have_text("Out of memory.", timeout=15_000)
    expect(page.locator("#live")).to_have_text("Live", timeout=15_000)


def test_whoever_is_signed_out_is_led_to_sign_in(chromium: Browser, web: server.Web, serving: Deployment) -> None:
    context = signed_in(chromium, web)
    page = opened(context, "/deployments/")
    context.clear_cookies()
    says(serving, "Out of memory.")
    page.wait_for_url("**/accounts/login/?next=/deployments/")


def test_a_page_says_that_its_deployment_was_deleted_and_asks_no_more(
    chromium: Browser, web: server.Web, serving: Deployment
) -> None:
    services.delete(deployment=serving, by=User.objects.get(username="maria"))
    page = opened(signed_in(chromium, web), f"/deployments/{serving.pk}/")
    expect(page.locator("main")).to_contain_text("Being deleted")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    Deployment.objects.filter(pk=serving.pk).update(gone_at=timezone.now())
    stream.publish(stream.DEPLOYMENT, [serving.pk])
    expect(page.locator("main")).to_contain_text(f"{serving.name} was deleted.")
    expect(page.locator("#charts")).to_have_count(0)
    page.wait_for_timeout(1_000)
    assert [url for url in asked if "charts" in url] == []


def test_what_went_well_is_said_until_it_is_settled(chromium: Browser, web: server.Web, serving: Deployment) -> None:
    page = signed_in(chromium, web).new_page()
    page.goto(f"/deployments/{serving.pk}/scale/")
    page.fill("#id_replicas", "2")
    page.locator("main [type=submit].btn-primary").click()
    note = page.locator("[data-passing]")
    expect(note).to_contain_text("is being scaled")
    expect(page.locator("#live")).to_have_text("Live")
    Deployment.objects.filter(pk=serving.pk).update(applied=2)
    stream.publish(stream.DEPLOYMENT, [serving.pk])
    expect(note).to_have_count(0, timeout=7_000)  # by itself it would stay for 12 s


def test_a_proxy_that_cuts_streams_leaves_pages_that_ask(
    chromium: Browser, web: server.Web, serving: Deployment
) -> None:
    context = signed_in(chromium, web)
    context.route("**/stream/**", lambda route: route.abort())
    page = context.new_page()
    page.goto(f"/deployments/{serving.pk}/")
    expect(page.locator("#live")).to_have_text("Checking every 5 s", timeout=10_000)
    says(serving, "Out of memory.")
    expect(page.locator(".say")).to_have_text("Out of memory.", timeout=10_000)
    context.unroute("**/stream/**")
    expect(page.locator("#live")).to_have_text("Live", timeout=15_000)


def test_a_page_that_slept_asks_when_it_wakes(chromium: Browser, web: server.Web, serving: Deployment) -> None:
    page = signed_in(chromium, web).new_page()
    page.clock.install()
    page.goto(f"/deployments/{serving.pk}/")
    page.clock.run_for(5_000)
    expect(page.locator("#live")).to_have_text("Live")
    DeploymentStatus.objects.update(health=Health.FAILING, sentence="Out of memory.")  # and nobody hears of it
    page.clock.fast_forward("10:00")
    page.clock.run_for(6_000)
    expect(page.locator(".say")).to_have_text("Out of memory.")
    expect(page.locator("#live")).to_have_text("Live")


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks, as by http to another machine"])
def test_nine_tabs_share_one_stream_and_the_next_takes_over(
    chromium: Browser, web: server.Web, serving: Deployment, *, locks: bool
) -> None:
    context, asked = signed_in(chromium, web), list[str]()
    if not locks:
        context.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })")
    context.on("request", lambda request: asked.append(request.url) if "/stream/" in request.url else None)
    tabs = [opened(context, f"/deployments/{serving.pk}/" if place % 2 else "/deployments/") for place in range(9)]
    assert len(asked) == 1
    says(serving, "Out of memory.")
    for tab in tabs:
        expect(tab.locator("main")).to_contain_text("Out of memory.")
    tabs.pop(0).close()  # the one that held it
    expect(tabs[0].locator("#live")).to_have_text("Live")
    says(serving, "It cannot be pulled.")
    for tab in tabs:
        expect(tab.locator("main")).to_contain_text("It cannot be pulled.", timeout=15_000)
    assert len(asked) == 2


def test_two_people_in_one_browser_do_not_share(chromium: Browser, web: server.Web, serving: Deployment) -> None:
    context, asked = signed_in(chromium, web), list[str]()
    context.on("request", lambda request: asked.append(request.url) if "/stream/" in request.url else None)
    opened(context, "/deployments/")
    other = Client()
    other.force_login(stage.member(serving.project, "vera", Role.VIEWER))
    cookie = other.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": web.url}])
    opened(context, "/deployments/")
    assert len(asked) == 2


def test_a_cluster_that_was_typed_is_there_after_signing_in_again_but_for_its_secrets(
    chromium: Browser, web: server.Web, serving: Deployment
) -> None:
    User.objects.filter(username="maria").update(is_superuser=True, is_staff=True)
    context = signed_in(chromium, web)
    page = context.new_page()
    page.goto("/clusters/new/")
    page.fill("#id_name", "west")
    page.fill("#id_api_url", "https://west.example:6443")
    page.fill("#id_token", "hush")
    context.clear_cookies()
    page.locator("main button[type=submit].btn-primary").click()
    page.wait_for_url("**/accounts/login/?next=/clusters/new/")
    sign_in(page)
    page.wait_for_url("**/clusters/new/")
    expect(page.locator("#id_name")).to_have_value("west")
    expect(page.locator("#id_api_url")).to_have_value("https://west.example:6443")
    expect(page.locator("#id_token")).to_have_value("")


def sign_in(page: Page) -> None:
    """As maria."""
    hashed = PBKDF2PasswordHasher().encode(stage.PASSWORD, "salt")  # tests have a quicker one than the server
    User.objects.filter(username="maria").update(password=hashed)
    page.fill("input[name=login]", "maria")
    page.fill("input[name=password]", stage.PASSWORD)
    page.locator("main button[type=submit]").click()


def test_text_that_was_typed_is_there_after_signing_in_again(
    chromium: Browser, web: server.Web, serving: Deployment
) -> None:
    context = signed_in(chromium, web)
    page = context.new_page()
    page.goto("/deployments/new/")
    page.fill("#id_name", "chat")
    page.fill("#id_llm", "Qwen/Qwen3-8B")
    context.clear_cookies()
    page.locator("main button[type=submit].btn-primary").click()
    page.wait_for_url("**/accounts/login/?next=/deployments/new/")
    sign_in(page)
    page.wait_for_url("**/deployments/new/")
    expect(page.locator("#id_name")).to_have_value("chat")
    expect(page.locator("#id_llm")).to_have_value("Qwen/Qwen3-8B")
    assert not Deployment.objects.filter(name="chat").exists()
    page.locator("main button[type=submit].btn-primary").click()
    page.wait_for_url(lambda url: url.endswith("/") and "new" not in url)
    page.goto("/deployments/new/")
    expect(page.locator("#id_name")).to_have_value("")
