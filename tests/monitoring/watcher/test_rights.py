"""A watcher that may not read the whole cluster reads what it may, and says what it cannot know."""

import secrets
from collections.abc import Iterator

import pytest

from deployments import reconcile, services
from deployments.models import Deployment, NodeStatus
from deployments.spec import Spec
from monitoring.watcher import cluster
from tests import stage
from tests.deployments.reconcile.play import IMAGE, Play
from tests.deployments.reconcile.rights import USER, Rights
from tests.monitoring.watcher.watching import Watching, cluster_status, connected, eventually, status, until

pytestmark = [pytest.mark.plane, pytest.mark.usefixtures("hollow_nodes")]
NO_NODES = "Capacity is unknown: llmdash is not allowed to list nodes."
ONLY_OURS = "Only the projects' own pods are counted: llmdash may not list those of other namespaces."


@pytest.fixture
def narrow(play: Play, rights: Rights) -> str:
    """The token of llmdash's account with the rights that `llmdash cluster-access` prints for the namespace."""
    return rights.give(play.namespace)


@pytest.fixture
def second(play: Play) -> Iterator[str]:
    """Another namespace."""
    name = f"t-{secrets.token_hex(4)}"
    play.plane.kubectl("create", "namespace", name)
    yield name
    play.plane.kubectl("delete", "namespace", name, "--wait=false")


def begun(play: Play, watching: Watching, token: str) -> Deployment:
    """A deployment that llmdash made and watches with few rights."""
    play.move(play.plane.url, token)
    row = play.create("qwen", replicas=0)
    watching.start()
    until(row, "stopped")
    return row


def test_without_rights_in_the_whole_cluster_namespaces_are_watched_and_capacity_is_unknown(
    play: Play, watching: Watching, narrow: str
) -> None:
    row = begun(play, watching, narrow)
    found = connected(play)
    assert found.notes == [NO_NODES, ONLY_OURS]
    assert (found.nodes_known, found.capacity, NodeStatus.objects.count()) == (False, {}, 0)
    play.kubectl("scale", "deployment", "qwen", "--replicas=2")
    drift = eventually(lambda: status(row).drift, "the drift is seen")
    assert drift[0]["live"] == 2
    eventually(lambda: len(status(row).pods) == 2, "its pods are seen")


def test_a_project_that_comes_later_is_watched_too(
    play: Play, watching: Watching, rights: Rights, narrow: str, second: str
) -> None:
    begun(play, watching, narrow)
    rights.give(second)
    wanted = Spec.model_validate(IMAGE | {"replicas": 0})
    project = stage.project("later", cluster=play.cluster, namespace=second)
    row = services.create(project=project, name="later", spec=wanted, by=play.maria)
    reconcile.drain()
    assert until(row, "stopped").sentence == "Stopped."


def test_a_namespace_that_is_denied_is_unknown_and_leaves_the_others_alone(
    play: Play, watching: Watching, rights: Rights, narrow: str, second: str
) -> None:
    wanted = Spec.model_validate(IMAGE | {"replicas": 0})
    project = stage.project("shut", cluster=play.cluster, namespace=second)
    shut = services.create(project=project, name="shut", spec=wanted, by=play.maria)
    begun(play, watching, narrow)
    connected(play)
    seen = until(shut, "unknown")
    assert f'is forbidden: User "{USER}"' in seen.sentence
    rights.give(second)
    reconcile.look_again(str(shut.pk))
    reconcile.drain()
    until(shut, "stopped")


def test_rights_that_are_taken_away_delete_nothing(play: Play, watching: Watching, rights: Rights, narrow: str) -> None:
    row = begun(play, watching, narrow)
    play.kubectl("scale", "deployment", "qwen", "--replicas=2")
    eventually(lambda: len(status(row).pods) == 2, "its pods are seen")
    play.kubectl("delete", "rolebinding", "llmdash")
    seen = until(row, "unknown")
    assert "forbidden" in seen.sentence
    assert len(seen.pods) == 2
    rights.give(play.namespace)
    seen = until(row, "serving")
    assert seen.sentence == "Serving on 2 replicas. The cluster was set to 2; 0 are wanted."
    assert cluster_status(play).connection == "connected"


@pytest.fixture
def nodes(play: Play, narrow: str) -> Iterator[None]:
    """The right to read nodes beside those in a namespace, as docs/cluster-access.md tells to give it."""
    play.plane.kubectl("create", "clusterrole", "llmdash-nodes", "--verb=list,watch", "--resource=nodes")
    bound = ("clusterrolebinding", "llmdash-nodes")
    play.plane.kubectl("create", *bound, "--clusterrole=llmdash-nodes", "--serviceaccount=llmdash:llmdash")
    yield
    play.plane.kubectl("delete", "clusterrole,clusterrolebinding", "llmdash-nodes")


@pytest.mark.usefixtures("nodes")
def test_nodes_without_other_peoples_pods_are_counted_with_a_note(play: Play, watching: Watching, narrow: str) -> None:
    begun(play, watching, narrow)
    eventually(lambda: cluster_status(play).capacity.get("gpus"), "the GPUs are counted")
    assert cluster_status(play).notes == [ONLY_OURS]
    assert NodeStatus.objects.count() == 2


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are asked for again every second, not every half minute."""
    monkeypatch.setattr(cluster, "REVIEW_SECONDS", 1.0)
    monkeypatch.setattr(cluster, "DOUBT_SECONDS", 0.5)


@pytest.mark.usefixtures("_often")
def test_rights_that_grow_are_used_without_a_restart(
    play: Play, watching: Watching, rights: Rights, narrow: str
) -> None:
    row = begun(play, watching, narrow)
    assert connected(play).notes == [NO_NODES, ONLY_OURS]
    rights.give()
    eventually(lambda: cluster_status(play).notes == [], "the whole cluster is watched")
    eventually(lambda: cluster_status(play).capacity.get("gpus"), "the GPUs are counted")
    assert until(row, "stopped").sentence == "Stopped."


@pytest.mark.usefixtures("_often")
def test_rights_that_shrink_to_a_namespace_still_suffice_for_it(play: Play, watching: Watching, rights: Rights) -> None:
    row = begun(play, watching, rights.give())
    assert connected(play).notes == []
    rights.withdraw()
    rights.give(play.namespace)
    eventually(lambda: cluster_status(play).notes == [NO_NODES, ONLY_OURS], "namespace by namespace")
    play.kubectl("scale", "deployment", "qwen", "--replicas=2")
    eventually(lambda: status(row).health != "unknown" and len(status(row).pods) == 2, "its pods are seen")
    assert cluster_status(play).message == ""


def test_a_project_that_goes_leaves_no_feed_and_no_complaint(
    play: Play, watching: Watching, rights: Rights, narrow: str, second: str
) -> None:
    project = stage.project("passing", cluster=play.cluster, namespace=second)
    begun(play, watching, narrow)
    eventually(lambda: "forbidden" in cluster_status(play).message, "the other namespace is denied")
    services.remove_project(project=project, by=play.maria)
    eventually(lambda: cluster_status(play).message == "", "its namespace is asked for no more")
    connected(play)
