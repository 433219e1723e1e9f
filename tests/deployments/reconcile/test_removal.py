"""Deletion: the objects that we made and no others, to the last one; then the row is a tombstone and its name free."""

import pytest

from deployments import reconcile, services
from deployments.choices import Problem
from deployments.models import Deployment
from tests.deployments.kube.servers import Request, answer
from tests.deployments.reconcile.play import Play, audited, eventually, newest

pytestmark = pytest.mark.plane
FILES = [{"path": "/a", "content": "x"}]


def test_deletion_removes_every_object_and_leaves_a_tombstone(play: Play) -> None:
    row = play.create(files=FILES, env=[{"name": "TOKEN", "secret": play.secret("x")}])
    eventually(lambda: play.kubectl("get", "pods", "-o", "name"))
    play.kubectl("create", "configmap", "bystander")
    row = play.delete(row)
    assert play.names("deployment,replicaset,pod,service,configmap,secret") == ["configmap/bystander"]
    assert (row.problem, row.inventory.count(), row.lease_owner, row.next_attempt_at) == ("", 0, "", None)
    assert [entry.action for entry in audited(row)] == ["create", "delete"]
    assert reconcile.drain() == 0


def test_the_name_is_free_again_only_when_the_last_object_is_gone(play: Play) -> None:
    row = play.create()
    play.kubectl("patch", "service", "gpt-4", "-p", '{"metadata": {"finalizers": ["test/hold"]}}')
    services.delete(deployment=row, by=play.maria)
    for _ in range(3):
        reconcile.drain()
        Deployment.objects.update(next_attempt_at=None)
        reconcile.look_again(str(row.pk))
    assert play.row(row).gone_at is None
    assert [item.kind for item in row.inventory.all() if item.kind == "Service"] == ["Service"]
    play.kubectl("patch", "service", "gpt-4", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    play.delete(row)
    again = play.create()
    assert again.pk != row.pk
    assert (again.problem, play.names()) == ("", ["deployment/gpt-4", "service/gpt-4"])


def test_what_was_never_applied_is_gone_at_once(play: Play) -> None:
    row = play.wish()
    services.delete(deployment=row, by=play.maria)
    assert reconcile.drain() == 1
    assert play.row(row).gone_at is not None
    assert play.writes() == []


def test_deleting_asks_with_the_uid_of_what_we_made(play: Play) -> None:
    row = play.create()
    asked: list[Request] = []
    uids = {item.uid for item in row.inventory.all()}

    def note(request: Request) -> None:
        if request.method == "DELETE":
            asked.append(request)

    services.delete(deployment=row, by=play.maria)
    with play.through(note):
        reconcile.drain()
    assert len(asked) == 2
    assert uids == {
        uid for uid in uids if any(f'"preconditions": {{"uid": "{uid}"}}'.encode() in r.body for r in asked)
    }


def test_an_object_that_is_gone_already_does_not_hold_the_deletion_up(play: Play) -> None:
    row = play.create()
    play.kubectl("delete", "deployment,service", "gpt-4")
    assert play.delete(row).problem == ""


def test_a_namespace_that_is_gone_took_the_objects_with_it(play: Play) -> None:
    row = play.create()
    play.plane.kubectl("delete", "namespace", play.namespace, "--timeout=30s")
    row = play.delete(row)
    assert (row.problem, row.inventory.count()) == ("", 0)


def test_a_namespace_that_was_made_anew_holds_no_deletion_up(play: Play) -> None:
    row = play.create()
    play.plane.kubectl("delete", "namespace", play.namespace, "--timeout=30s")
    play.plane.kubectl("create", "namespace", play.namespace)
    play.kubectl("create", "service", "clusterip", "gpt-4", "--tcp=81:81")
    row = play.delete(row)
    assert (row.problem, row.inventory.count()) == ("", 0)
    assert play.names() == ["service/gpt-4"], "somebody else's"


@pytest.mark.parametrize("status", [403, 401, 500, 503])
def test_no_answer_of_a_sick_api_server_counts_as_gone(play: Play, status: int) -> None:
    row = play.create()
    services.delete(deployment=row, by=play.maria)
    with play.through(lambda request: answer(status, "{}")):
        reconcile.drain()
    row = play.row(row)
    assert (row.gone_at, row.inventory.count()) == (None, 2)
    assert row.problem in (Problem.WAIT, Problem.CLUSTER, Problem.BACK_OFF)
    assert play.delete(row).problem == ""


def test_a_404_of_something_that_is_no_kubernetes_api_does_not_count_as_gone(play: Play) -> None:
    row = play.create()
    services.delete(deployment=row, by=play.maria)
    with play.through(lambda request: answer(404, "<html>not here</html>")):
        reconcile.drain()
    row = play.row(row)
    assert (row.gone_at, row.inventory.count(), row.problem) == (None, 2, Problem.CLUSTER)


def test_a_worker_that_dies_while_deleting_is_followed_by_another(play: Play) -> None:
    row = play.create()
    services.delete(deployment=row, by=play.maria)
    # As after a SIGKILL: deletion begun, lease held and run out, nothing due by the clock.
    died = {"lease_owner": "dead", "lease_expires_at": row.created_at, "next_attempt_at": None}
    Deployment.objects.filter(pk=row.pk).update(deletion_started_at=row.created_at, **died)
    eventually(lambda: reconcile.drain() and play.row(row).gone_at)
    assert play.names() == []


def test_a_contested_or_parked_row_can_be_deleted(play: Play) -> None:
    for problem in (Problem.CONTESTED, Problem.POISON, Problem.WAIT):
        row = play.create(f"row-{problem}")
        Deployment.objects.filter(pk=row.pk).update(problem=problem, next_attempt_at=None, last_error={"message": "x"})
        assert play.delete(row).gone_at
    assert play.names() == []


def test_deleting_during_the_work_is_done_after_it(play: Play) -> None:
    row = play.wish()

    def delete(request: Request) -> None:
        if request.method == "PATCH" and "/services/" in request.target:
            services.delete(deployment=row, by=play.maria)

    with play.through(delete):
        reconcile.drain()
    eventually(lambda: reconcile.drain() or play.row(row).gone_at)
    assert (play.names(), newest(row).outcome) == ([], "applied")
