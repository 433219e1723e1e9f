"""What is wrong between us and a cluster is named, and nothing that was known is lost over it."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments import glance
from deployments.choices import Health
from deployments.models import Cluster, ClusterStatus, Deployment, DeploymentStatus, NodeStatus
from tests.deployments.kube.servers import Authority, answer, free_port, serving
from tests.deployments.reconcile.play import Play
from tests.monitoring.watcher.watching import (
    SHORT,
    Watching,
    cluster_status,
    connected,
    eventually,
    recovered,
    status,
    until,
)

pytestmark = [pytest.mark.plane, pytest.mark.usefixtures("hollow_nodes")]


def stopped(play: Play) -> Deployment:
    """A deployment that stands in the cluster and needs no node."""
    return play.create("qwen", replicas=0)


def look(row: Deployment) -> glance.Glance:
    return glance.of(glance.listed().get(pk=row.pk))


def known() -> tuple[Any, ...]:
    """What was observed, but for the connection."""
    return (
        list(DeploymentStatus.objects.values_list("health", "sentence", "pods", "drift")),
        sorted(NodeStatus.objects.values_list("name", "gpus")),
        list(ClusterStatus.objects.values_list("capacity", "nodes_known", "kubernetes_version")),
    )


def account(play: Play, name: str = "watcher") -> str:
    """The token of a ServiceAccount that may do everything."""
    play.kubectl("create", "serviceaccount", name)
    subject = f"--serviceaccount={play.namespace}:{name}"
    binding = f"{play.namespace}-{name}"
    play.plane.kubectl("create", "clusterrolebinding", binding, "--clusterrole=cluster-admin", subject)
    return play.kubectl("create", "token", name).strip()


def test_a_revoked_token_is_named_and_the_rows_stay(play: Play, watching: Watching) -> None:
    row = stopped(play)
    play.move(play.plane.url, account(play))
    watching.start()
    until(row, "stopped")
    connected(play)
    eventually(lambda: cluster_status(play).capacity.get("gpus"), "the GPUs are counted")
    before = known()
    play.kubectl("delete", "serviceaccount", "watcher")
    said = connected(play, "rejected")
    assert said.message == "Unauthorized"
    assert known() == before
    eventually(lambda: look(row).stale, "it is stale")
    seen = look(row)
    assert (seen.health, seen.sentence) == (Health.UNKNOWN, "Cluster plane is not heard of: Unauthorized")
    assert play.exists("deployment", "qwen")
    play.move(play.plane.url)
    connected(play)
    eventually(lambda: look(row).health == Health.STOPPED, "known again with the new token, without a restart")


def test_a_cluster_that_was_never_reached_says_so_and_is_tried_again(play: Play, watching: Watching) -> None:
    row = stopped(play)
    play.move(f"https://127.0.0.1:{free_port()}")
    watching.start()
    said = connected(play, "unreachable")
    assert (said.seen_at, said.message) == (None, "The API server refuses connections.")
    assert look(row).sentence == "Cluster plane has not been reached yet: The API server refuses connections."
    assert look(row).health == Health.UNKNOWN
    play.move(play.plane.url)
    until(row, "stopped")


def test_a_certificate_of_another_authority_is_not_trusted(play: Play, watching: Watching) -> None:
    row = stopped(play)
    watching.start()
    until(row, "stopped")
    Cluster.objects.filter(pk=play.cluster.pk).update(ca_pem=Authority.make().pem)
    said = connected(play, "certificate")
    assert said.message == "The API server's certificate was not signed by the given CA."
    assert status(row).health == "stopped"
    eventually(lambda: look(row).health == Health.UNKNOWN, "unknown once it is stale")
    Cluster.objects.filter(pk=play.cluster.pk).update(ca_pem=play.plane.ca_pem)
    connected(play)


@pytest.mark.parametrize(
    "body", [b"<html>Welcome to nginx!</html>", json.dumps({"hello": 1}).encode(), b"[]", b"\xff\xfe"]
)
def test_what_is_no_kubernetes_api_is_called_so(play: Play, watching: Watching, body: bytes) -> None:
    with serving(lambda _: answer(200, body)) as server:
        play.move(server.url)
        watching.start()
        said = connected(play, "wrong")
        assert said.message
        assert body.decode("latin-1") not in said.message
        asked = len(server.asked)
        time.sleep(1)
        assert len(server.asked) - asked < 10, "it is not hammered"


def test_another_name_in_the_certificate_starts_the_watch_anew(play: Play, watching: Watching) -> None:
    watching.start()
    connected(play)
    Cluster.objects.filter(pk=play.cluster.pk).update(tls_server_name="elsewhere.example")
    assert connected(play, "certificate").message == "The API server's certificate belongs to another host name."
    Cluster.objects.filter(pk=play.cluster.pk).update(tls_server_name="")
    connected(play)


def test_a_cluster_that_is_removed_is_watched_no_more(play: Play, watching: Watching) -> None:
    watching.start()
    connected(play)
    play.project.delete()
    Cluster.objects.all().delete()
    time.sleep(3)
    assert ClusterStatus.objects.count() == 0
    assert NodeStatus.objects.count() == 0


def test_an_api_server_that_is_gone_makes_everything_unknown_until_it_is_back(play: Play, watching: Watching) -> None:
    row = stopped(play)
    watching.start()
    until(row, "stopped")
    eventually(lambda: look(row).health == Health.STOPPED, "it is fresh")
    eventually(lambda: cluster_status(play).capacity.get("gpus"), "the GPUs are counted")
    before = known()
    play.plane.kill("kube-apiserver")
    try:
        assert connected(play, "unreachable").message.startswith("The ")
        eventually(lambda: look(row).stale, "it is stale")
        seen = look(row)
        assert seen.health == Health.UNKNOWN
        assert seen.sentence == "Cluster plane is not heard of: The API server refuses connections."
        heard = cluster_status(play).seen_at
        assert heard is not None
        assert timezone.now() - heard > timedelta(seconds=SHORT["STALE_SECONDS"])
        time.sleep(1.5)
        later = cluster_status(play).seen_at
        assert later is not None
        assert abs(later - heard) < timedelta(seconds=0.1), "it does not move while nobody answers"
        assert known() == before
    finally:
        play.plane.start()
    begun = time.monotonic()
    connected(play)
    eventually(lambda: look(row).health == Health.STOPPED, "known again")
    assert time.monotonic() - begun < 35
    eventually(lambda: known() == before, "all as before, once the nodes' leases are renewed")
    play.kubectl("scale", "deployment", "qwen", "--replicas=1")
    eventually(lambda: status(row).drift, "it sees again")
    recovered(play.plane)


def test_another_cluster_at_the_address_is_named_and_watched_only_when_a_person_says_so(
    play: Play, watching: Watching
) -> None:
    row = stopped(play)
    watching.start()
    until(row, "stopped")
    own = connected(play).identity
    assert own
    watching.end()
    ClusterStatus.objects.filter(cluster=play.cluster).update(identity="11111111-aaaa-4000-8000-000000000000")
    before = known()
    watching.start()
    said = connected(play, "other")
    assert said.message == f"Another cluster answers at this address: {own} instead of {said.identity}."
    assert (said.answering, known()) == (own, before)
    eventually(lambda: look(row).stale, "it is stale")
    assert look(row).health == Health.UNKNOWN
    Cluster.objects.filter(pk=play.cluster.pk).update(identity=own)
    connected(play)
    until(row, "stopped")


def test_a_watcher_that_lost_its_cluster_writes_nothing(play: Play, watching: Watching) -> None:
    row = stopped(play)
    watching.start()
    until(row, "stopped")
    taken = timezone.now() + timedelta(minutes=5)
    ClusterStatus.objects.filter(cluster=play.cluster).update(lease_owner="another", lease_expires_at=taken)
    before = status(row).seq
    play.kubectl("annotate", "deployment", "qwen", "llmdash.io/revision=0", "--overwrite")
    time.sleep(1.0)
    assert status(row).seq == before
