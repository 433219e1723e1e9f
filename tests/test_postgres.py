"""What PostgreSQL takes otherwise than SQLite does: every list and page once, and the audit's chain."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.services import Postgres, postgres_server

__all__ = ["postgres_server"]
ROOT = Path(__file__).resolve().parents[1]
BEGIN = """
import django
django.setup()
from django.core.management import call_command
from django.conf import settings
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
"""
PAGES = """
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from deployments.models import ClusterStatus, DeploymentStatus, Membership, NodeStatus
from tests import stage

project = stage.project()
ada = stage.member(project, "ada", "admin")
Membership.objects.create(project=project, group=Group.objects.create(name="ml"), role="viewer")
row = stage.deployment(project, ada)
kind = {"resource": "nvidia.com/gpu", "product": "H100", "memory_mib": 1, "allocatable": 8, "used": 0, "owners": []}
gpus = {"resource": "nvidia.com/gpu", "product": "H100", "total": 8, "used": 0, "free": 8, "largest_free": 8}
ClusterStatus.objects.create(cluster=project.cluster, connection="connected", seen_at=timezone.now(), nodes_known=True,
                             capacity={"gpus": [gpus]})
NodeStatus.objects.create(cluster=project.cluster, name="n", ready=True, gpus=[kind])
DeploymentStatus.objects.create(deployment=row, health="failing", health_rank=2, sentence="x", drift=[{"object": "a"}])
browsers = {"ada": ada, "boss": stage.user("boss", is_superuser=True)}
one, team, cluster = f"/deployments/{row.pk}/", f"/projects/{project.pk}/", f"/clusters/{project.cluster_id}/"
pages = ["/", "/overview/traffic/", "/deployments/", "/deployments/?q=q&health=failing&sort=-gpus&project=team", one,
         f"{one}edit/", f"{one}revisions/1/", "/projects/", "/projects/?q=t&sort=-gpus", team, f"{team}members/add/",
         "/activity/", "/activity/?q=q&actor=a&since=2020-01-01&until=2030-01-01&kind=deployment", "/clusters/",
         "/clusters/?q=e&state=connected&sort=-heard", f"/api/v1{cluster}nodes?search=n",
         cluster, f"{cluster}nodes/?q=n&gpu=H100&state=not-ready", "/accounts/tokens/", "/api/v1/deployments?search=q",
         "/api/v1/projects", "/api/v1/clusters", "/api/v1/audit", "/api/v1/search?q=t", "/api/schema/", "/api/docs/",
         f"/api/v1/projects/{project.pk}/members", f"/api/v1/deployments/{row.pk}/status"]
for name, user in browsers.items():
    client = Client(raise_request_exception=True)
    client.force_login(user)
    for page in pages:
        status = client.get(page).status_code
        assert status == 200, (name, page, status)
print("all", len(pages))
"""


CHAIN = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connection, transaction
from deployments import audit, chain
from deployments.models import AuditEntry
from tests import stage

target = stage.cluster()
VALUES = [1.0, 1e22, 0.1, 1e-7, -0.0, "\\u00fc\\u2028", [1, {"b": None, "a": [True]}], 10**30]

def act(number):
    with transaction.atomic():
        audit.record(None, "change cluster", target, value=VALUES[number % len(VALUES)], number=number)
        audit.record(None, "change cluster", target, again=number)
    connection.close()

with ThreadPoolExecutor(8) as pool:
    list(pool.map(act, range(60)))
found = chain.verify()
AuditEntry.objects.filter(pk=AuditEntry.objects.order_by("id")[50].pk).update(actor_name="somebody")
print(found.entries, found.older, found.faults, bool(chain.verify().faults))
"""


def run(program: str, database: str, folder: Path) -> str:
    """What a program says whose database is on PostgreSQL."""
    environment = os.environ | {
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "llmdash.settings",
        "SECRET_KEY": "a key for tests only" * 4,
        "LLMDASH_STATE_DIR": str(folder),
        "LLMDASH_ENCRYPTION_KEY_FILE": settings.LLMDASH["ENCRYPTION_KEY_FILE"],
        "LLMDASH_DEBUG": "true",
        "ALLOWED_HOSTS": "testserver",
    }
    command = [sys.executable, "-c", BEGIN + program]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


@pytest.mark.timeout(240)
def test_every_page_and_list_answers_on_postgresql(postgres_server: Postgres, tmp_path: Path) -> None:
    assert run(PAGES, postgres_server.create("pages"), tmp_path) == "all 28"


@pytest.mark.timeout(240)
def test_the_chain_of_the_audit_holds_when_many_act_at_once(postgres_server: Postgres, tmp_path: Path) -> None:
    assert run(CHAIN, postgres_server.create("chain"), tmp_path) == "120 0 [] True"


RACE = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
from django.test import Client
from deployments.choices import Role
from deployments.models import Deployment
from tests import stage

project = stage.project()
maria = stage.member(project, "maria", Role.OPERATOR)

def deploy(number):
    client = Client(raise_request_exception=False)
    client.force_login(maria)
    form = {"project": str(project.pk), "name": f"same-{number // 2}", "runtime": "vllm", "llm": "Qwen/Qwen3-8B",
            "replicas": "1", "gpus": "1", "image": "vllm/vllm-openai:v0.21.0", "gpu_resource": "nvidia.com/gpu",
            "service_type": "ClusterIP", "service_port": "80", "drift_policy": "heal"}
    answer = client.post("/deployments/new/", form)
    connection.close()
    return answer.status_code

with ThreadPoolExecutor(2) as pool:
    statuses = list(pool.map(deploy, range(40)))
print(sorted({(status, statuses.count(status)) for status in statuses}), Deployment.objects.count())
"""


@pytest.mark.timeout(240)
def test_of_two_who_take_one_name_at_once_one_is_told(postgres_server: Postgres, tmp_path: Path) -> None:
    assert run(RACE, postgres_server.create("race"), tmp_path) == "[(302, 20), (422, 20)] 20"


CLAIMS = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.db import connection
from deployments.models import Deployment
from deployments.reconcile.claim import claim, me
from tests import stage

cluster = stage.cluster(max_in_flight=2)
for name in ("one", "two"):
    project = stage.project(name, cluster=cluster)
    by = stage.member(project, name, "operator")
    for number in range(15):
        stage.deployment(project, by, f"row-{number}")

def take(ready):
    ready.wait()
    claim(me())
    connection.close()

most = []
for _ in range(10):
    Deployment.objects.update(lease_owner="", lease_expires_at=None, deaths=0)
    ready = Barrier(12)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(take, [ready] * 12))
    most.append(Deployment.objects.exclude(lease_owner="").count())
print(most)
"""


@pytest.mark.timeout(240)
def test_many_workers_at_once_hold_no_more_of_a_cluster_than_it_allows(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    assert run(CLAIMS, postgres_server.create("claims"), tmp_path) == str([2] * 10)


SECRETS = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
from deployments import services
from deployments.models import SecretValue
from tests import stage

project, ada = stage.project(), stage.user("ada")

def store(number):
    services.store_secret(project=project, name="hf", value=str(number), by=ada)
    connection.close()

with ThreadPoolExecutor(4) as pool:
    list(pool.map(store, range(24)))
print(list(SecretValue.objects.order_by("version").values_list("version", flat=True)) == list(range(1, 25)))
"""


@pytest.mark.timeout(240)
def test_a_secret_that_many_store_at_once_gets_a_version_each(postgres_server: Postgres, tmp_path: Path) -> None:
    assert run(SECRETS, postgres_server.create("secrets"), tmp_path) == "True"
