"""A whole installation with the parts of production, each a process that a test may kill, suspend or cut off."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg

from deployments.crypto import new_key_line
from tests.controlplane.plane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.controlplane.processes import Part
from tests.faults.proxy import Proxy
from tests.services import Postgres, Redis

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-7c1e-of-a-secret"
# Bounds of production, shortened together: an outage and what waits for its end keep their proportions.
BOUNDS = {
    "LLMDASH_LEASE_SECONDS": "5", "LLMDASH_SWEEP_SECONDS": "1", "LLMDASH_BACKOFF_FIRST_SECONDS": "0.5",
    "LLMDASH_BACKOFF_LAST_SECONDS": "5", "LLMDASH_WATCH_SECONDS": "6", "LLMDASH_STALE_SECONDS": "10",
    "LLMDASH_REFUSED_RETRY_SECONDS": "5",    "LLMDASH_REQUEST_SECONDS": "5",
}  # fmt: skip
PEOPLE = """
import django
django.setup()
from deployments import services
from llmdash.accounts.models import User
from llmdash.accounts.services import make_token
from llmdash.accounts.choices import Scope
boss = User.objects.create_superuser("boss", password=None)
values = {"name": "east", "api_url": %(url)r, "token": %(token)r, "ca_pem": %(ca)r}
cluster = services.register_cluster(values=values, by=boss)
project = services.create_project(name="team", cluster=cluster, namespace=%(namespace)r, by=boss)
secret = services.store_secret(project=project, name="hf", value=%(canary)r, by=boss)
from django.db import transaction
with transaction.atomic():
    print(secret.pk, make_token(user=boss, name="faults", scope=Scope.WRITE)[1])
