"""Another cluster that answers at the address of ours gets nothing."""

import json

import pytest

from deployments import kube, reconcile, services
from deployments.choices import Connection, Problem
from deployments.models import ClusterStatus
from tests.deployments.kube.servers import Request, answer
from tests.deployments.reconcile.play import Play

pytestmark = pytest.mark.plane


def known(play: Play, uid: str) -> None:
    ClusterStatus.objects.update_or_create(cluster=play.cluster, defaults={"identity": uid})


def own_uid(play: Play) -> str:
    return str(json.loads(play.plane.kubectl("get", "namespace", "kube-system", "-o", "json"))["metadata"]["uid"])


def test_the_cluster_that_we_know_is_recognised_by_the_uid_of_kube_system(play: Play) -> None:
    assert kube.cluster_uid(play.api()) == own_uid(play)
    known(play, own_uid(play))
    assert play.create().problem == ""


def test_another_cluster_gets_no_object(play: Play) -> None:
    known(play, "11111111-aaaa-4000-8000-000000000000")
    row = play.create()
    assert (row.problem, row.applied, play.names()) == (Problem.CLUSTER, 0, [])
    assert row.last_error["message"] == (
        f"Another cluster answers at this address: {own_uid(play)} instead of 11111111-aaaa-4000-8000-000000000000."
    )


def test_another_cluster_loses_no_object(play: Play) -> None:
    row = play.create()
    known(play, "11111111-aaaa-4000-8000-000000000000")
    services.delete(deployment=row, by=play.maria)
    reconcile.drain()
    assert (play.row(row).gone_at, play.names()) == (None, ["deployment/gpt-4", "service/gpt-4"])


def test_the_right_cluster_is_recognised_when_it_comes_back(play: Play) -> None:
    row = play.create()
    known(play, "11111111-aaaa-4000-8000-000000000000")
    assert play.again(row).problem == Problem.CLUSTER
    known(play, own_uid(play))
    assert play.again(row).problem == ""


def test_a_platform_admins_word_counts_more_than_what_was_seen_first(play: Play) -> None:
    known(play, "11111111-aaaa-4000-8000-000000000000")
    play.cluster.identity = own_uid(play)
    play.cluster.save()
    assert play.create().problem == ""


def test_a_cluster_that_does_not_tell_is_taken_as_it_is(play: Play) -> None:
    known(play, own_uid(play))

    def forbid(request: Request) -> bytes | None:
        return answer(403, "{}") if request.target.endswith("/kube-system") else None

    row = play.wish()
    with play.through(forbid):
        reconcile.drain()
    assert play.row(row).problem == ""


def test_rows_of_another_cluster_pause(play: Play) -> None:
    ClusterStatus.objects.create(cluster=play.cluster, connection=Connection.OTHER)
    row = play.wish()
    assert reconcile.drain() == 0
    assert play.row(row).attempted == 0
