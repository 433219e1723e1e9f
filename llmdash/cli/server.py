"""The REST API as the commands use it: who is asked, as whom, and what a refusal becomes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import httpx

from llmdash import __version__
from llmdash.cli import kept

REFUSED, NOT_THERE, CONFLICT, LATE, NOTHING, SILENT = 1, 3, 4, 5, 6, 7  # exit codes
CODES = {404: NOT_THERE, 412: CONFLICT, 502: SILENT, 503: SILENT, 504: SILENT}
SECONDS = 30
HERE = ("localhost", "127.0.0.1", "::1")
Row = dict[str, Any]


class Failed(click.ClickException):
    """A command that ends with a sentence and an exit code."""

    def __init__(self, message: str, exit_code: int = REFUSED, code: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click's own way of saying it
        self.code = code

    def about(self, what: str) -> "Failed":
        """The same, said of something."""
        return Failed(f"{what}: {self.message}", self.exit_code, self.code)

    def show(self, file: Any = None) -> None:
        click.echo(f"llmdash: {self.message}", err=True)


@dataclass
class Target:
    """Which server is meant; asked for when a command needs it."""

    url: str = ""
    token_file: str = ""
    ca_file: str = ""

    @cached_property
    def server(self) -> "Server":
        """The server, with the token for it. Raises Failed when there is none."""
        known = kept.read()
        url = self.url or known.get("server", "")
        if not url:
            raise Failed("Which server? `llmdash login URL` remembers one; --server or LLMDASH_SERVER name one.")
        token = self.token() or (known.get("token", "") if same(url, known.get("server", "")) else "")
        if not token:
            raise Failed(f"There is no token for {url}: `llmdash login {url}`, or LLMDASH_TOKEN.")
        return Server(url, token, self.ca_file or known.get("ca_file", ""))

    def token(self) -> str:
        """From a file or the environment."""
        if self.token_file:
            try:
                return Path(self.token_file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Failed(f"{self.token_file} cannot be read.") from error
        return os.environ.get("LLMDASH_TOKEN", "").strip()


class Server:
    """One server's API."""

    def __init__(self, url: str, token: str, ca_file: str = "", seconds: float = SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Failed(f"{url} is no address; write it whole: https://llmdash.example.org")
        if parts.scheme == "http" and parts.hostname not in HERE:
            raise Failed("Over http everybody on the way would read the token: use https.")
        self.url = url.rstrip("/")
        try:
            self.client = httpx.Client(
                base_url=f"{self.url}/api/v1", timeout=seconds, verify=ca_file or True,
                headers={"Authorization": f"Bearer {token}", "User-Agent": f"llmdash/{__version__}"},
            )  # fmt: skip
        except (OSError, UnicodeEncodeError) as error:
            raise Failed(f"The token or the file {ca_file or 'of certificates'} cannot be used.") from error

    def __call__(self, method: str, path: str, body: Any = None, /, *, params: Any = None, **headers: str) -> Any:
        """The answer's body. Raises Failed for every refusal, with what is wrong and where."""
        return self.answer(method, path, body, params=params, **headers)[0]

    def answer(
        self, method: str, path: str, body: Any = None, /, *, params: Any = None, **headers: str
    ) -> tuple[Any, httpx.Response]:  # fmt: skip
        """Body and answer. Headers are named like If_Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            answer = self.client.request(method, path, json=body, params=params, headers=named)
        except httpx.HTTPError as error:
            raise Failed(f"{self.url} does not answer: {why(error)}", SILENT) from error
        if answer.is_success:
            return read(answer), answer
        raise refusal(answer)

    def every(self, path: str, **params: Any) -> Iterator[Row]:
        """All rows of a list, page by page."""
        page = 1
        while True:
            body = self("GET", path, params=params | {"page": page, "page_size": 200})
            yield from body["results"]
            if not body["next"]:
                return
            page += 1

    def deployment(self, name: str) -> Row:
        """The deployment of that name: a row of the list. Raises Failed when it is not there, or there are several."""
        project, _, last = name.rpartition("/")
        narrowed = {"name": last} | ({"project": project} if project else {})
        found = list(self.every("/deployments", **narrowed))
        if not found:
            raise Failed(f"There is no deployment {name} that you may see.", NOT_THERE)
        if len(found) > 1:
            places = ", ".join(sorted(f"{row['project']}/{row['name']}" for row in found))
            raise Failed(f"There are several; say which: {places}")
        return found[0]

    def tag(self, row: Row) -> str:
        """The ETag of a deployment as it was when its row was read: the API's own form of it."""
        _, answer = self.answer("GET", f"/deployments/{row['id']}")
        return str(answer.headers["ETag"])

    def project(self, name: str) -> Row:
        """The project of that name."""
        for row in self.every("/projects", search=name):
            if row["name"] == name:
                return row
        raise Failed(f"There is no project {name} that you may see.", NOT_THERE)


def read(answer: httpx.Response) -> Any:
    """A JSON body; nothing for an empty one."""
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError as error:
        raise Failed("What answers there is no llmdash.", SILENT) from error


def refusal(answer: httpx.Response) -> Failed:
    """Problem details (RFC 9457) as lines for people."""
    try:
        said: Row = answer.json()
        lines = [str(said["detail"])]
    except (ValueError, KeyError, TypeError):
        return Failed(f"The server answered {answer.status_code} and nothing that llmdash would say.", SILENT)
    lines += [f"  {fault['pointer'] or '/'}: {fault['detail']}" for fault in said.get("errors", [])]
    lines += [
        f"  {change['field']}: {change['before']!r} became {change['after']!r}" for change in said.get("changes", [])
    ]
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        lines.append("  `llmdash login URL` gives it a token.")
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        lines.append(f"  request {said.get('request_id')}")
    code = str(said.get("code", ""))
    fallback = CONFLICT if code in ("conflict", "stale") else REFUSED
    return Failed("\n".join(lines), CODES.get(answer.status_code, fallback), code)


def why(error: httpx.HTTPError) -> str:
    """The transport's failure, short."""
    if isinstance(error, httpx.TimeoutException):
        return f"not within {SECONDS} s."
    return str(error) or type(error).__name__


def same(one: str, other: str) -> bool:
    """Whether two addresses are of one server."""
    return one.rstrip("/") == other.rstrip("/")
