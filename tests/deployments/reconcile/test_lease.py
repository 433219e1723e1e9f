"""The database is the queue: each row is held by one worker, served in fair order, and never lost."""

import random
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from deployments import reconcile, services
from deployments.choices import Connection, Problem, Role
from deployments.models import ClusterStatus, Deployment, Project
from deployments.reconcile.claim import LeaseLost, claim, first_of, me, release, renew
from tests import stage
from tests.deployments.reconcile.play import Play, in_threads

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timezone.now() - timedelta(hours=1)


def rows(project: Project, count: int = 1, name: str = "row") -> list[Deployment]:
    by = stage.member(project, f"{project.name}-{name}-maria", Role.OPERATOR)
    return [stage.deployment(project, by, f"{name}-{number}") for number in range(count)]


def again(row: Deployment) -> Deployment:
    return Deployment.objects.get(pk=row.pk)


def claimed() -> Deployment:
    found = claim(me())
    assert found is not None
    return found


def expire(row: Deployment) -> None:
    Deployment.objects.filter(pk=row.pk).update(lease_expires_at=LONG_AGO)


def test_a_row_is_held_by_one_worker_until_it_is_given_back() -> None:
    [row] = rows(stage.project())
    owner = me()
    mine = claim(owner)
    assert mine == row
    assert claim(me()) is None
    release(mine, owner, after=None, attempted=1)
    assert claim(me()) is None
    services.scale(deployment=again(row), replicas=2, by=stage.user("someone"))
    assert claim(me()) == row


def test_many_workers_at_once_never_hold_the_same_row() -> None:
    made = rows(stage.project(), 6)
    taken: list[Any] = []

    def work() -> None:
        while (found := claim(me())) is not None:
            taken.append(found.pk)

    in_threads(4, work)
    assert sorted(taken) == sorted(row.pk for row in made)


def test_no_more_rows_of_a_cluster_are_held_than_it_allows() -> None:
    cluster = stage.cluster(max_in_flight=2)
    rows(stage.project("one", cluster=cluster), 4)
    rows(stage.project("two", cluster=cluster), 4)
    taken: list[Any] = []

    def work() -> None:
        if found := claim(me()):
            taken.append(found.pk)

    in_threads(4, work)
    assert len(taken) == 2
    assert Deployment.objects.exclude(lease_owner="").count() == 2


def test_a_full_cluster_does_not_hold_up_another() -> None:
    rows(stage.project("one", cluster=stage.cluster("full", max_in_flight=1)), 3)
    [other] = rows(stage.project("two", cluster=stage.cluster("free")))
    assert {claimed().project.name, claimed().project.name} == {"one", "two"}
    assert claim(me()) is None
    assert again(other).lease_owner


def test_a_project_with_one_row_waits_for_one_row_of_a_busy_project() -> None:
    cluster = stage.cluster(max_in_flight=64)
    rows(stage.project("busy", cluster=cluster), 12)
    rows(stage.project("small", cluster=cluster), 2)
    order = [claimed().project.name for _ in range(5)]
    assert order.count("small") == 2
    assert set(order[:2]) == {"busy", "small"}


def test_one_worker_alone_takes_turns_between_projects() -> None:
    cluster = stage.cluster()
    rows(stage.project("busy", cluster=cluster), 6)
    rows(stage.project("small", cluster=cluster), 2)
    served: dict[Any, int] = {}
    order = []
    for _ in range(6):
        owner = me()
        found = claim(owner, served)
        assert found is not None
        order.append(found.project.name)
        release(found, owner, after=None, attempted=1)
    assert sorted(order[:4]) == ["busy", "busy", "small", "small"]
    assert order[4:] == ["busy", "busy"]


def test_within_a_project_the_oldest_wish_comes_first() -> None:
    made = rows(stage.project(), 3)
    assert [claimed() for _ in range(3)] == made


def test_a_lease_that_ran_out_is_taken_by_another_and_the_zombie_is_stopped() -> None:
    [row] = rows(stage.project())
    zombie, heir = me(), me()
    mine = claim(zombie)
    assert mine is not None
    expire(row)
    assert claim(heir) == row
    with pytest.raises(LeaseLost):
        renew(mine, zombie)
    release(mine, zombie, after=None, applied=1, attempted=1)
    assert (again(row).lease_owner, again(row).applied) == (heir, 0)


def test_a_lease_that_ran_out_while_nobody_wanted_it_is_held_on_to() -> None:
    [row] = rows(stage.project())
    owner = me()
    mine = claim(owner)
    assert mine is not None
    expire(row)
    renew(mine, owner)
    assert claim(me()) is None
    assert again(row).deaths == 0


