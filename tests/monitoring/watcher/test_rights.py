"""A watcher that may not read the whole cluster reads what it may, and says what it cannot know."""

import secrets
from collections.abc import Iterator

import pytest

from deployments import services
from deployments.models import Deployment, NodeStatus
from deployments.spec import Spec
from tests import stage
from tests.deployments.reconcile.play import IMAGE, Play
from tests.monitoring.watcher.watching import Watching, cluster_status, connected, eventually, status, until

pytestmark = [pytest.mark.plane, pytest.mark.usefixtures("hollow_nodes")]
RESOURCES = "pods,services,configmaps,events,deployments.apps,replicasets.apps"
NO_NODES = "Capacity is unknown: llmdash is not allowed to list nodes."
ONLY_OURS = "Only the projects' own pods are counted: llmdash may not list those of other namespaces."


@pytest.fixture
def narrow(play: Play) -> str:
    """The token of a ServiceAccount with rights in the project's namespace only."""
    play.kubectl("create", "serviceaccount", "narrow")
    allow(play, play.namespace)
    return play.kubectl("create", "token", "narrow").strip()


def allow(play: Play, namespace: str) -> None:
    """Let it read in a namespace."""
    play.plane.kubectl("-n", namespace, "create", "role", "read", "--verb=get,list,watch", f"--resource={RESOURCES}")
    subject = f"--serviceaccount={play.namespace}:narrow"
    play.plane.kubectl("-n", namespace, "create", "rolebinding", "read", "--role=read", subject)


@pytest.fixture
def second(play: Play) -> Iterator[str]:
    """Another namespace."""
    name = f"t-{secrets.token_hex(4)}"
    play.plane.kubectl("create", "namespace", name)
    yield name
    play.plane.kubectl("delete", "namespace", name, "--wait=false")


def begun(play: Play, watching: Watching, token: str) -> Deployment:
    """A deployment that llmdash made when it could still do all, watched with few rights."""
    row = play.create("qwen", replicas=0)
    play.move(play.plane.url, token)
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


def test_a_project_that_comes_later_is_watched_too(play: Play, watching: Watching, narrow: str, second: str) -> None:
    begun(play, watching, narrow)
    allow(play, second)
    wanted = Spec.model_validate(IMAGE | {"replicas": 0})
    project = stage.project("later", cluster=play.cluster, namespace=second)
    row = services.create(project=project, name="later", spec=wanted, by=play.maria)
    assert until(row, "stopped").sentence == "Stopped."


def test_a_namespace_that_is_denied_is_unknown_and_leaves_the_others_alone(
    play: Play, watching: Watching, narrow: str, second: str
) -> None:
    wanted = Spec.model_validate(IMAGE | {"replicas": 0})
    project = stage.project("shut", cluster=play.cluster, namespace=second)
    shut = services.create(project=project, name="shut", spec=wanted, by=play.maria)
    begun(play, watching, narrow)
    connected(play)
    seen = until(shut, "unknown")
    assert f'is forbidden: User "system:serviceaccount:{play.namespace}:narrow"' in seen.sentence
    allow(play, second)
    until(shut, "stopped")


def test_rights_that_are_taken_away_delete_nothing(play: Play, watching: Watching, narrow: str) -> None:
    row = begun(play, watching, narrow)
    play.kubectl("scale", "deployment", "qwen", "--replicas=2")
    eventually(lambda: len(status(row).pods) == 2, "its pods are seen")
    play.kubectl("delete", "rolebinding", "read")
    seen = until(row, "unknown")
    assert "forbidden" in seen.sentence
    assert len(seen.pods) == 2
    play.kubectl("create", "rolebinding", "read", "--role=read", f"--serviceaccount={play.namespace}:narrow")
    until(row, "stopped")
    assert cluster_status(play).connection == "connected"


def test_nodes_without_other_peoples_pods_are_counted_with_a_note(play: Play, watching: Watching, narrow: str) -> None:
    role = f"{play.namespace}-nodes"
    play.plane.kubectl("create", "clusterrole", role, "--verb=get,list,watch", "--resource=nodes")
    subject = f"--serviceaccount={play.namespace}:narrow"
    play.plane.kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", subject)
    begun(play, watching, narrow)
    eventually(lambda: cluster_status(play).capacity.get("gpus"), "the GPUs are counted")
    assert cluster_status(play).notes == [ONLY_OURS]
    assert NodeStatus.objects.count() == 2
