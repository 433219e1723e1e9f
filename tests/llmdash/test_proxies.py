"""Whom the web believes where a visitor is and by which scheme he came, and its pages under a path of a host."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from deployments.models import ClusterStatus
from llmdash.accounts.models import User
from llmdash.demo import state
from llmdash.proxies import Proxies
from tests import stage
from tests.e2e import browser as browsers
from tests.e2e import server as servers

ROOT = Path(__file__).resolve().parents[2]
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}


def passed_on(peer: str, headers: dict[str, str], *, path: str = "/", base: str = "") -> dict[str, Any]:
    """The scope that the application gets."""
    got: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        got.update(scope)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "client": (peer, 1), "path": path, "headers": raw}
    asyncio.run(Proxies(app, ["10.0.0.0/8", "::1"], base)(scope, Any, Any))  # type: ignore[arg-type]
    return got


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "evil", "Accept": "*/*"}


@pytest.mark.parametrize("peer", ["10.1.2.3", "::1"])
def test_a_trusted_proxy_is_believed(peer: str) -> None:
    got = passed_on(peer, FORWARDED)
    assert (got["scheme"], got["client"][0], got["headers"]) == ("https", "192.0.2.7", [(b"accept", b"*/*")])


@pytest.mark.parametrize("peer", ["11.1.2.3", "127.0.0.1", "2001:db8::1"])
def test_nobody_else_is_believed(peer: str) -> None:
    got = passed_on(peer, FORWARDED)
    assert (got["scheme"], got["client"][0], got["headers"]) == ("http", peer, [(b"accept", b"*/*")])


def test_a_forged_first_hop_is_not_taken_for_the_visitor() -> None:
    got = passed_on("10.1.2.3", {"X-Forwarded-For": "1.1.1.1, 192.0.2.7, 10.9.9.9"})
    assert got["client"][0] == "192.0.2.7"


@pytest.mark.parametrize("path", ["/llmdash/deployments/", "/deployments/"])
def test_the_base_path_may_be_stripped_or_not(path: str) -> None:
    got = passed_on("10.1.2.3", {}, path=path, base="/llmdash")
    assert (got["path"], got["root_path"]) == ("/llmdash/deployments/", "/llmdash")


@pytest.mark.parametrize(
    ("path", "seen"), [("/llmdash", "/llmdash/"), ("/", "/llmdash/"), ("/llmdashes/", "/llmdash/llmdashes/")]
)
def test_the_edges_of_the_base_path(path: str, seen: str) -> None:
    assert passed_on("10.1.2.3", {}, path=path, base="/llmdash")["path"] == seen


# ---- a real proxy in front of the real web


class Proxy(ThreadingHTTPServer):
    """Ends TLS, so to say: passes everything on with the headers that such proxies set."""

    daemon_threads = True

    def __init__(self, port: int, strip: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Forward)
        self.upstream, self.strip = port, strip
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Forward(BaseHTTPRequestHandler):
    server: Proxy
    scheme = "https"

    def do_GET(self) -> None:
        """Pass one request on, and its answer back as it comes."""
        path = self.path.removeprefix(self.server.strip)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = dict(self.headers.items()) | {"X-Forwarded-For": "192.0.2.7"}
        headers["X-Forwarded-Proto"] = headers.pop("X-Test-Scheme", "http")
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        try:
            upstream.request(self.command, path, body, headers)
            answer = upstream.getresponse()
        except (OSError, http.client.HTTPException):
            return  # the web ended
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        try:
            while chunk := answer.read1(65_536):
                self.wfile.write(chunk)
                self.wfile.flush()
        except (OSError, http.client.IncompleteRead):
            pass  # the visitor left, or the web ended

    do_POST = do_GET  # noqa: N815  (http.server's own spelling)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def maria(transactional_db: None, settings: Any) -> User:
    """She signs in at a process that knows nothing of the tests' quick hasher."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    return stage.user("maria")


@contextmanager
def proxied(strip: str = "", **more: str) -> Iterator[Proxy]:
    """A web under /llmdash and a proxy in front of it."""
    with servers.running(LLMDASH_BASE_PATH="/llmdash", **more) as web:
        proxy = Proxy(web.port, strip)
        yield proxy
        proxy.shutdown()
        proxy.server_close()


@pytest.mark.parametrize("strip", ["", "/llmdash"])
def test_everything_works_under_a_path(maria: User, strip: str) -> None:
    with proxied(strip) as proxy, httpx.Client(base_url=proxy.url, trust_env=False, timeout=60) as visitor:
        first = visitor.get("/llmdash/deployments/")
        assert first.headers["location"] == "/llmdash/accounts/login/?next=/llmdash/deployments/"
        page = visitor.get(first.headers["location"])
        assert 'href="/llmdash/static/css/layout.css"' in page.text
        assert 'href="/llmdash/"' in page.text
        assert visitor.get("/llmdash/static/css/layout.css").headers["content-type"].startswith("text/css")
        form = {"login": "maria", "password": stage.PASSWORD, "next": "/llmdash/deployments/"}
        token = {"X-CSRFToken": visitor.cookies["csrftoken"]}
        entered = visitor.post("/llmdash/accounts/login/", data=form, headers=token)
        assert entered.headers["location"] == "/llmdash/deployments/"
        assert "sessionid=" in entered.headers["set-cookie"]
        assert "Path=/llmdash/" in entered.headers["set-cookie"]
        listed = visitor.get("/llmdash/deployments/")
        assert listed.status_code == 200
        assert 'data-stream="/llmdash/stream/"' in listed.text
        assert 'href="/deployments' not in listed.text
        assert visitor.get("/llmdash/api/v1/deployments/").status_code == 200
        assert "/llmdash/activity/" in visitor.get("/llmdash/").text
        with visitor.stream("GET", "/llmdash/stream/") as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            assert next(stream.iter_lines()).startswith("event: ")


