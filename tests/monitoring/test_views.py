"""Pages of clusters: who holds what, as far as the reader may know."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.choices import Role
from deployments.models import Cluster, ClusterStatus, Deployment, NodeStatus
from llmdash.accounts.models import User
from monitoring.nodes import CELLS_A_KIND, PAGE_SIZE, cells
from tests import stage

pytestmark = pytest.mark.django_db
ABSURD = 900 * 10**15
MOST_QUERIES = 7


@pytest.fixture
def made() -> Deployment:
    project = stage.project("team")
    ClusterStatus.objects.create(cluster=project.cluster, seen_at=timezone.now(), connection="connected")
    return stage.deployment(project, stage.member(project, "maria", Role.VIEWER))


def gpus(allocatable: int, *owners: tuple[str, int], product: str = "H100") -> list[dict[str, Any]]:
    held = [
        {"pod": f"pod-{n}", "namespace": "x", "count": count, "deployment": pk} for n, (pk, count) in enumerate(owners)
    ]
    return [{"resource": "nvidia.com/gpu", "product": product, "memory_mib": 1, "allocatable": allocatable,
             "used": sum(count for _, count in owners), "owners": held}]  # fmt: skip


def page(cluster: Cluster, name: str = "maria", more: str = "") -> str:
    client = Client()
    client.force_login(User.objects.get(username=name))
    found = client.get(f"/clusters/{cluster.pk}/{more}")
    assert found.status_code == 200
    return found.content.decode()


def test_a_node_has_a_cell_for_each_gpu_with_its_owner() -> None:
    node = NodeStatus(gpus=gpus(8, ("ours", 2), ("", 3)))
    found = cells(node, {})
    assert [cell["kind"] for cell in found] == ["other"] * 5 + ["free"] * 3
    assert {cell["kind"] for cell in cells(node, {}, rest="unknown")} == {"other", "unknown"}


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


# ---- search, filters and pages of the nodes


def many(cluster: Cluster, count: int) -> None:
    """Nodes by the dozen: every third is an A100's, every tenth is not ready."""
    NodeStatus.objects.bulk_create(
        NodeStatus(
            cluster=cluster, name=f"node-{n:04d}", ready=n % 10 != 0,
            gpus=gpus(8, ("", 2), product="H100" if n % 3 else "A100"),
        )
        for n in range(count)
    )  # fmt: skip
    types = [{"resource": "nvidia.com/gpu", "product": name, "total": 8 * count, "used": 2 * count, "free": 6 * count,
              "largest_free": 6, "nodes": count} for name in ("H100", "A100")]  # fmt: skip
    ClusterStatus.objects.update(capacity={"gpus": types}, nodes_known=True)


def nodes(body: str) -> list[str]:
    """The nodes of the table, in their order."""
    return re.findall(r'<tr id="node-([^"]+)"', body)


def test_a_page_holds_fifty_nodes_in_grid_and_table_and_summaries_count_all(made: Deployment) -> None:
    cluster = made.project.cluster
    many(cluster, 120)
    first, last = page(cluster), page(cluster, more="?page=3")
    assert nodes(first) == [f"node-{n:04d}" for n in range(PAGE_SIZE)]
    assert nodes(last) == [f"node-{n:04d}" for n in range(100, 120)]
    assert len(re.findall(r'id="gpus-node-', first)) == PAGE_SIZE
    for body in (first, last):
        assert "720 <small>of 960 free" in body
        assert re.search(r'All nodes <span class="n">120</span>', body)
    assert f'data-live-url="/clusters/{cluster.pk}/nodes/?page=3"' in last
    assert nodes(page(cluster, more="?page=99999")) == nodes(last)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=NODE-001", [f"node-{n:04d}" for n in range(10, 20)]),
        ("?gpu=A100", [f"node-{n:04d}" for n in range(0, 30, 3)]),
        ("?state=not-ready", ["node-0000", "node-0010", "node-0020"]),
        ("?state=not-ready&gpu=H100", ["node-0010", "node-0020"]),
        ("?state=nonsense&gpu=A100&q=002", ["node-0021", "node-0024", "node-0027"]),
        ("?gpu=H1", []),
        ("?gpu=%25", []),
        ("?q=%00node-0007", ["node-0007"]),
    ],
)
def test_search_and_filters_leave_what_they_say(made: Deployment, query: str, found: list[str]) -> None:
    cluster = made.project.cluster
    many(cluster, 30)
    assert nodes(page(cluster, more=query)) == found
    assert nodes(page(cluster, more=f"nodes/{query}")) == found


def test_the_controls_show_what_the_address_says(made: Deployment) -> None:
    cluster = made.project.cluster
    many(cluster, 200)
    body = page(cluster, more="?q=node&gpu=H100&page=2")
    assert 'value="node"' in body
    assert '<input type="hidden" name="gpu" value="H100">' in body
    assert re.search(r'href="\?q=node"\s+aria-current="true">H100 <span class="n">133</span>', body)
    assert re.search(
        r'href="\?q=node&amp;gpu=H100&amp;state=not-ready">.*?Not ready <span class="n">20</span>', body, re.S
    )
    assert re.search(r'rel="next"\s+href="\?q=node&amp;gpu=H100&amp;page=3"', body)


