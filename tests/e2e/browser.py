"""A real Chromium, and what is looked for on every page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, ViewportSize, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 812}
# Boxes that reach beyond the window, those aside that scroll by themselves.
BEYOND = """() => {
    const width = document.documentElement.clientWidth;
    const scrolls = ".scroll-x, .results, .chips, pre, dialog, .skip, [class*=visually-hidden], caption, thead";
    return [...document.querySelectorAll("body, body *")]
        .filter((el) => el.getBoundingClientRect().width && el.getBoundingClientRect().right > width + 1)
        .filter((el) => !el.closest(scrolls))
        .map((el) => `${el.tagName}.${el.className}`);
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window. The test fails where it is missing: `make test` installs it."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is not installed here; `make install` gets it")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in this thread; no test awaits in it
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def listen(page: Page) -> list[str]:
    """Errors of script and of the content security policy, as they come."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if is_fault(message) else None)
    return found


def is_fault(message: ConsoleMessage) -> bool:
    """What script complains of; not the browser's own line about an answer of 4xx, or the refused stream."""
    return message.type in ("error", "warning") and "Failed to load resource" not in message.text


def others(page: Page, ours: str) -> list[str]:
    """Requests to other hosts than ours, as they come."""
    found: list[str] = []
    page.on("request", lambda request: None if request.url.startswith((ours, "data:")) else found.append(request.url))
    return found


def without_stream(page: Page) -> None:
    """Refuse the event stream, which a WSGI server cannot give."""

    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/stream/**", refuse)


def beyond(page: Page) -> list[str]:
    """Elements that leave the window at the right."""
    found: list[str] = page.evaluate(BEYOND)
    return found


def barriers(page: Page) -> list[str]:
    """What axe finds, as "rule: element"."""
    answer: dict[str, Any] = Axe().run(page).response
    return [f"{rule['id']}: {node['html'][:200]}" for rule in answer["violations"] for node in rule["nodes"]]
