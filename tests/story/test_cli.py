"""The story of one deployment on the command line, on the sandbox and on a real control plane.

Apply a document, wait until it serves, try a change, scale, read logs and events, break it, roll back, copy a project,
delete. After each step kubectl says whether it is so.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page

from tests.e2e import browser
from tests.story.stack import Stack, eventually, sign_in
from tests.story.test_story import stack  # noqa: F401  (a fixture)

DOCUMENT = {
    "apiVersion": "llmdash.io/v1",
    "kind": "LLMDeployment",
    "metadata": {"name": "typed", "project": "default"},
    "spec": {"llm": "Qwen/Qwen3-8B", "gpus": 1, "replicas": 1, "env": [{"name": "HF_TOKEN", "secret": {"name": "hf"}}]},
}


class Shell:
    """Somebody's shell with `llmdash` in it, logged in."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("LLMDASH")}
        self.environment |= {"XDG_CONFIG_HOME": str(folder), "NO_COLOR": "1"}

    def __call__(self, *words: str, stdin: str = "", code: int = 0) -> str:
        """What a command prints; its exit code is checked, and standard error is kept."""
        done = subprocess.run(
            [sys.executable, "-m", "llmdash.cli", *words], input=stdin, capture_output=True, text=True,
            env=self.environment, timeout=180, check=False,
        )  # fmt: skip
        self.said = done.stderr
        assert done.returncode == code, f"llmdash {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def llmdash(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Shell:  # noqa: F811
    """Logged in with a token that the admin made on the page for it."""
    with browser.chromium() as chromium:
        page: Page = chromium.new_context(viewport=browser.WIDE).new_page()
        sign_in(page, stack)
        page.goto(f"{stack.url}/accounts/tokens/")
        page.fill("main input[name=name]", "shell")
        page.select_option("main select[name=scope]", "write")
        page.click("main form button[type=submit]")
        token = page.locator("main").get_by_text("llmd_").first.inner_text().strip()
    shell = Shell(tmp_path_factory.mktemp("config"), stack.url)
    assert "takes the token; you see 1 project." in shell("login", stack.url, "--token-stdin", stdin=f"{token}\n")
    return shell


def replicas(stack: Stack) -> str:  # noqa: F811
    return stack.kubectl("get", "deployment", "typed", "-o", "jsonpath={.spec.replicas}/{.status.readyReplicas}")


def test_a_document_is_judged_applied_and_left_alone(llmdash: Shell, stack: Stack) -> None:  # noqa: F811
    text = yaml.safe_dump(DOCUMENT)
    llmdash("apply", "-f", "-", "--dry-run", stdin=text, code=1)
    assert "has no secret hf; `llmdash secret default hf` writes it" in llmdash.said
    assert llmdash("secret", "default", "hf", stdin="hf_canary") == "default hf version 1\n"
    tried = llmdash("apply", "-f", "-", "--dry-run", stdin=text)
    assert "default/typed would be created" in tried
    assert "+ llm: Qwen/Qwen3-8B" in tried
    assert llmdash("get", "deployments") == ""
    assert llmdash("apply", "-f", "-", "--wait", "--timeout", "150", stdin=text) == "default/typed created\n"
    assert "Serving on 1 replica." in llmdash.said
    assert replicas(stack) == "1/1"
    assert llmdash("apply", "-f", "-", stdin=text) == "default/typed unchanged\n"
    assert llmdash("apply", "-f", "-", stdin=llmdash("get", "deployment", "typed", "-o", "yaml")) == (
        "default/typed unchanged\n"
    )


def test_a_change_is_shown_and_scaling_waits(llmdash: Shell, stack: Stack) -> None:  # noqa: F811
    changed = DOCUMENT | {"spec": DOCUMENT["spec"] | {"replicas": 3}}  # type: ignore[operator]
    shown = llmdash("apply", "-f", "-", "--dry-run", stdin=yaml.safe_dump(changed))
    assert shown == "default/typed would be revised\n- replicas: 1\n+ replicas: 3\n"
    assert replicas(stack) == "1/1"
    assert llmdash("scale", "typed", "-r", "2", "--wait", "--timeout", "150") == "default/typed revision 2\n"
    assert replicas(stack) == "2/2"
    assert llmdash("scale", "typed", "-r", "2") == "default/typed unchanged\n"
    found = json.loads(llmdash("scale", "typed", "-r", "2", "-o", "json"))
    assert (found["revision"], found["spec"]["replicas"]) == (2, 2)
    assert json.loads(llmdash("get", "deployments", "-o", "json"))[0]["ready"] == 2
    pods = llmdash("get", "pods", "typed").splitlines()
    assert len(pods) == 3
    assert pods[0].split()[:3] == ["NAME", "STAGE", "NODE"]
    assert {line.split()[1] for line in pods[1:]} == {"ready"}


