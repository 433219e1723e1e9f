"""The story of one deployment, in a real browser, on the sandbox and on a real control plane.

Deploy from a form, watch the pods come up, scale without restarting what runs, break it, see it heal, roll back,
stop, start, restart, delete. After each step kubectl says whether it is so.
"""

import json
import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.controlplane import build
from tests.controlplane.fixtures import shared_or_skip
from tests.e2e import browser
from tests.story.stack import Stack, eventually, running, sign_in

LIVE = 60_000  # milliseconds that a page may take to show what the cluster did; pods start at ten times real speed


@pytest.fixture(scope="module", params=["sandbox", "real"])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The sandbox with the embedded database and queue, as `make demo` starts it; the real control plane with
    PostgreSQL and Redis, as in production. The witness is the kubectl that is built with the control plane; the
    sandbox does with one on PATH. Each has a database of its own."""
    shared_or_skip(build.programs if request.param == "real" else build.kubectl)
    command: tuple[str, ...] = ("llmdash.demo", "--cluster", "sandbox")
    servers: dict[str, str] = {}
    if request.param == "real":
        command = ("tests.story.production",)
        servers = {
            "STORY_DATABASE_URL": request.getfixturevalue("postgres_server").create(f"story_{uuid.uuid4().hex}"),
            "STORY_REDIS_URL": request.getfixturevalue("redis_server"),
        }
    with running(*command, **servers) as started:
        yield started


@pytest.fixture(scope="module")
def page(stack: Stack) -> Iterator[Page]:
    """One person's browser for the whole story."""
    with browser.chromium() as chromium:
        opened = chromium.new_context(viewport=browser.WIDE).new_page()
        opened.set_default_timeout(20_000)
        sign_in(opened, stack)
        yield opened


def deployment(stack: Stack, name: str = "qwen") -> dict:  # type: ignore[type-arg]  # JSON
    found: dict[str, object] = json.loads(stack.kubectl("get", "deployment", name, "-o", "json"))
    return found


def pods(stack: Stack) -> dict[str, str]:
    """Names and uids of the pods that are not going away."""
    items = json.loads(stack.kubectl("get", "pods", "-l", "app=qwen", "-o", "json"))["items"]
    return {
        item["metadata"]["name"]: item["metadata"]["uid"]
        for item in items
        if "deletionTimestamp" not in item["metadata"]
    }


def ready(stack: Stack) -> int:
    return int(deployment(stack)["status"].get("readyReplicas", 0))


def act(page: Page, stack: Stack, name: str, **fields: str) -> None:
    """Press a button of the deployment's page by its own address, as one without script would."""
    page.goto(f"{address(page, stack)}{name}/")
    for field, value in fields.items():
        page.fill(f"main input[name={field}]", value)
    page.click("main form button[type=submit]")
    page.wait_for_load_state()


def address(page: Page, stack: Stack) -> str:
    """The page of the one deployment."""
    found = re.match(rf"{stack.url}/deployments/[0-9a-f-]{{36}}/", page.url)
    if not found:
        page.goto(f"{stack.url}/deployments/")
        page.click("table tbody a")
        page.wait_for_url(re.compile(r"/deployments/[0-9a-f-]{36}/"))
        return address(page, stack)
    return found[0]


def shows(page: Page, text: str) -> None:
    """The page says it, without a reload."""
    expect(page.locator("main")).to_contain_text(text, timeout=LIVE)


def test_01_an_empty_list_says_what_belongs_there(page: Page, stack: Stack) -> None:
    assert "qwen" not in stack.kubectl("get", "deployments,services,pods", "-o", "name")
    expect(page.locator("main")).to_contain_text("New deployment")
    expect(page).to_have_title(re.compile("Deployments"))


