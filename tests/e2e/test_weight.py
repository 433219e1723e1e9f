"""What pages weigh as they travel, from a web process as in production: static files hashed and compressed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext

from deployments.choices import Health
from deployments.models import ClusterStatus, Deployment, DeploymentStatus, NodeStatus
from tests import stage
from tests.e2e import browser, server
from tests.e2e.scale import Scale
from tests.e2e.test_pages import addresses, boss, offices, served

__all__ = ["served"]  # a fixture
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FIRST, LATER = 120_000, 20_000  # bytes
TEAMS = ("support", "legal", "sales", "research", "finance", "press", "translation")


@pytest.fixture
def production() -> Iterator[server.Web]:
    """uvicorn with its static files collected."""
    shell = {"LLMDASH_DEBUG": "0", "LLMDASH_HTTPS": "0", "ALLOWED_HOSTS": "127.0.0.1"}
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    subprocess.run(collect, cwd=server.ROOT, env=os.environ | server.environment() | shell, check=True)
    with server.running(**shell) as web:
        yield web


def signed_in(chromium: Browser, web: server.Web) -> BrowserContext:
    client = Client()
    client.force_login(boss())
    context = chromium.new_context(base_url=web.url, viewport=browser.WIDE)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": web.url}])
    return context


def many(served: Deployment) -> None:
    """As much as a page of each list holds, and more: names and causes that are not alike."""
    team, by, now = served.project, boss(), timezone.now()
    for number in range(60):
        name = f"{TEAMS[number % 7]}-{TEAMS[number % 5]}-assistant-{number * 7919 % 1000}"
        one = stage.deployment(team, by=by, name=name)
        health = list(Health)[number % len(Health)]
        sentence = f"Serving on {number % 7} of 8 replicas; the others wait: no node has {number % 8} free GPUs."
        DeploymentStatus.objects.create(
            deployment=one, health=health, health_rank=health.rank, wanted=8, ready=number % 7, gpus=number,
            sentence=sentence, changed_at=now - timedelta(minutes=number**2),
        )  # fmt: skip
        cluster = stage.cluster(f"{TEAMS[number % 7]}-{number}")
        ClusterStatus.objects.create(cluster=cluster, seen_at=now, connection="connected")
        stage.project(f"{TEAMS[number % 5]}-{number}", cluster=cluster)
        owners = [{"pod": f"{name}-x", "namespace": "x", "count": number % 8, "deployment": str(one.pk)}]
        gpus = {"resource": "nvidia.com/gpu", "product": "H100", "memory_mib": 81559, "allocatable": 8}
        NodeStatus.objects.create(
            cluster=team.cluster, name=f"gpu-{number * 7919 % 1000}.example.internal", ready=True,
            gpus=[gpus | {"used": number % 8, "owners": owners}],
        )  # fmt: skip


def test_first_and_later_views_are_light(chromium: Browser, production: server.Web, served: Deployment) -> None:
    first = signed_in(chromium, production).new_page()
    scale = Scale(first)
    many(served)
    # Nothing gets old meanwhile: a page would fetch its fragments again.
    ClusterStatus.objects.update(seen_at=timezone.now() + timedelta(hours=1))
    first.goto(f"/deployments/{served.pk}/")  # the heaviest: it draws charts
    first.wait_for_timeout(1000)
    assert 0 < scale.bytes <= FIRST, f"first view {scale.bytes:.0f}: {scale.heaviest()}"
    hosts = browser.others(first, production.url)
    for address in dict.fromkeys(addresses(served) + offices(served)):
        if address in ("/not-there/", "/accounts/logout/"):
            continue
        scale.empty()
        answer = first.goto(address)
        first.wait_for_timeout(150)
        assert answer is not None
        assert answer.ok, address
        assert scale.bytes <= LATER, f"{address} {scale.bytes:.0f}: {scale.heaviest()}"
    assert hosts == []
