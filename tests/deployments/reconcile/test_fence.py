"""An older revision never overwrites a newer one, however late its writer comes."""

import base64
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from deployments import kube, reconcile, services
from deployments.choices import Action, Outcome
from deployments.kube import Fence, FieldConflict, KubeError, Stranger, Superseded
from deployments.models import Deployment, Revision
from deployments.reconcile import building, step
from deployments.reconcile.claim import LeaseLost, claim, me, renew
from tests.deployments.kube.servers import Request
from tests.deployments.reconcile.play import Play, newest

pytestmark = pytest.mark.plane


def revision(row: Deployment, number: int) -> Revision:
    return row.revisions.get(number=number)


def manifest(row: Deployment, number: int, kind: str = "Deployment") -> dict[str, Any]:
    [found] = [made for made in building.build(row, revision(row, number)) if made["kind"] == kind]
    return found


def fence(row: Deployment, number: int, **more: Any) -> Fence:
    return Fence(installation="llmdash", deployment_id=str(row.pk), revision=number, **more)


def apply(play: Play, row: Deployment, number: int, **more: Any) -> kube.Applied:
    force = more.pop("force", False)
    return kube.apply(
        play.api(), manifest(row, number), identity=play.operator(), fence=fence(row, number, force=force), **more
    )


@pytest.mark.parametrize("force", [False, True])
def test_a_late_writer_with_an_old_body_is_refused(play: Play, force: bool) -> None:
    row = play.revise(play.create(), replicas=4)
    with pytest.raises(Superseded, match="Deployment gpt-4 was applied for revision 2"):
        apply(play, row, 1, force=force)
    assert play.live("deployment")["spec"]["replicas"] == 4


@pytest.mark.parametrize("force", [False, True])
def test_a_newer_write_between_read_and_write_is_not_overwritten(play: Play, force: bool) -> None:
    row = play.create()
    made = play.wish("other")  # a second row, so that revision 2 of the first is written by hand below
    assert made.pk != row.pk
    play.revise(row, replicas=4)
    older, newer = manifest(row, 1), manifest(row, 2)
    play.kubectl("annotate", "deployment", "gpt-4", "llmdash.io/revision=1", "--overwrite", "--field-manager=llmdash")
    happened: list[str] = []

    def newer_comes_first(found: kube.Found) -> None:
        if not happened:
            answer = kube.send(play.api(), newer, identity=play.operator(), force=True)
            happened.append(answer["metadata"]["resourceVersion"])

    with pytest.raises(Superseded):
        kube.apply(
            play.api(), older, identity=play.operator(), fence=fence(row, 1, force=force),
            before_write=newer_comes_first,
        )  # fmt: skip
    live = play.live("deployment")
    assert (live["metadata"]["annotations"]["llmdash.io/revision"], live["spec"]["replicas"]) == ("2", 4)


def test_without_the_version_it_read_the_late_write_would_have_won(play: Play) -> None:
    row = play.revise(play.create(), replicas=4)
    kube.send(play.api(), manifest(row, 1), identity=play.operator(), force=True)
    assert play.live("deployment")["spec"]["replicas"] == 1


def test_an_object_that_controllers_touch_is_read_again_and_written(play: Play) -> None:
    row = play.create()
    touched = iter(range(1))

    def touch(found: kube.Found) -> None:
        if (turn := next(touched, None)) is not None:
            play.kubectl("annotate", "deployment", "gpt-4", f"controller/turn={turn}", "--overwrite")

    changed = manifest(row, 1)
    changed["spec"]["replicas"] = 2
    kube.apply(play.api(), changed, identity=play.operator(), fence=fence(row, 1), before_write=touch)
    assert play.live("deployment")["spec"]["replicas"] == 2


def test_an_object_that_never_stands_still_is_left_for_later(play: Play) -> None:
    row, turns = play.create(), iter(range(100))

    def touch(found: kube.Found) -> None:
        play.kubectl("annotate", "deployment", "gpt-4", f"controller/turn={next(turns)}", "--overwrite")

    changed = manifest(row, 1)
    changed["spec"]["replicas"] = 2
    with pytest.raises(KubeError) as refused:
        kube.apply(play.api(), changed, identity=play.operator(), fence=fence(row, 1), before_write=touch)
    assert (refused.value.problem, refused.value.status) == ("back-off", 409)


