"""1,000 deployments with 10,000 pods on a real control plane, and the installation that looks after them."""

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.controlplane.plane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.faults import site as sites
from tests.faults.person import Person
from tests.faults.site import Site, eventually
from tests.services import Postgres, Redis

DEPLOYMENTS, PODS_EACH = 1000, 10
NAMESPACE = "bench"
IDLE = ("kube-scheduler", "kube-controller-manager")
BEGIN = """
import json, time
import django
django.setup()
from django.db import transaction
from deployments import services
from deployments.choices import Action
from deployments.models import *
from deployments.spec import Spec
from llmdash.accounts.models import User
boss = User.objects.get(username="boss")
project = Project.objects.get(name="team")
"""
MAKE = """
spec = Spec.model_validate({"runtime": "custom", "image": "registry.example/app:1", "replicas": %(replicas)d})
for number in range(%(first)d, %(last)d):
    services.create(project=project, name=f"d-{number:04}", spec=spec, by=boss)
"""
SCALE = """
for row in Deployment.objects.filter(deleted_at__isnull=True)[%(first)d:%(last)d]:
    services.scale(deployment=row, replicas=%(replicas)d, by=boss)
"""
CHANGE = """
for row in Deployment.objects.order_by("name")[%(first)d:%(last)d]:
    services.change(deployment=row, action=Action.REVISE, by=boss, fields={"service_port": %(port)d})
"""
LOOK = """
from deployments import doorbell
from django.db.models.functions import Now
Deployment.objects.filter(gone_at__isnull=True).update(next_attempt_at=Now())
doorbell.ring()
"""
SOON = """
from datetime import timedelta
from deployments.tasks import recheck
from django.db.models.functions import Now
Deployment.objects.filter(gone_at__isnull=True).update(next_attempt_at=Now() + timedelta(seconds=200))
recheck.delay()
"""


@dataclass
class World:
    """The installation; `person` is signed in. What rows need is made when the first one asks."""

    site: Site
    plane: ControlPlane
    made: int = 0
    has_pods: bool = False

    def run(self, program: str, **values: Any) -> Any:
        """What a program of the installation prints as JSON, None when it prints nothing."""
        said = self.site.python("-c", BEGIN + (program % values if values else program))
        return json.loads(said) if said.strip() else None

    def make(self, count: int) -> None:
        """So many more deployments in the database, without replicas."""
        self.run(MAKE, first=self.made, last=self.made + count, replicas=0)
        self.made += count

    def settle(self, seconds: float = 600) -> float:
        """Seconds until everything is applied."""
        query = """select count(*) from deployments_deployment
                   where applied < desired or next_attempt_at <= now() or lease_owner <> ''"""
        return eventually(lambda: self.site.rows(query) == [(0,)], seconds)

    def full(self) -> None:
        """All deployments with all their pods, in the cluster and in the rows."""
        if self.made < DEPLOYMENTS:
            self.make(DEPLOYMENTS - self.made)
            self.settle()
        if not self.has_pods:
            self.run(SCALE, first=0, last=DEPLOYMENTS, replicas=PODS_EACH)
            self.settle()
            eventually(lambda: self.pods() >= DEPLOYMENTS * PODS_EACH, 1200)
            query = "select count(*) from deployments_deploymentstatus where jsonb_array_length(pods) >= 10"
            eventually(lambda: self.site.rows(query) == [(DEPLOYMENTS,)], 300)
            self.has_pods = True
            for name in IDLE:  # it would try in vain to place 10,000 pods, again and again
                self.plane.signal(name, signal.SIGSTOP)
            self.run(LOOK)  # the controllers have written to the objects since ours; from here on nothing moves
            self.settle()
            time.sleep(30)

    def pods(self) -> int:
        """How many pods there are, without reading them all."""
        listed = json.loads(self.plane.kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods?limit=1"))
        return 1 + int(listed["metadata"].get("remainingItemCount", 0))

    def person(self) -> Person:
        return Person(self.site)


@contextmanager
def begun() -> Iterator[World]:
    """Servers, a control plane and an installation with production's settings."""
    sites.BOUNDS.clear()
    sites.BOUNDS["LLMDASH_THROTTLE_USER"] = "off"  # one person asks more than any does
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmdash-bench-")))
        plane = stack.enter_context(ControlPlane())
        plane.kubectl("create", "namespace", NAMESPACE)
        (folder / "redis").mkdir()
        queue = Redis(folder / "redis", free_ports(1)[0])
        stack.callback(queue.part.kill)
        rows = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmdash-bench-")))
        postgres = Postgres(rows, free_ports(1)[0])
        stack.callback(postgres.part.kill)
        site = Site(folder, postgres, queue, plane, NAMESPACE)
        stack.callback(site.stop)
        for name in ("worker1", "worker2"):
            part = site.parts[name]
            part.command = ["4" if word == "1" else word for word in part.command]  # processes each, as documented
        site.start()
        site.serve_pages()
        yield World(site, plane)
