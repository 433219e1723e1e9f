"""A newcomer's first day: a second cluster, a project with three members, and a deployment through each door.

The try-out is one cluster, a real control plane the second. kubectl says what came of each, and the activity page who
did it.
"""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.controlplane.plane import ControlPlane
from tests.e2e import browser
from tests.story.stack import Stack, eventually, running, sign_in
from tests.story.test_cli import Shell

pytestmark = [pytest.mark.plane, pytest.mark.usefixtures("hollow_nodes")]
LIVE = 60_000
SPEC = {"llm": "Qwen/Qwen3-8B", "gpus": 1, "replicas": 1}
MEMBERS = {"viewer": "viewer", "operator": "operator", "project-admin": "admin"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running("llmdash.demo", "--cluster", "sandbox") as started:
        yield started


@pytest.fixture(scope="module")
def page(stack: Stack) -> Iterator[Page]:
    with browser.chromium() as chromium:
        opened = chromium.new_context(viewport=browser.WIDE).new_page()
        opened.set_default_timeout(20_000)
        sign_in(opened, stack)
        yield opened


@pytest.fixture
def namespace(plane: ControlPlane) -> Iterator[str]:
    """One that is not there yet."""
    name = f"doors-{secrets.token_hex(4)}"
    yield name
    plane.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found", check=False)


def token_of(page: Page, stack: Stack) -> str:
    """A token for programs, made on the page for it."""
    page.goto(f"{stack.url}/accounts/tokens/")
    page.fill("main input[name=name]", "first day")
    page.select_option("main select[name=scope]", "write")
    page.click("main form button[type=submit]")
    return page.locator("main").get_by_text("llmd_").first.inner_text().strip()


def apply(folder: Path, stack: Stack, token: str) -> None:
    """Deploy a document on the command line, and wait until it serves."""
    document = folder / "by-cli.yaml"
    metadata = {"name": "by-cli", "project": "team"}
    text = {"apiVersion": "llmdash.io/v1", "kind": "LLMDeployment", "metadata": metadata, "spec": SPEC}
    document.write_text(yaml.safe_dump(text))
    shell = Shell(folder, stack.url)
    shell("login", stack.url, "--token-stdin", stdin=f"{token}\n")
    shell("apply", "-f", str(document), "--wait")


def test_a_second_cluster_a_project_and_a_deployment_through_each_door(
    page: Page, stack: Stack, plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:  # fmt: skip
    page.goto(f"{stack.url}/clusters/new/")
    page.fill("main input[name=name]", "second")
    page.fill("main textarea[name=kubeconfig]", plane.kubectl("config", "view", "--raw", "--flatten", "--minify"))
    page.get_by_role("button", name="Register").click()
    expect(page.locator("body")).to_contain_text("second is registered.", timeout=LIVE)
    expect(page.locator("main")).to_contain_text("The API server answers, and is watched.", timeout=LIVE)

    page.goto(f"{stack.url}/projects/new/")
    page.fill("main input[name=name]", "team")
    page.select_option("main select[name=cluster]", label="second")
    page.fill("main input[name=namespace]", namespace)
    page.check("main input[name=create_namespace]")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile(r"/projects/[0-9a-f-]{36}/$"))
    project = page.url
    for name, role in MEMBERS.items():
        page.goto(f"{project}members/add/")
        page.fill("main input[name=name]", name)
        page.select_option("main select[name=role]", role)
        page.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_url(project)
    expect(page.locator("table.members").first).to_contain_text("project-admin")

    page.goto(f"{stack.url}/deployments/new/?project={project.split('/')[-2]}")
    for field, value in {"name": "by-form", "llm": "Qwen/Qwen3-8B", "gpus": "1", "replicas": "1"}.items():
        page.fill(f"main input[name={field}]", value)
    page.get_by_role("button", name="Deploy").click()
    expect(page).to_have_title(re.compile("^by-form: "), timeout=LIVE)

    token = token_of(page, stack)
    answer = httpx.post(
        f"{stack.url}/api/v1/deployments", headers={"Authorization": f"Bearer {token}"},
        json={"project": "team", "name": "by-rest", "spec": SPEC},
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    apply(tmp_path, stack, token)

    names = {"by-form", "by-rest", "by-cli"}
    eventually(lambda: set(plane.kubectl("get", "deployments", "-n", namespace, "-o", "name").split())
               == {f"deployment.apps/{name}" for name in names}, seconds=60)  # fmt: skip
    page.goto(f"{stack.url}/deployments/?project=team&health=serving")
    for name in names:
        expect(page.locator("main")).to_contain_text(name, timeout=LIVE)
    page.goto(f"{stack.url}/activity/?project=team")
    told = [rf"deployment {name} created" for name in names]
    told += [rf"member {name}: {role} of team added" for name, role in MEMBERS.items()] + ["project team created"]
    for said in told:
        expect(page.get_by_role("row", name=re.compile(said))).to_have_count(1)
    page.goto(f"{stack.url}/activity/?q=second")
    expect(page.get_by_role("row", name=re.compile("cluster second registered the cluster"))).to_have_count(1)
    standing = stack.kubectl("get", "deployments", "-A", "-o", "name")
    assert not [name for name in names if name in standing], "the first cluster is untouched"
