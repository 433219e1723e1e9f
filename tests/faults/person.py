"""A person with a browser's session: forms, the event stream, and a real Chromium."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import httpx

from tests.faults.site import Site

SIGN_IN = """
import django
django.setup()
from django.test import Client
from llmdash.accounts.models import User
client = Client()
client.force_login(User.objects.get(username="boss"))
print(client.cookies["sessionid"].value)
"""


class Fields(HTMLParser):
    """What the first form of a page's content would send if nobody typed anything."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and "selected" in given:
            self.found[self._select] = given.get("value", "")
        elif tag == "textarea":
            self.found[given.get("name", "")] = ""
        elif tag == "input" and given.get("type") not in ("checkbox", "radio", "submit"):
            self.found[given.get("name", "")] = given.get("value", "")


class Person:
    """Signed in as the platform admin."""

    def __init__(self, site: Site, url: str = "") -> None:
        self.session = site.python("-c", SIGN_IN).strip()
        self.client = httpx.Client(base_url=url or site.url, trust_env=False, timeout=30)
        self.client.cookies.set("sessionid", self.session)

    def form(self, path: str) -> dict[str, str]:
        """The fields of a form's page, its hidden ones with it."""
        page = self.client.get(path)
        assert page.status_code == 200, page.text[:500]
        return Fields(page.text).found

    def post(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Send a form, as the page does."""
        return self.client.post(path, data=fields, headers={"Referer": str(self.client.base_url)})


class Follower:
    """A page's connection to the event stream, which comes back when it is cut; `gaps` are the seconds without one."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.gaps: list[float] = []
        self.ending = False

    def follow(self) -> None:
        """Until `ending`."""
        lost = time.monotonic()
        while not self.ending:
            try:
                for _ in self.lines():
                    if lost:
                        self.gaps.append(time.monotonic() - lost)
                        lost = 0.0
                    if self.ending:
                        return
            except httpx.HTTPError:
                pass
            lost = lost or time.monotonic()
            time.sleep(0.2)

    def lines(self) -> Iterator[str]:
        """What the stream says."""
        with self.person.client.stream("GET", "/stream/", timeout=httpx.Timeout(5, read=20)) as answer:
            answer.raise_for_status()
            yield from answer.iter_lines()


@contextmanager
def closing(person: Person) -> Iterator[Person]:
    """End its connections."""
    try:
        yield person
    finally:
        person.client.close()