"""


SECOND = """
import django
django.setup()
from deployments import services
from llmdash.accounts.models import User
boss = User.objects.get(username="boss")
values = {"name": "west", "api_url": %(url)r, "token": %(token)r, "ca_pem": %(ca)r}
services.create_project(
    name="second", cluster=services.register_cluster(values=values, by=boss), namespace=%(namespace)r, by=boss
)
"""


class Site:
    """Web, two workers and the watcher on PostgreSQL and Redis, with a cluster behind a proxy."""

    def __init__(self, folder: Path, postgres: Postgres, redis: Redis, plane: ControlPlane, namespace: str) -> None:
        self.folder, self.postgres, self.redis, self.plane, self.namespace = folder, postgres, redis, plane, namespace
        self.acts = 0  # of people on deployments; the audit has to tell of as many
        self.secret = ""
        self.database_name = f"site_{namespace.replace('-', '_')}"
        self.database = postgres.create(self.database_name)
        self.proxy = Proxy(int(plane.url.rpartition(":")[2]), folder)
        self.environment = self._settings()
        self.python("manage.py", "upgrade_database")
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.parts = {
            "web": self._part("web", "-m", "uvicorn", "llmdash.asgi:application", "--port", str(self.port)),
            **{f"worker{n}": self._part(f"worker{n}", "-m", "celery", "-A", "llmdash", "worker", "--concurrency", "1",
                                        "--hostname", f"worker{n}@%h") for n in (1, 2)},
            "watcher": self._part("watcher", "manage.py", "watch"),
        }  # fmt: skip
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def _settings(self) -> dict[str, str]:
        key = self.folder / "encryption_key"
        key.write_text(new_key_line())
        return os.environ | BOUNDS | {
            "DATABASE_URL": self.database, "REDIS_URL": self.redis.url, "SECRET_KEY": "for faults " * 6,
            "LLMDASH_ENCRYPTION_KEY_FILE": str(key), "LLMDASH_STATE_DIR": str(self.folder), "LLMDASH_HTTPS": "0",
            "ALLOWED_HOSTS": "127.0.0.1", "LLMDASH_ALLOW_LOOPBACK": "1", "DJANGO_SETTINGS_MODULE": "llmdash.settings",
        }  # fmt: skip

    def _part(self, name: str, *arguments: str) -> Part:
        variables = [f"{key}={value}" for key, value in self.environment.items()]
        command = ["env", "-C", str(ROOT), "-i", *variables, sys.executable, *arguments]
        return Part(name, command, self.folder / f"{name}.log")

    def python(self, *arguments: str) -> str:
        """What a program of the installation prints."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def start(self) -> None:
        """Make the people, the cluster and the project, and start every part."""
        given = {"url": f"https://127.0.0.1:{self.proxy.port}", "ca": self.proxy.authority.pem, "canary": CANARY,
                 "namespace": self.namespace, "token": self.plane.token}  # fmt: skip
        self.secret, token = self.python("-c", PEOPLE % given).split()
        self.client.headers["Authorization"] = f"Bearer {token}"
        self.go_on()

    def go_on(self) -> None:
        """Start every part."""
        for part in self.parts.values():
            part.start()
        eventually(lambda: self.get("/readyz").status_code == 200, 40)

    def skew(self, name: str, offset: str) -> None:
        """Let a part live in another time: "+1h". The program `faketime` would leave its child behind."""
        part = self.parts[name]
        command, library = list(part.command), next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        at = command.index(sys.executable)
        skewed = [f"LD_PRELOAD={library}", f"FAKETIME={offset}", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        part.command = [*command[:at], *skewed, *command[at:]]
        self.restart(name)

    def log(self, name: str) -> str:
        """What a part has said so far."""
        return self.parts[name].log.read_text(errors="replace")

    def serve_pages(self) -> None:
        """Have the web find its static files, without which it shows no page."""
        self.python("manage.py", "collectstatic", "--noinput")
        self.restart("web")

    def restart(self, name: str) -> None:
        """Kill a part and start it again."""
        self.parts[name].kill()
        self.parts[name].start()
        eventually(lambda: self.get("/readyz").status_code == 200, 40)

    def rest(self) -> None:
        """Stop every part, as for maintenance."""
        for part in self.parts.values():
            part.kill()

    def stop(self) -> None:
        self.rest()
        self.proxy.stop()
        self.client.close()

    # ---- what people do

    def get(self, path: str) -> httpx.Response:
        """An answer; 599 while nobody gives one."""
        try:
            return self.client.get(path)
        except httpx.TransportError as error:
            return httpx.Response(599, text=str(error))

    def send(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        """A request that asks for something."""
        return self.client.post(f"/api/v1{path}", json=body, headers={"If-Match": "*"} | headers)

    def act(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An act of a person on a deployment, which is audited once."""
        return self.answered(self.send(path, body))

    def revise(self, made: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
        """Another spec in these parameters."""
        path = f"/api/v1/deployments/{made['id']}"
        return self.answered(self.client.patch(path, json={"spec": spec}, headers={"If-Match": "*"}))

    def answered(self, answer: httpx.Response) -> dict[str, Any]:
        """The body of an act that was taken."""
        assert answer.status_code in (200, 202), answer.text
        self.acts += 1
        found: dict[str, Any] = answer.json()
        return found

    def second_project(self) -> str:
        """A project of another cluster: the same API server, reached past the proxy. Its namespace is another."""
        self.plane.kubectl("create", "namespace", f"{self.namespace}-2")
        given = {"url": self.plane.url, "token": self.plane.token, "ca": self.plane.ca_pem,
                 "namespace": f"{self.namespace}-2"}  # fmt: skip
        self.python("-c", SECOND % given)
        return "second"

    def wanted(self, name: str, *, project: str = "team", **spec: Any) -> dict[str, Any]:
        """The body of a deployment that has an object of every kind that there is; in another project it has no
        secret."""
        env = [{"name": "TOKEN", "secret": self.secret}] if project == "team" else []
        files = [{"path": "/etc/app/a.txt", "content": "a"}]
        given = {"runtime": "custom", "image": "registry.example/app:1", "replicas": 1, "env": env, "files": files}
        return {"project": project, "name": name, "spec": given | spec}

    def deploy(self, name: str, **spec: Any) -> dict[str, Any]:
        """Ask for a deployment."""
        return self.act("/deployments", self.wanted(name, **spec))

    def status(self, made: dict[str, Any]) -> dict[str, Any]:
        """What the API says of it, nothing while it does not answer."""
        answer = self.get(f"/api/v1/deployments/{made['id']}/status")
        found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return found

    def is_applied(self, made: dict[str, Any]) -> bool:
        """Whether the newest revision of a deployment stands in the cluster."""
        return bool(self.status(made).get("settled"))

    def is_stale(self, made: dict[str, Any]) -> bool:
        """Whether its status is shown as too old to be trusted."""
        return bool(self.status(made).get("stale"))

    # ---- what is so

    def kubectl(self, *arguments: str) -> str:
        """What somebody else does or sees in the namespace."""
        return self.plane.kubectl("-n", self.namespace, *arguments)

    def replicas(self, name: str) -> int:
        """How many replicas a Deployment object has."""
        return int(self.kubectl("get", "deployment", name, "-o", "jsonpath={.spec.replicas}"))

    def objects(self, kinds: str = "secret,configmap,service,deployment") -> list[dict[str, Any]]:
        """What kubectl shows of ours in the namespaces of the site, past every proxy."""
        selector = "app.kubernetes.io/managed-by=llmdash,llmdash.io/deployment-id"
        text = self.plane.kubectl("get", kinds, "-A", "-l", selector, "-o", "json")
        found: list[dict[str, Any]] = json.loads(text)["items"]
        return [one for one in found if one["metadata"]["namespace"] in (self.namespace, f"{self.namespace}-2")]

    def rows(self, query: str) -> list[Any]:
        """What the database holds."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(query).fetchall()


def eventually(check: Callable[[], Any], seconds: float) -> float:
    """Seconds until `check` is true. Fails after the bound."""
    began = time.monotonic()
    while not check():
        taken = time.monotonic() - began
        assert taken < seconds, f"not within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - began
