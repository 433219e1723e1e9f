"""The pictures of the docs: `python -m tests.story.screenshots [FOLDER]` starts a demo, fills it and takes them all, in
light and dark."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, expect

from tests.e2e import browser
from tests.story.stack import ROOT, Stack, running, sign_in

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TRAFFIC_SECONDS = 270  # charts of a new deployment show its last five minutes
LIVE = 20_000  # milliseconds
DEPLOYMENTS = [
    {"name": "chat", "llm": "Qwen/Qwen3-8B", "gpus": "1", "gpu_type": "NVIDIA-L4", "replicas": "2"},
    {"name": "code", "llm": "Qwen/Qwen3-Coder-30B-A3B-Instruct", "gpus": "2", "gpu_type": "NVIDIA-A100-SXM4-80GB"},
    {"name": "llama-70b", "llm": "meta-llama/Llama-3.3-70B-Instruct", "gpus": "4", "gpu_type": "NVIDIA-H100-80GB-HBM3",
     "replicas": "2"},
    {"name": "reasoning", "llm": "deepseek-ai/DeepSeek-R1", "gpus": "8", "gpu_type": "NVIDIA-H100-80GB-HBM3",
     "replicas": "2"},
    {"name": "try-out", "llm": "google/gemma-3-27b-it", "image": "vllm/vllm-openai:missing", "gpus": "1"},
]  # fmt: skip


def take(folder: Path) -> None:
    """All pictures, into `folder`."""
    with running("llmdash.demo", "--cluster", "sandbox") as stack, browser.chromium() as chromium:
        page = chromium.new_context(viewport=browser.WIDE).new_page()
        sign_in(page, stack)
        state = page.context.storage_state()
        form(page, stack, **DEPLOYMENTS[0])
        shot(page, folder, "new")
        deploy(page)
        expect(page.locator("main")).to_contain_text("loading the weights", timeout=LIVE)
        shot(page, folder, "starting")
        chat = page.url
        for wanted in DEPLOYMENTS[1:]:
            form(page, stack, **wanted)
            deploy(page)
        time.sleep(TRAFFIC_SECONDS)
        for name, path in {"overview": "/", "deployments": "/deployments/"}.items():
            page.goto(f"{stack.url}{path}")
            shot(page, folder, name)
        page.goto(chat)
        shot(page, folder, "deployment")
        page.goto(f"{stack.url}/clusters/")
        page.click(f"main a:has-text('{stack.cluster}')")
        shot(page, folder, "cluster")
        phone = chromium.new_context(viewport=browser.PHONE, storage_state=state).new_page()
        phone.goto(chat)
        shot(phone, folder, "phone")


def form(page: Page, stack: Stack, **fields: str) -> None:
    """The form of a new deployment, filled."""
    page.goto(f"{stack.url}/deployments/new/")
    for field, value in fields.items():
        page.fill(f"main input[name={field}]", value)
    page.evaluate("scrollTo(0, 0)")


def deploy(page: Page) -> None:
    """Send it; the deployment's page follows."""
    page.click("main form button[type=submit]")
    expect(page.locator("#revisions")).to_be_visible(timeout=LIVE)


@contextmanager
def scheme(page: Page, name: Literal["light", "dark"]) -> Iterator[None]:
    """The page as one sees it who prefers that scheme."""
    page.emulate_media(color_scheme=name)
    page.wait_for_timeout(1500)  # charts are drawn anew
    yield
    page.emulate_media(color_scheme="light")


def shot(page: Page, folder: Path, name: str) -> None:
    """What the window shows, in both schemes."""
    page.wait_for_load_state()
    for wanted in SCHEMES:
        with scheme(page, wanted):
            page.screenshot(path=folder / f"{name}-{wanted}.png")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/screenshots"
    target.mkdir(parents=True, exist_ok=True)
    take(target)
