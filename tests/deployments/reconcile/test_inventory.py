"""What stands in the inventory when a worker dies between a write and its answer."""

import pytest
from django.db.models.functions import Now

from deployments import reconcile, services
from deployments.models import AppliedObject, Deployment
from deployments.reconcile import step
from deployments.reconcile.claim import claim, me
from tests.deployments.kube.servers import Request
from tests.deployments.reconcile.play import Play, audited, plain_service

pytestmark = pytest.mark.plane


def item(row: Deployment, kind: str) -> AppliedObject:
    return row.inventory.get(kind=kind)


def test_an_object_is_in_the_inventory_before_it_is_written(play: Play) -> None:
    row = play.wish()
    with play.losing_answers("/deployments/"):
        reconcile.drain()
    found = item(row, "Deployment")
    assert (found.uid, found.revision, found.created_by_us) == ("", 0, True)
    assert play.exists("deployment")


def test_what_a_dead_worker_made_is_found_and_removed_even_a_secret(play: Play) -> None:
    row = play.wish(env=[{"name": "TOKEN", "secret": play.secret("x")}])
    with play.losing_answers("/secrets/"):
        reconcile.drain()
    assert play.names() == ["secret/gpt-4-env"]
    play.delete(row)
    assert play.names() == []


def test_what_a_dead_worker_made_is_known_again_at_the_next_try(play: Play) -> None:
    row = play.wish()
    with play.losing_answers("/services/"):
        reconcile.drain()
    row = play.again(row)
    assert (row.problem, item(row, "Service").created_by_us) == ("", True)
    assert item(row, "Service").uid == play.live("service")["metadata"]["uid"]


def test_an_adopted_object_is_never_deleted_although_the_adopting_worker_died(play: Play) -> None:
    play.put(plain_service(port=80))
    uid = play.live("service")["metadata"]["uid"]
    row = play.create()
    services.take_over(deployment=row, by=play.maria)
    with play.losing_answers("/services/"):
        reconcile.drain()
    assert play.live("service")["metadata"]["labels"]["llmdash.io/deployment-id"] == str(row.pk), "it was adopted"
    row = play.again(row)
    assert (row.problem, item(row, "Service").created_by_us) == ("", False)
    play.delete(row)
    assert play.live("service")["metadata"]["uid"] == uid


def test_an_adopted_object_stays_when_the_row_is_deleted_before_the_next_try(play: Play) -> None:
    play.put(plain_service(port=80))
    row = play.create()
    services.take_over(deployment=row, by=play.maria)
    with play.losing_answers("/services/"):
        reconcile.drain()
    play.delete(row)
    left = play.live("service")["metadata"]["labels"]
    assert (left["made-by"], "llmdash.io/installation" in left) == ("hand", False)


def test_what_is_made_after_an_adopted_object_went_is_ours_to_delete(play: Play) -> None:
    play.put(plain_service(port=80))
    row = play.create()
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    play.kubectl("delete", "service", "gpt-4")
    row = play.again(row)
    assert item(row, "Service").created_by_us
    play.delete(row)
    assert play.names() == []


def test_a_worker_that_lost_its_lease_writes_nothing_down(play: Play) -> None:
    row = play.create()
    before = item(row, "Deployment").resource_version
    services.scale(deployment=row, replicas=3, by=play.maria)
    zombie = me()
    mine = claim(zombie)
    assert mine is not None

    def steal(request: object) -> None:
        if getattr(request, "method", "") == "PATCH":
            Deployment.objects.filter(pk=row.pk).update(lease_owner="another")

    with play.through(steal):
        mine.project.cluster.refresh_from_db()
        step.work(mine, zombie)
    assert item(row, "Deployment").resource_version == before
    assert play.row(row).lease_owner == "another"


def test_what_a_late_worker_made_for_a_row_that_is_gone_is_removed_by_it(play: Play) -> None:
    row = play.wish(env=[{"name": "TOKEN", "secret": play.secret("x")}])

    def delete_meanwhile(request: Request) -> None:
        if request.method == "PATCH" and "/secrets/" in request.target:
            # Another worker took the row, which was deleted, and found nothing to remove.
            AppliedObject.objects.filter(deployment=row).delete()
            Deployment.objects.filter(pk=row.pk).update(lease_owner="", deleted_at=Now(), gone_at=Now())

    with play.through(delete_meanwhile):
        assert reconcile.drain() == 1
    assert play.names() == []
    assert [entry.detail["object"] for entry in audited(row, "remove orphan")] == ["Secret/gpt-4-env"]


def test_an_object_that_nobody_changed_is_not_written_down_again(play: Play) -> None:
    row = play.create()
    first = item(row, "Service").applied_at
    row = play.again(row)
    assert (row.problem, item(row, "Service").applied_at) == ("", first)
    play.kubectl("label", "service", row.name, "somebody=else")
    row = play.again(row)
    assert item(row, "Service").applied_at > first
    assert item(row, "Service").resource_version == play.live("service")["metadata"]["resourceVersion"]


def test_an_object_that_stands_as_it_was_left_is_not_sent_again(play: Play) -> None:
    row = play.create()
    with play.losing_answers("/services/"):
        row = play.again(row)
    assert row.problem == "", "a write would have lost its answer"
    play.kubectl("label", "service", row.name, "somebody=else")
    with play.losing_answers("/services/"):
        row = play.again(row)
    assert row.problem
