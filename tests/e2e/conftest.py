"""What browser tests share."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, ViewportSize

from llmdash.accounts.models import User
from tests.e2e import browser as browsers

Opener = Callable[..., Page]
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="package")  # Playwright keeps a loop running, in which other tests could not start theirs
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def page_of(chromium: Browser, live_server: object) -> Iterator[Opener]:
    """`page_of(user, viewport, scheme)`: a page of a signed-in person, without the event stream."""
    contexts = []

    def opened(user: User, viewport: ViewportSize = browsers.WIDE, scheme: Scheme = "light", **more: Any) -> Page:
        client = Client()
        client.force_login(user)
        context = chromium.new_context(base_url=str(live_server), viewport=viewport, color_scheme=scheme, **more)
        contexts.append(context)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": str(live_server)}])
        page = context.new_page()
        browsers.without_stream(page)
        return page

    yield opened
    for context in contexts:
        context.close()
