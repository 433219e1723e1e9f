"""Pages of clusters: who holds what, as far as the reader may know."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from deployments.choices import Role
from deployments.models import Cluster, ClusterStatus, Deployment, NodeStatus
from llmdash.accounts.models import User
from monitoring.views import CELLS_A_KIND, cells
from tests import stage

pytestmark = pytest.mark.django_db
ABSURD = 900 * 10**15


@pytest.fixture
def made() -> Deployment:
    project = stage.project("team")
    ClusterStatus.objects.create(cluster=project.cluster, seen_at=timezone.now(), connection="connected")
    return stage.deployment(project, stage.member(project, "maria", Role.VIEWER))


def gpus(allocatable: int, *owners: tuple[str, int]) -> list[dict[str, Any]]:
    held = [
        {"pod": f"pod-{n}", "namespace": "x", "count": count, "deployment": pk} for n, (pk, count) in enumerate(owners)
    ]
    return [{"resource": "nvidia.com/gpu", "product": "H100", "memory_mib": 1, "allocatable": allocatable,
             "used": sum(count for _, count in owners), "owners": held}]  # fmt: skip


def page(cluster: Cluster, name: str = "maria") -> str:
    client = Client()
    client.force_login(User.objects.get(username=name))
    found = client.get(f"/clusters/{cluster.pk}/")
    assert found.status_code == 200
    return found.content.decode()


def test_a_node_has_a_cell_for_each_gpu_with_its_owner() -> None:
    node = NodeStatus(gpus=gpus(8, ("ours", 2), ("", 3)))
    found = cells(node, {})
    assert [cell["kind"] for cell in found] == ["other"] * 5 + ["free"] * 3


@pytest.mark.parametrize(("allocatable", "held"), [(8, ABSURD), (ABSURD, 1), (ABSURD, ABSURD), (0, 5), (2, 3)])
def test_claims_beyond_reason_make_no_endless_page(allocatable: int, held: int) -> None:
    found = cells(NodeStatus(gpus=gpus(allocatable, ("", held), ("", held))), {})
    assert len(found) == min(allocatable, CELLS_A_KIND)


def test_the_holder_is_named_to_those_who_may_see_it(made: Deployment) -> None:
    cluster = made.project.cluster
    hidden = stage.project("hidden", cluster=cluster, namespace="hidden")
    theirs = stage.deployment(hidden, stage.member(hidden, "stranger", Role.ADMIN), "their-llm")
    NodeStatus.objects.create(
        cluster=cluster, name="gpu-1", ready=True, gpus=gpus(8, (str(made.pk), 2), (str(theirs.pk), 1))
    )
    pending = [{"name": f"{row.name}-1", "namespace": "x", "deployment": str(row.pk), "gpus": 1, "reason": "no room"}
               for row in (made, theirs)]  # fmt: skip
    ClusterStatus.objects.update(pending=[*pending, pending[0] | {"name": "foreign-1", "deployment": ""}])
    mine = page(cluster)
    assert f"/deployments/{made.pk}/" in mine
    assert "qwen-1" in mine
    for secret in ("their-llm", str(theirs.pk), "foreign-1"):
        assert secret not in mine
    stage.user("boss", is_superuser=True)
    assert all(name in page(cluster, "boss") for name in ("their-llm", "foreign-1", "qwen-1"))


def test_a_cluster_that_is_not_heard_of_says_so(made: Deployment) -> None:
    ClusterStatus.objects.update(
        seen_at=timezone.now() - timedelta(hours=1), connection="rejected", message="Unauthorized"
    )
    body = page(made.project.cluster)
    assert "Credentials rejected" in body
    assert "Unauthorized" in body


def test_notes_of_what_cannot_be_known_are_shown(made: Deployment) -> None:
    note = "Capacity is unknown: llmdash is not allowed to list nodes."
    ClusterStatus.objects.update(notes=[note])
    assert note in page(made.project.cluster)


def test_strangers_see_no_cluster(made: Deployment) -> None:
    client = Client()
    client.force_login(stage.user("nobody"))
    assert client.get(f"/clusters/{made.project.cluster.pk}/").status_code == 404
    assert made.project.cluster.name not in client.get("/clusters/").content.decode()
