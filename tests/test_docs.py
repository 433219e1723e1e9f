"""The documentation: the site is built, its links lead somewhere, and the commands it names are taken."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest
from django.contrib.auth.models import Group

from deployments import services
from deployments.choices import Role
from llmdash.accounts import services as accounts
from llmdash.accounts.choices import Scope
from llmdash.cli import cli
from tests import stage

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"(?:deployments|monitoring|llmdash|tests|templates|static|charts|docs)/[\w./{},-]*[\w}]")


def name(page: Path) -> str:
    return page.name


# ---- the site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it: a warning is a failure."""
    folder = tmp_path_factory.mktemp("site")
    shell = os.environ | {"LLMDASH_STATE_DIR": str(tmp_path_factory.mktemp("state")), "SECRET_KEY": "for the site"}
    command = [str(Path(sys.executable).with_name("mkdocs")), "build", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


class Links(HTMLParser):
    """Where a page leads, and the places in it to which others may lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key in ("href", "src") and value is not None:
                self.leads.append(value)
            elif key == "id" and value:
                self.places.add(value)


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = {path: Links(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 12
    broken = []
    for path, links in pages.items():
        for lead in links.leads:
            parts = urlsplit(lead)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            if not there.exists() or (parts.fragment and parts.fragment not in pages.get(there, links).places):
                broken.append(f"{path.relative_to(site)}: {lead}")
    assert broken == []


def test_pages_ask_no_other_host_for_anything(site: Path) -> None:
    for path in site.rglob("*.html"):
        found = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)', path.read_text())
        assert [url for url in found if "canonical" not in url] == [], path


def test_the_reference_is_made_from_the_code(site: Path) -> None:
    commands = (site / "reference/cli/index.html").read_text()
    assert all(f'id="{command}"' in commands for command in cli.commands)
    assert "/api/v1/deployments/{id}/scale" in (site / "reference/rest/index.html").read_text()
    assert "<code>replicas</code>" in (site / "reference/spec/index.html").read_text()


# ---- what the pages say


def written(page: Path) -> Iterator[str]:
    """The commands of a page, line by line: of its blocks, and of code in its text."""
    text = page.read_text()
    for block in FENCE.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from CODE.findall(FENCE.sub("", text))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_of_llmdash_are_taken(page: Path) -> None:
    for line in written(page):
        for words in calls(line):
            parsed(words)


def calls(line: str) -> Iterator[list[str]]:
    """The words after `llmdash` of each call in a line of shell."""
    for part in re.split(r"\||&&|;|\$\(", line.partition(" #")[0]):
        found = re.match(r"\s*(?:\.venv/bin/)?llmdash\s+(.+?)[)\"]*\s*(?:>.*)?$", part)
        if found and not re.search(r"[…{<►]|COMMAND", found[1]):
            yield shlex.split(found[1].replace("[", "").replace("]", ""))


def parsed(words: list[str]) -> None:
    """What click makes of the words, without doing it. Raises UsageError for what it does not take."""
    first, *rest = words
    assert first in cli.commands, words
    cli.commands[first].make_context(first, rest, parent=click.Context(cli))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_has_the_targets_that_are_named(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {found[1] for line in written(page) if (found := re.search(r"(?:^|\s)make ([a-z-]+)", line))}
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_exist(page: Path) -> None:
    for code in CODE.findall(FENCE.sub("", page.read_text())):
        if "api/v1" in code or "…" in code:
            continue
        for found in FILE.findall(code):
            for path in spelled(found):
                assert (ROOT / path).exists() or list(ROOT.glob(path)), f"{page.name}: {path}"


def spelled(path: str) -> list[str]:
    """deployments/{views,api}/ are two paths."""
    found = re.search(r"\{([^}]+)\}", path)
    if not found:
        return [path.rstrip(".,")]
    return [one for part in found[1].split(",") for one in spelled(path.replace(found[0], part, 1))]


@pytest.mark.django_db(transaction=True)
def test_the_curls_of_the_rest_page_are_answered(live_server: object) -> None:
    """Each as it stands there, by a real curl and shell, with ids that are there."""
    project = stage.project("team-a")
    admin = stage.member(project, "maria", Role.ADMIN)
    Group.objects.create(name="llm-team")
    made = stage.deployment(project, admin, replicas=2)
    services.scale(deployment=made, replicas=1, by=admin)
    services.scale(deployment=made, replicas=3, by=admin)
    _, token = accounts.make_token(user=admin, name="docs", scope=Scope.WRITE)
    blocks = [block for block in FENCE.findall((ROOT / "docs/rest.md").read_text()) if block.startswith("curl")]
    assert len(blocks) >= 3
    for block in blocks:
        row = made.pk if "/deployments/$ID" in block else project.pk
        shell = os.environ | {"LLMDASH_SERVER": str(live_server), "LLMDASH_TOKEN": token, "ID": str(row)}
        script = re.sub("^curl ", "curl --silent --show-error --fail-with-body ", block, flags=re.MULTILINE)
        done = subprocess.run(["bash", "-euc", script], env=shell, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