def test_logs_and_events_are_those_of_the_cluster(llmdash: Shell, stack: Stack) -> None:  # noqa: F811
    pod = llmdash("get", "pods", "typed").splitlines()[1].split()[0]
    last = llmdash("logs", "typed", "--pod", pod, "--tail", "5").splitlines()
    assert len(last) == 5
    assert set(last) & set(stack.kubectl("logs", pod, "--tail=200").splitlines())
    assert "typed" in llmdash("events", "typed")
    llmdash("logs", "typed", "--pod", "somebody-else", code=3)


def test_what_fails_ends_with_its_code_and_is_rolled_back(llmdash: Shell, stack: Stack) -> None:  # noqa: F811
    broken = DOCUMENT | {"spec": DOCUMENT["spec"] | {"replicas": 2, "image": "missing.example.com/none:1"}}  # type: ignore[operator]
    llmdash("apply", "-f", "-", "--wait", "--timeout", "5", stdin=yaml.safe_dump(broken), code=5)
    assert "Not in time" in llmdash.said
    assert llmdash("rollback", "typed", "--wait", "--timeout", "150").startswith("default/typed revision 4")
    assert "missing" not in stack.kubectl("get", "deployment", "typed", "-o", "jsonpath={..image}")
    assert llmdash("stop", "typed", "--wait", "--timeout", "60") == "default/typed revision 5\n"
    assert replicas(stack) == "0/"
    llmdash("scale", "typed", "-r", "3")
    assert "It is stopped: its replicas come with `llmdash start typed`." in llmdash.said
    audited = [line.split()[2] for line in llmdash("get", "audit", "typed").splitlines()[1:]]
    assert audited[-1] == "create"
    assert "typed" in llmdash("get", "audit")
    acts = [line.split()[1] for line in llmdash("get", "revisions", "typed").splitlines()[1:]]
    assert acts == ["scale", "stop", "roll", "revise", "scale", "create"]


def test_a_project_is_exported_and_imported_again(llmdash: Shell) -> None:
    text = llmdash("export", "default")
    kinds = [one["kind"] for one in yaml.safe_load_all(text)]
    assert kinds == ["Project", "LLMDeployment"]
    assert "hf_canary" not in text
    assert "default/typed unchanged" in llmdash("import", "-f", "-", stdin=text)
    other = ("import", "-f", "-", "-p", "copy", "--namespace", "copy")
    assert "project copy would be made" in llmdash(*other, "--dry-run", stdin=text)
    llmdash(*other, stdin=text, code=1)
    assert "Project copy has no secret hf" in llmdash.said
    llmdash("secret", "copy", "hf", stdin="another")
    assert "copy/typed created" in llmdash(*other, stdin=text)
    llmdash("get", "deployment", "typed", code=1)
    assert "There are several; say which: copy/typed, default/typed" in llmdash.said
    assert llmdash("delete", "copy/typed", "--yes", "-m", "not needed") == "copy/typed is being deleted\n"


def test_a_deployment_is_deleted_to_its_last_object(llmdash: Shell, stack: Stack) -> None:  # noqa: F811
    llmdash("delete", "default/typed", code=1)
    assert "--yes deletes without asking" in llmdash.said
    llmdash("delete", "default/typed", "--yes", "--wait", "--timeout", "60")
    eventually(lambda: stack.kubectl("get", "all", "-l", "app.kubernetes.io/instance=typed", "-o", "name") == "")
    llmdash("get", "deployment", "default/typed", code=3)


def test_who_is_not_understood_not_known_or_not_there(llmdash: Shell) -> None:
    llmdash("get", "nonsense", code=2)
    llmdash("--server", "http://127.0.0.1:1", "get", "projects", code=1)
    assert "There is no token for http://127.0.0.1:1" in llmdash.said
    llmdash.environment["LLMDASH_TOKEN"] = "wrong"
    llmdash("get", "projects", code=1)
    assert "`llmdash login URL` gives it a token." in llmdash.said
    llmdash("--server", "http://127.0.0.1:1", "get", "projects", code=7)
    llmdash("--server", "http://llmdash.example.org", "get", "projects", code=1)
    assert "use https" in llmdash.said
    del llmdash.environment["LLMDASH_TOKEN"]
    assert (llmdash.folder / "llmdash" / "login.json").stat().st_mode & 0o777 == 0o600
    llmdash("logout")
    llmdash("get", "projects", code=1)