def test_an_object_on_its_way_out_is_waited_for(play: Play) -> None:
    row = play.create()
    play.kubectl("patch", "service", "gpt-4", "-p", '{"metadata": {"finalizers": ["test/hold"]}}')
    play.kubectl("delete", "service", "gpt-4", "--wait=false")
    row = play.again(row)
    assert (row.problem, row.last_error["reason"]) == ("back-off", "BeingDeleted")
    play.kubectl("patch", "service", "gpt-4", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    row = play.again(row)
    assert (row.problem, play.exists("service")) == ("", True)


def test_a_zombie_whose_row_was_taken_writes_nothing(play: Play) -> None:
    row = play.wish(replicas=3)
    owner = me()
    mine = claim(owner)
    assert mine is not None
    Deployment.objects.filter(pk=row.pk).update(lease_owner="another")
    with pytest.raises(LeaseLost):
        renew(mine, owner)
    step.work(mine, owner)
    assert play.names() == []
    assert play.row(row).lease_owner == "another"


def test_a_zombie_that_wakes_between_read_and_write_writes_nothing(play: Play) -> None:
    row = play.create()
    play.wish("unused")

    def steal(request: Request) -> None:
        if request.method == "GET" and "/deployments/gpt-4" in request.target:
            Deployment.objects.filter(pk=row.pk).update(lease_owner="another")

    services.scale(deployment=play.row(row), replicas=9, by=play.maria)
    with play.through(steal):
        reconcile.drain()
    assert play.live("deployment")["spec"]["replicas"] == 1
    assert newest(row).outcome == Outcome.PENDING
    assert play.row(row).lease_owner == "another"


def test_a_stranger_that_appears_between_read_and_write_is_not_taken_over(play: Play) -> None:
    row = play.wish()
    made = manifest(row, 1, "Service")
    play.kubectl("create", "serviceaccount", "unused")

    def stranger_comes(found: kube.Found) -> None:
        if not play.exists("service"):
            play.kubectl("create", "service", "clusterip", "gpt-4", "--tcp=81:81")

    with pytest.raises(FieldConflict):
        kube.apply(play.api(), made, identity=kube.ITSELF, fence=fence(row, 1), before_write=stranger_comes)
    with pytest.raises(Stranger):
        kube.apply(play.api(), made, identity=kube.ITSELF, fence=dataclasses.replace(fence(row, 1), force=True))
    assert "llmdash.io/installation" not in play.live("service")["metadata"].get("labels", {})


def meanwhile(play: Play, row: Deployment, **fields: Any) -> None:
    """The lease runs out while somebody's answer is on its way, and another worker applies a newer revision."""
    Deployment.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now() - timedelta(hours=1))
    services.change(deployment=play.row(row), action=Action.REVISE, by=play.maria, fields=fields)
    reconcile.drain()
    connections.close_all()


@pytest.mark.parametrize("kind", ["secrets", "configmaps", "services", "deployments"])
def test_a_late_writer_of_an_object_that_was_not_there_yet_is_refused(play: Play, kind: str) -> None:
    one, two = play.secret("one"), play.secret("two")
    env, files = {"name": "TOKEN", "secret": one}, {"path": "/etc/a.yaml", "content": "one"}
    row = play.wish(env=[env], files=[files])
    met: list[str] = []

    def newer_comes_first(request: Request) -> None:
        if request.method == "PATCH" and f"/{kind}/" in request.target and not met:
            met.append(request.target)
            meanwhile(play, row, env=[env | {"secret": two}], files=[files | {"content": "two"}], service_port=81)

    with play.through(newer_comes_first):
        reconcile.drain()
    assert met
    now = play.row(row)
    assert (now.applied, now.problem) == (2, "")
    for each, name in (
        ("secret", "gpt-4-env"),
        ("configmap", "gpt-4-files"),
        ("service", "gpt-4"),
        ("deploy", "gpt-4"),
    ):
        assert play.live(each, name)["metadata"]["annotations"]["llmdash.io/revision"] == "2"
    assert base64.b64decode(play.live("secret", "gpt-4-env")["data"]["TOKEN"]) == b"two"
    outcomes = dict(Revision.objects.filter(deployment=row).values_list("number", "outcome"))
    assert outcomes == {1: Outcome.SUPERSEDED, 2: Outcome.APPLIED}, "who came late says nothing of it"


def test_a_late_reader_leaves_the_outcome_of_an_older_revision_alone(play: Play) -> None:
    row = play.wish()
    met: list[str] = []

    def newer_comes_first(request: Request) -> None:
        if request.method == "GET" and "/services/" in request.target and not met:
            met.append(request.target)
            meanwhile(play, row, replicas=2)

    with play.through(newer_comes_first):
        reconcile.drain()
    outcomes = dict(Revision.objects.filter(deployment=row).values_list("number", "outcome"))
    assert (met != [], outcomes) == (True, {1: Outcome.SUPERSEDED, 2: Outcome.APPLIED})