def test_three_deaths_park_the_row_until_a_new_revision() -> None:
    [row] = rows(stage.project())
    for deaths in range(3):
        assert claimed().deaths == deaths
        expire(row)
    assert claim(me()) is None
    parked = again(row)
    assert (parked.problem, parked.lease_owner, parked.next_attempt_at) == (Problem.POISON, "", None)
    assert parked.last_error["message"] == "3 workers died while applying this. It waits for an edit."
    reconcile.look_again(str(row.pk))
    assert claim(me()) is None
    services.scale(deployment=parked, replicas=2, by=stage.user("someone"))
    assert (claimed(), again(row).deaths) == (row, 0)


def test_a_death_that_is_followed_by_success_is_forgotten() -> None:
    [row] = rows(stage.project())
    claimed()
    expire(row)
    owner = me()
    mine = claim(owner)
    assert mine is not None
    assert mine.deaths == 1
    release(mine, owner, after=None, attempted=1)
    assert again(row).deaths == 0


@pytest.mark.parametrize("started", [False, True])
def test_a_row_whose_worker_died_is_due_whatever_else_it_says(started: bool) -> None:
    [row] = rows(stage.project())
    Deployment.objects.filter(pk=row.pk).update(
        attempted=1, lease_owner="dead", lease_expires_at=LONG_AGO, next_attempt_at=None, problem=Problem.CONTESTED,
        deleted_at=LONG_AGO if started else None, deletion_started_at=LONG_AGO if started else None,
    )  # fmt: skip
    assert claim(me()) == row


def test_a_parked_row_wakes_up_once_for_its_deletion() -> None:
    [row] = rows(stage.project())
    Deployment.objects.filter(pk=row.pk).update(attempted=1, problem=Problem.POISON)
    assert claim(me()) is None
    services.delete(deployment=row, by=stage.user("someone"))
    for _ in range(3):
        claimed()
        Deployment.objects.filter(pk=row.pk).update(deletion_started_at=LONG_AGO)
        expire(row)
    assert claim(me()) is None
    assert again(row).problem == Problem.POISON


def test_a_wish_to_look_again_during_the_work_is_kept() -> None:
    [row] = rows(stage.project())
    for after in (None, 600.0):
        reconcile.look_again(str(row.pk))
        owner = me()
        mine = claim(owner)
        assert mine is not None
        reconcile.look_again(str(row.pk))
        release(mine, owner, after=after, attempted=1)
        assert claim(owner) == row
        release(mine, owner, after=after, attempted=1)
        assert claim(owner) is None


@pytest.mark.parametrize("connection", [Connection.REJECTED, Connection.CERTIFICATE])
def test_rows_of_a_cluster_that_refuses_us_pause(connection: Connection) -> None:
    project = stage.project()
    [row] = rows(project)
    ClusterStatus.objects.create(cluster=project.cluster, connection=connection)
    assert claim(me()) is None
    ClusterStatus.objects.update(connection=Connection.CONNECTED)
    assert claim(me()) == row


def test_a_cluster_that_was_forgotten_meanwhile_gives_no_row() -> None:
    project = stage.project()
    rows(project)
    assert first_of(project.pk, uuid.uuid4(), me()) is None


def test_a_tombstone_is_never_due() -> None:
    [row] = rows(stage.project())
    Deployment.objects.filter(pk=row.pk).update(gone_at=LONG_AGO, next_attempt_at=LONG_AGO)
    assert claim(me()) is None


def test_a_row_is_due_when_its_time_has_come() -> None:
    [row] = rows(stage.project())
    Deployment.objects.filter(pk=row.pk).update(attempted=1, next_attempt_at=timezone.now() + timedelta(minutes=5))
    assert claim(me()) is None
    Deployment.objects.filter(pk=row.pk).update(next_attempt_at=LONG_AGO)
    assert claim(me()) == row


@pytest.mark.plane
def test_two_workers_apply_each_row_exactly_once(play: Play) -> None:
    names = [f"row-{number}" for number in range(6)]
    for name in names:
        play.wish(name)
    in_threads(2, reconcile.drain)
    written = sorted((write["objectRef"]["resource"], write["objectRef"]["name"]) for write in play.writes())
    assert written == sorted((kind, name) for kind in ("deployments", "services") for name in names)
    assert set(Deployment.objects.values_list("applied", "problem", "lease_owner")) == {(1, "", "")}


@pytest.mark.plane
def test_revisions_that_arrive_during_the_work_all_end_in_the_newest(play: Play) -> None:
    row = play.wish()
    stop = threading.Event()

    def edit() -> None:
        try:
            for replicas in random.Random(1).sample(range(1, 50), 8):
                services.scale(deployment=row, replicas=replicas, by=play.maria)
        finally:
            stop.set()
            connections.close_all()

    editor = threading.Thread(target=edit)
    editor.start()
    while not stop.is_set():
        in_threads(2, reconcile.drain)
    editor.join()
    reconcile.drain()
    settled = play.row(row)
    wanted = settled.revisions.get(number=settled.desired).spec.replicas
    assert (settled.applied, settled.problem) == (9, "")
    assert play.live("deployment")["spec"]["replicas"] == wanted
    assert play.live("deployment")["metadata"]["annotations"]["llmdash.io/revision"] == "9"