def test_probes_need_neither_the_path_nor_tls(transactional_db: None) -> None:
    more = {"LLMDASH_BASE_PATH": "/llmdash", "LLMDASH_HTTPS": "1", "LLMDASH_DEBUG": "0", "LLMDASH_METRICS_TOKEN": "m"}
    with servers.running(**more) as web, httpx.Client(base_url=web.url, trust_env=False, timeout=60) as kubelet:
        for path in ("/healthz", "/llmdash/healthz", "/readyz"):
            assert kubelet.get(path, headers={"Host": "10.244.1.7:8000"}).status_code == 200, path
        prometheus = {"Host": "10.244.1.7:8000", "Authorization": "Bearer m"}
        assert kubelet.get("/metrics", headers=prometheus).status_code == 200
        assert kubelet.get("/metrics").status_code == 301, "who signs in does so by TLS"


def test_behind_tls_cookies_are_secure_and_plain_http_is_sent_on(maria: User) -> None:
    with proxied(LLMDASH_HTTPS="1") as proxy:
        plain = httpx.get(f"{proxy.url}/llmdash/accounts/login/", trust_env=False, timeout=60)
        assert (plain.status_code, plain.headers["location"][:8]) == (301, "https://")
        assert plain.headers["location"].endswith("/llmdash/accounts/login/")
        secure = httpx.get(
            f"{proxy.url}/llmdash/accounts/login/", headers={"X-Test-Scheme": "https"}, trust_env=False, timeout=60
        )
        assert secure.status_code == 200
        assert "max-age=31536000" in secure.headers["strict-transport-security"]
        assert "Secure" in secure.headers["set-cookie"]
        form = {"login": "maria", "password": stage.PASSWORD}
        token = secure.cookies["csrftoken"]
        sent = {"X-Test-Scheme": "https", "X-CSRFToken": token, "Cookie": f"csrftoken={token}"}
        sent["Origin"] = proxy.url.replace("http:", "https:")
        entered = httpx.post(
            f"{proxy.url}/llmdash/accounts/login/", data=form, headers=sent, trust_env=False, timeout=60
        )
        assert (entered.status_code, entered.headers["location"]) == (302, "/llmdash/")


def test_a_proxy_that_is_not_named_is_not_believed(transactional_db: None) -> None:
    with proxied(LLMDASH_HTTPS="1", LLMDASH_TRUSTED_PROXIES="192.0.2.1", FORWARDED_ALLOW_IPS="") as proxy:
        page = httpx.get(
            f"{proxy.url}/llmdash/accounts/login/", headers={"X-Test-Scheme": "https"}, trust_env=False, timeout=60
        )
        assert page.status_code == 301


@pytest.mark.browser
def test_a_page_is_alive_under_a_path(maria: User) -> None:
    project = stage.project("team")
    ClusterStatus.objects.create(cluster=project.cluster, seen_at=timezone.now())
    client = Client()
    client.force_login(maria)
    with proxied() as proxy, browsers.chromium() as chromium:
        context = chromium.new_context(base_url=proxy.url)
        context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": f"{proxy.url}/llmdash/"}]
        )
        page = context.new_page()
        errors, failed = browsers.listen(page), list[str]()
        page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
        page.goto("/llmdash/")
        page.wait_for_selector("#live[data-state=live]", timeout=60_000)
        assert page.url == f"{proxy.url}/llmdash/"
        page.goto("/llmdash/deployments/")
        page.click("a.brand")
        page.wait_for_url(f"{proxy.url}/llmdash/")
        assert (errors, failed) == ([], [])
        context.close()


# ---- production's settings


def test_deploy_checks_find_nothing_in_production(tmp_path: Path) -> None:
    state.ensure(tmp_path)
    (tmp_path / "secret_key").write_text("s3cret-" * 10)
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "SECRET_KEY_FILE": str(tmp_path / "secret_key"),
        "LLMDASH_ENCRYPTION_KEY_FILE": str(tmp_path / "encryption_key"),
        "LLMDASH_STATE_DIR": str(tmp_path),
        "DATABASE_URL": "postgres://llmdash:x@127.0.0.1:1/llmdash",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "ALLOWED_HOSTS": "llmdash.example.org",
        "LLMDASH_HTTPS": "1",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues (2 silenced)" in done.stdout + done.stderr, json.dumps([done.stdout, done.stderr])