def test_02_a_form_deploys_an_llm_and_its_pods_come_up_on_gpu_nodes(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/deployments/new/")
    for field, value in {
        "name": "qwen", "llm": "Qwen/Qwen3-8B", "gpus": "1", "gpu_type": "NVIDIA-H100-80GB-HBM3", "replicas": "2",
    }.items():  # fmt: skip
        page.fill(f"main input[name={field}]", value)
    page.click("main form button[type=submit]")
    expect(page).to_have_title(re.compile("^qwen: Starting"), timeout=LIVE)
    expect(page).to_have_title(re.compile("^qwen: Serving"), timeout=LIVE)
    shows(page, "Serving on 2 replicas.")
    assert ready(stack) == 2
    nodes = stack.kubectl("get", "pods", "-l", "app=qwen", "-o", "jsonpath={.items[*].spec.nodeName}").split()
    products = {stack.kubectl("get", "node", n, "-o", r"jsonpath={.metadata.labels.nvidia\.com/gpu\.product}")
                for n in nodes}  # fmt: skip
    assert products == {"NVIDIA-H100-80GB-HBM3"}


def test_03_scaling_restarts_nothing_that_runs(page: Page, stack: Stack) -> None:
    before, sets = pods(stack), stack.kubectl("get", "rs", "-l", "app=qwen", "-o", "name")
    act(page, stack, "scale", replicas="3")
    shows(page, "Serving on 3 replicas.")
    after = pods(stack)
    assert len(after) == 3
    assert before.items() <= after.items()
    assert stack.kubectl("get", "rs", "-l", "app=qwen", "-o", "name") == sets


def test_04_a_rivals_change_is_healed_and_audited(page: Page, stack: Stack) -> None:
    address(page, stack)
    stack.kubectl("scale", "deployment/qwen", "--replicas=6")
    eventually(lambda: deployment(stack)["spec"]["replicas"] == 3)
    page.goto(address(page, stack))
    activity = page.locator("section", has=page.get_by_role("heading", name="Activity"))
    expect(activity).to_contain_text("healed: Deployment/qwen .spec.replicas", timeout=LIVE)
    expect(activity).to_contain_text("kubectl", timeout=LIVE)


def test_05_a_removed_object_comes_back_and_that_is_audited(page: Page, stack: Stack) -> None:
    before = stack.kubectl("get", "service", "qwen", "-o", "jsonpath={.metadata.uid}")
    stack.kubectl("delete", "service", "qwen", "--wait=false")

    def other() -> bool:
        uid = stack.kubectl("get", "service", "qwen", "-o", "jsonpath={.metadata.uid}", "--ignore-not-found")
        return uid not in ("", before)

    eventually(other, seconds=40)
    page.goto(address(page, stack))
    activity = page.locator("section", has=page.get_by_role("heading", name="Activity"))
    expect(activity).to_contain_text("healed: Service/qwen", timeout=LIVE)


def test_06_a_killed_pod_is_replaced(page: Page, stack: Stack) -> None:
    page.goto(address(page, stack))
    name, uid = next(iter(pods(stack).items()))
    stack.kubectl("delete", "pod", name, "--wait=false")
    eventually(lambda: uid not in pods(stack).values() and len(pods(stack)) == 3)
    eventually(lambda: ready(stack) == 3, seconds=60)
    shows(page, "Serving on 3 replicas.")


def test_07_a_broken_revision_says_why_and_the_old_pods_go_on_serving(page: Page, stack: Stack) -> None:
    act(page, stack, "edit", image="vllm/vllm-openai:missing", reason="try the next version")
    shows(page, "Serving on 2 of 3 replicas; the other one fails: the image cannot be pulled.")
    shows(page, "not found")
    assert ready(stack) == 2
    assert re.search("ImagePullBackOff|ErrImagePull", stack.kubectl("get", "pods", "-l", "app=qwen"))


def test_08_a_roll_back_serves_again(page: Page, stack: Stack) -> None:
    act(page, stack, "revisions/2/roll-back")
    shows(page, "Serving on 3 replicas.")
    containers = deployment(stack)["spec"]["template"]["spec"]["containers"]
    assert ":missing" not in containers[0]["image"]
    assert ready(stack) == 3


def test_09_logs_and_charts_are_shown(page: Page, stack: Stack) -> None:
    page.goto(address(page, stack))
    expect(page.locator("main")).to_contain_text("Generated tokens", timeout=LIVE)
    name = next(iter(pods(stack)))
    page.goto(f"{address(page, stack)}pods/{name}/logs/")
    shows(page, "Application startup complete.")
    assert "Application startup complete." in stack.kubectl("logs", name, "--tail=200")


def test_10_stop_remembers_the_replicas_and_start_brings_them_back(page: Page, stack: Stack) -> None:
    act(page, stack, "stop")
    expect(page).to_have_title(re.compile("^qwen: Stopped"), timeout=LIVE)
    eventually(lambda: not pods(stack))
    act(page, stack, "start")
    shows(page, "Serving on 3 replicas.")
    assert ready(stack) == 3


def test_11_a_restart_replaces_every_pod(page: Page, stack: Stack) -> None:
    before = set(pods(stack).values())
    act(page, stack, "restart")
    eventually(lambda: not before & set(pods(stack).values()) and ready(stack) == 3, seconds=120)
    page.goto(address(page, stack))
    shows(page, "Serving on 3 replicas.")


def test_12_the_cluster_page_shows_who_holds_which_gpu(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/clusters/")
    page.click(f"main a:has-text('{stack.cluster}')")
    held = page.locator("main").get_by_text("qwen", exact=True)
    expect(held).to_have_count(3, timeout=LIVE)
    nodes = stack.kubectl("get", "pods", "-l", "app=qwen", "-o", "jsonpath={.items[*].spec.nodeName}").split()
    for name in set(nodes):
        row = page.locator(f"[id='gpus-{name}']")
        expect(row.get_by_text("qwen", exact=True)).to_have_count(nodes.count(name))


def test_13_a_delete_wants_the_name_and_leaves_nothing(page: Page, stack: Stack) -> None:
    page.goto(f"{address(page, stack)}delete/")
    page.fill("main input[name=confirm]", "something else")
    expect(page.locator("main form button[type=submit]")).to_be_disabled()
    assert deployment(stack)["spec"]["replicas"] == 3
    act(page, stack, "delete", confirm="qwen")
    kinds = "deployments,replicasets,pods,services,configmaps,secrets"
    eventually(lambda: not stack.kubectl("get", kinds, "-l", "app=qwen", "-o", "name"), seconds=60)
    page.goto(f"{stack.url}/deployments/")
    eventually(lambda: page.reload() and "qwen" not in page.locator("main").inner_text())
