"""What stands as it was left is looked at by one list for many rows; what differs comes to its own step."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from deployments import reconcile, services
from deployments.choices import Connection, Problem
from deployments.models import ClusterStatus, Deployment
from deployments.reconcile import rechecking
from tests.deployments.kube.servers import Request
from tests.deployments.reconcile.play import Play

pytestmark = pytest.mark.plane


@pytest.fixture(autouse=True)
def connected(play: Play) -> None:
    """The watcher hears the cluster."""
    ClusterStatus.objects.update_or_create(cluster=play.cluster, defaults={"connection": Connection.CONNECTED})


def still(play: Play, *rows: Deployment) -> None:
    """Steps until the controllers have written what they had to: each object at the version that our write left."""
    for row in rows:
        for _ in range(10):
            play.again(row)
            known = {(item.kind.lower(), item.name): item.resource_version for item in row.inventory.all()}
            if all(play.live(*which)["metadata"]["resourceVersion"] == known[which] for which in known):
                break


def turn(row: Deployment, *, seconds: float = 5) -> None:
    """Its turn comes soon."""
    Deployment.objects.filter(pk=row.pk).update(next_attempt_at=timezone.now() + timedelta(seconds=seconds))


def was_put_off(play: Play, row: Deployment) -> bool:
    at = play.row(row).next_attempt_at
    return at is not None and at > timezone.now() + timedelta(seconds=settings.LLMDASH["RECHECK_SECONDS"] - 30)


@contextmanager
def requests(play: Play) -> Iterator[list[str]]:
    """What the API server is asked for our objects."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if "/namespaces/kube-system" not in request.target:
            seen.append(f"{request.method} {request.target.partition('?')[0].rpartition(play.namespace)[2]}")

    with play.through(note):
        yield seen


def test_rows_that_stand_as_they_were_left_are_put_off_by_one_list_of_each_kind(play: Play) -> None:
    rows = [play.create(f"d-{number}") for number in range(4)]
    still(play, *rows)
    for row in rows:
        turn(row)
    with requests(play) as seen:
        assert reconcile.recheck() == 4
    assert sorted(seen) == ["GET /deployments", "GET /services"]
    assert all(was_put_off(play, row) for row in rows)
    assert reconcile.recheck() == 0, "nobody's turn comes soon"


def test_rows_whose_turn_has_come_are_put_off_too(play: Play) -> None:
    row = play.create()
    still(play, row)
    turn(row, seconds=-60)
    assert (reconcile.recheck(), was_put_off(play, row)) == (1, True)


@pytest.mark.parametrize(
    "change",
    [
        ("scale", "deployment", "gpt-4", "--replicas=7"),
        ("annotate", "service", "gpt-4", "made-by=hand"),
        ("delete", "service", "gpt-4"),
    ],
    ids=["scaled", "annotated", "deleted"],
)
def test_what_somebody_changed_comes_to_its_step(play: Play, change: tuple[str, ...]) -> None:
    row = play.create()
    still(play, row)
    play.kubectl(*change)
    turn(row)
    assert (reconcile.recheck(), was_put_off(play, row)) == (0, False)


def test_an_object_that_was_made_anew_comes_to_its_step(play: Play) -> None:
    row = play.create()
    still(play, row)
    row.inventory.filter(kind="Service").update(uid="of-another")
    turn(row)
    assert reconcile.recheck() == 0


def test_manifests_that_another_version_of_llmdash_writes_otherwise_come_to_their_step(play: Play) -> None:
    row = play.create()
    still(play, row)
    play.project.name = "renamed"
    play.project.save()
    turn(row)
    assert reconcile.recheck() == 0


def test_a_secret_is_read_by_itself_and_never_listed(play: Play) -> None:
    row = play.create(env=[{"name": "TOKEN", "secret": play.secret("s3cret")}])
    still(play, row)
    turn(row)
    with requests(play) as seen:
        assert reconcile.recheck() == 1
    assert "GET /secrets/gpt-4-env" in seen
    assert "GET /secrets" not in seen
    play.kubectl("patch", "secret", "gpt-4-env", "-p", '{"stringData": {"TOKEN": "other"}}')
    turn(row)
    assert reconcile.recheck() == 0


def test_a_wish_to_look_again_that_comes_meanwhile_is_kept(play: Play) -> None:
    row = play.create()
    still(play, row)
    turn(row)
    turns = dict(rechecking.soon().values_list("pk", "next_attempt_at"))
    reconcile.look_again(str(row.pk))
    assert (rechecking.later(turns), was_put_off(play, row)) == (0, False)


def test_rows_that_want_something_are_left_alone(play: Play) -> None:
    parked, revised, deleted = (play.create(name) for name in ("parked", "revised", "deleted"))
    still(play, parked, revised, deleted)
    Deployment.objects.filter(pk=parked.pk).update(problem=Problem.WAIT)
    services.scale(deployment=play.row(revised), replicas=2, by=play.maria)
    services.delete(deployment=play.row(deleted), by=play.maria)
    for row in (parked, revised, deleted):
        turn(row)
    assert reconcile.recheck() == 0


def test_a_cluster_that_does_not_answer_is_asked_once_and_not_at_all_when_the_watcher_knows(play: Play) -> None:
    row = play.create()
    still(play, row)
    turn(row)
    with play.through(lambda request: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"):
        assert (reconcile.recheck(), was_put_off(play, row)) == (0, False)
    ClusterStatus.objects.update(connection=Connection.UNREACHABLE)
    with requests(play) as seen:
        assert reconcile.recheck() == 0
    assert seen == []


def test_without_the_right_to_list_rows_come_to_their_own_steps(play: Play) -> None:
    row = play.create()
    still(play, row)
    turn(row)
    play.kubectl("delete", "rolebinding", "llmdash-operator")
    reconcile.recheck()
    assert not was_put_off(play, row)
