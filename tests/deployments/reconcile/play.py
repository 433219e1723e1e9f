"""A project on the real control plane, with kubectl as the witness of what llmdash did there."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from deployments import kube, reconcile, services
from deployments.choices import Action, DriftPolicy, Role
from deployments.models import AuditEntry, Cluster, Deployment, Project, Revision
from deployments.spec import Spec
from llmdash.accounts.models import User
from tests import stage
from tests.controlplane.plane import ControlPlane
from tests.deployments.kube.servers import Request, Server, answer, serving

PATIENCE = 20.0
IMAGE = {"runtime": "custom", "image": "registry.example/app:1"}
HOP_BY_HOP = ("host", "connection", "content-length", "accept-encoding")
Json = dict[str, Any]


@dataclass
class Play:
    """The stage of one test: a cluster row of the plane, a project in a namespace of its own, and its operator."""

    plane: ControlPlane
    namespace: str
    cluster: Cluster
    project: Project
    maria: User

    def create(self, name: str = "gpt-4", *, policy: DriftPolicy = DriftPolicy.HEAL, **spec: Any) -> Deployment:
        """A Deployment with its first Revision, worked on."""
        made = self.wish(name, policy=policy, **spec)
        reconcile.drain()
        return self.row(made)

    def wish(self, name: str = "gpt-4", *, policy: DriftPolicy = DriftPolicy.HEAL, **spec: Any) -> Deployment:
        """The rows only."""
        wanted = Spec.model_validate(IMAGE | spec)
        return services.create(project=self.project, name=name, spec=wanted, by=self.maria, drift_policy=policy)

    def revise(self, deployment: Deployment, **fields: Any) -> Deployment:
        """The newest spec with other fields, worked on."""
        services.change(deployment=self.row(deployment), action=Action.REVISE, by=self.maria, fields=fields)
        reconcile.drain()
        return self.row(deployment)

    def again(self, deployment: Deployment) -> Deployment:
        """The same Revision once more."""
        reconcile.look_again(str(deployment.pk))
        reconcile.drain()
        return self.row(deployment)

    def delete(self, deployment: Deployment) -> Deployment:
        """Ask for the removal and work until the row is gone."""
        services.delete(deployment=self.row(deployment), by=self.maria)

        def gone() -> bool:
            reconcile.look_again(str(deployment.pk))
            reconcile.drain()
            return self.row(deployment).gone_at is not None

        eventually(gone)
        return self.row(deployment)

    def row(self, deployment: Deployment) -> Deployment:
        return Deployment.objects.select_related("project__cluster").get(pk=deployment.pk)

    def secret(self, value: str, name: str = "TOKEN") -> str:
        return str(services.store_secret(project=self.project, name=name, value=value, by=self.maria).pk)

    def live(self, kind: str, name: str = "gpt-4") -> Json:
        """The object as kubectl shows it, with managedFields."""
        text = self.kubectl("get", kind, name, "-o", "json", "--show-managed-fields")
        found: Json = json.loads(text)
        return found

    def exists(self, kind: str, name: str = "gpt-4") -> bool:
        return bool(self.kubectl("get", kind, name, "--ignore-not-found"))

    def names(self, kinds: str = "deployment,service,configmap,secret") -> list[str]:
        """kind/name of everything there but what Kubernetes puts into each namespace."""
        found = self.kubectl("get", kinds, "-o", "name").split()
        return sorted(name.replace(".apps", "") for name in found if "kube-root-ca" not in name)

    def replica_sets(self) -> int:
        return len(self.kubectl("get", "replicaset", "-o", "name").split())

    def kubectl(self, *arguments: str, **more: Any) -> str:
        return self.plane.kubectl("-n", self.namespace, *arguments, **more)

    def put(self, *manifests: Json) -> None:
        """Somebody else's objects."""
        self.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def api(self) -> kube.Connection:
        return kube.connect(self.cluster)

    def operator(self, actor: str = "maria") -> kube.Identity:
        return kube.Identity(self.namespace, Role.OPERATOR, actor)

    @contextmanager
    def through(self, before: Callable[[Request], bytes | None]) -> Iterator[Server]:
        """Reach the plane by a proxy that shows each request to `before`, which may answer in the plane's stead."""
        with self.plane.client() as client:

            def pass_on(request: Request) -> bytes:
                if (said := before(request)) is not None:
                    return said
                kept = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
                got = client.request(request.method, request.target, headers=kept, content=request.body)
                return answer(got.status_code, got.content)

            with serving(pass_on) as server:
                self.move(server.url)
                yield server
        self.move(self.plane.url)

    @contextmanager
    def losing_answers(self, part: str) -> Iterator[None]:
        """Writes to this part of a path arrive at the plane, and their answers never come back: what a worker knows
        that dies just then."""

        def lose(request: Request) -> bytes | None:
            if request.method != "PATCH" or part not in request.target:
                return None
            kept = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
            with self.plane.client() as client:
                assert client.request("PATCH", request.target, headers=kept, content=request.body).status_code < 300
            return answer(500, "{}")

        with self.through(lose):
            yield

    def move(self, url: str, token: str = "") -> None:
        """Another address of the API server, or another token."""
        self.cluster.api_url = url
        self.cluster.seal_credentials({"token": token or self.plane.token})
        self.cluster.credentials_changed_at = timezone.now()
        self.cluster.save()

    def audited_lines(self) -> list[str]:
        """The API server's audit log, without a last line that is being written."""
        text = self.plane.audit_log.read_text()
        return text[: text.rfind("\n") + 1].splitlines()

    def writes(self) -> list[Json]:
        """What llmdash changed in the namespace as a role, from the API server's audit log."""
        lines = [line for line in self.audited_lines() if self.namespace in line]
        entries = [json.loads(line) for line in lines]
        return [
            entry
            for entry in entries
            if entry["userAgent"] == "llmdash"
            and entry["stage"] == "ResponseComplete"
            and entry["verb"] in ("patch", "delete", "create", "update")
            and "impersonatedUser" in entry
            and entry["objectRef"]["resource"] != "selfsubjectaccessreviews"
        ]


def plain_service(name: str = "gpt-4", port: int = 81) -> Json:
    """A Service that a person made."""
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"made-by": "hand"}},
        "spec": {"selector": {"app": "other"}, "ports": [{"port": port}]},
    }  # fmt: skip


def audited(deployment: Deployment, *actions: str) -> list[AuditEntry]:
    """The audit's entries of a row, oldest first."""
    found = AuditEntry.objects.filter(target_id=str(deployment.pk)).order_by("id")
    return list(found.filter(action__in=actions) if actions else found)


def newest(deployment: Deployment) -> Revision:
    return Revision.objects.filter(deployment=deployment).latest("number")


def eventually(check: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := check()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
    return found


def in_threads(count: int, act: Callable[[], Any]) -> None:
    """The same act in several threads that begin together, each with its own database connection."""
    barrier = threading.Barrier(count)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            barrier.wait(PATIENCE)
            act()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 3)
    assert not failures, failures


@pytest.fixture
def play(plane: ControlPlane, namespace: str, transactional_db: None, settings: Any) -> Play:
    """Everything on the real control plane."""
    settings.LLMDASH = settings.LLMDASH | {"BACKOFF_FIRST_SECONDS": 0.2, "BACKOFF_LAST_SECONDS": 5}
    cluster = stage.cluster("plane", ca_pem=plane.ca_pem)
    project = stage.project("team", cluster=cluster, namespace=namespace)
    made = Play(plane, namespace, cluster, project, stage.member(project, "maria@example.com", Role.OPERATOR))
    made.move(plane.url)
    return made