def test_a_filter_that_leaves_nothing_says_which(made: Deployment) -> None:
    cluster = made.project.cluster
    many(cluster, 3)
    said = re.sub(r"\s+", " ", page(cluster, more="?q=zulu&gpu=H200&state=not-ready"))
    assert "The cluster has 3 nodes, none of them named “zulu” with H200 not ready." in said
    assert "No nodes are known" not in said
    NodeStatus.objects.all().delete()
    assert "No nodes are known" in page(cluster)


def test_nodes_without_gpus_say_so(made: Deployment) -> None:
    NodeStatus.objects.create(cluster=made.project.cluster, name="cpu-1", ready=True)
    assert "None of these nodes has a GPU." in page(made.project.cluster)


def test_a_live_update_of_the_nodes_is_the_very_part_of_the_page(made: Deployment) -> None:
    cluster = made.project.cluster
    many(cluster, 60)
    whole, part = (re.sub(r"\s+", " ", page(cluster, more=more)) for more in ("?page=2", "nodes/?page=2"))
    assert part.strip() in whole
    assert "<html" not in part


def test_strangers_see_no_nodes(made: Deployment) -> None:
    client = Client()
    client.force_login(stage.user("nobody"))
    assert client.get(f"/clusters/{made.project.cluster.pk}/nodes/").status_code == 404


def test_clusters_come_by_pages_with_the_number_of_their_nodes(made: Deployment) -> None:
    many(made.project.cluster, 7)
    stage.member(stage.project("second", cluster=made.project.cluster, namespace="second"), "anna", Role.VIEWER)
    stage.user("boss", is_superuser=True)
    for n in range(PAGE_SIZE):
        stage.cluster(f"x-{n:02d}")
    client = Client()
    client.force_login(User.objects.get(username="boss"))
    first, second = (client.get(f"/clusters/?page={n}").content.decode() for n in (1, 2))
    rows = [re.findall(r'<tr id="cluster-', body) for body in (first, second)]
    assert [len(found) for found in rows] == [PAGE_SIZE, 1]
    assert re.search(r'data-label="nodes">\s*7\s*<', first)
    assert 'data-live-url="/clusters/?page=2"' in second
    client.force_login(User.objects.get(username="anna"))
    assert re.search(r'data-label="nodes">\s*7\s*<', client.get("/clusters/").content.decode())


# ---- cost


def queries(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as caught:
        act()
    return len(caught)


@pytest.mark.parametrize("path", ["{pk}/", "{pk}/?q=node&gpu=H100&state=not-ready", "{pk}/nodes/?gpu=H100", ""])
def test_pages_cost_the_same_for_thirty_nodes_and_one_cluster_and_for_many(made: Deployment, path: str) -> None:
    cluster, client = made.project.cluster, Client()
    client.force_login(stage.user("boss", is_superuser=True))
    path = "/clusters/" + path.format(pk=cluster.pk)
    many(cluster, 30)
    client.get(path)
    few = queries(lambda: client.get(path))
    NodeStatus.objects.all().delete()
    many(cluster, 300)
    for n in range(20):
        ClusterStatus.objects.create(cluster=stage.cluster(f"x-{n:02d}"), seen_at=timezone.now())
    assert queries(lambda: client.get(path)) == few <= MOST_QUERIES
    client.force_login(User.objects.get(username="maria"))
    assert queries(lambda: client.get(path)) <= MOST_QUERIES


# ---- the list


def registered(name: str, *, seconds_ago: float | None, word: str = "connected", version: str = "v1.36.0") -> Cluster:
    found = stage.cluster(name)
    at = None if seconds_ago is None else timezone.now() - timedelta(seconds=seconds_ago)
    ClusterStatus.objects.create(cluster=found, seen_at=at, connection=word, kubernetes_version=version)
    return found


@pytest.fixture
def three() -> Client:
    registered("east", seconds_ago=1, version="v1.35.1")
    registered("north", seconds_ago=900)
    registered("west", seconds_ago=None, word="unreachable")
    client = Client()
    client.force_login(stage.user("boss", is_superuser=True))
    return client


def listed(client: Client, query: str) -> list[str]:
    return re.findall(r"data-row>([a-z]+)</a>", client.get(f"/clusters/{query}").content.decode())


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["east", "north", "west"]),
        ("?q=WES", ["west"]),
        ("?q=nowhere", []),
        ("?state=connected", ["east"]),
        ("?state=silent", ["north", "west"]),
        ("?state=silent&q=north", ["north"]),
        ("?state=nonsense&sort=nonsense&page=nonsense", ["east", "north", "west"]),
        ("?sort=-name", ["west", "north", "east"]),
        ("?sort=version", ["east", "north", "west"]),
        ("?sort=-version", ["north", "west", "east"]),
    ],
)
def test_the_list_is_searched_filtered_and_sorted_by_its_address(three: Client, query: str, names: list[str]) -> None:
    assert listed(three, query) == names


def test_a_cluster_that_was_heard_of_too_long_ago_is_not_counted_as_connected(three: Client) -> None:
    said = " ".join(re.sub(r"<[^>]+>", " ", three.get("/clusters/").content.decode()).split())
    assert "All 3 Connected 1 Not connected 2" in said
    assert "1–3 of 3 clusters" in said


def test_a_list_that_the_filters_empty_says_so_and_offers_the_way_back(three: Client) -> None:
    found = three.get("/clusters/?q=nowhere").content.decode()
    assert "No cluster matches" in found
    assert "Clear the filters" in found
