"""What others made is never written, nor deleted, unless a person takes it over; and then it is left behind."""

import json

import pytest

from deployments import services
from deployments.choices import Outcome, Problem
from tests.controlplane.manifests import deployment as plain_deployment
from tests.deployments.reconcile.play import Play, audited, eventually, newest, plain_service

pytestmark = pytest.mark.plane


@pytest.mark.parametrize("kind", ["deployment", "service"])
def test_a_strangers_object_of_the_same_name_is_untouched_and_reported(play: Play, kind: str) -> None:
    play.put(plain_service() if kind == "service" else plain_deployment("gpt-4"))
    before = play.live(kind)
    row = play.create()
    assert row.problem == Problem.WAIT
    said = f"{kind.capitalize()} gpt-4 exists in namespace {play.namespace} and is not ours."
    assert row.last_error["message"] == said
    after = play.live(kind)
    assert after["spec"] == before["spec"]
    assert after["metadata"].get("labels") == before["metadata"].get("labels")
    assert not [field for field in after["metadata"]["managedFields"] if field["manager"] == "llmdash"]


def test_the_outcome_tells_how_many_objects_were_applied(play: Play) -> None:
    play.put(plain_service())
    row = play.create()
    detail = newest(row).outcome_detail
    assert newest(row).outcome == Outcome.PARTIAL
    assert (detail["objects_done"], detail["objects_total"], detail["done"]) == (1, 2, ["Deployment/gpt-4"])
    assert "is not ours" in detail["message"]


def test_deleting_the_row_never_deletes_a_strangers_object(play: Play) -> None:
    play.put(plain_service())
    uid = play.live("service")["metadata"]["uid"]
    play.delete(play.create())
    assert play.names() == ["service/gpt-4"]
    assert play.live("service")["metadata"]["uid"] == uid


def test_taking_over_adopts_the_object_and_deleting_leaves_it_without_our_labels(play: Play) -> None:
    play.put(plain_service(port=80))
    uid = play.live("service")["metadata"]["uid"]
    row = play.create()
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    live = play.live("service")
    assert row.problem == ""
    assert (live["metadata"]["uid"], live["spec"]["selector"]["app"]) == (uid, "gpt-4")
    assert not row.inventory.get(kind="Service").created_by_us
    assert [entry.actor_name for entry in audited(row, "take over")] == ["maria@example.com"]
    play.again(row)
    play.delete(row)
    assert play.names() == ["service/gpt-4"]
    left = play.live("service")["metadata"]
    assert (left["uid"], left["labels"]["made-by"]) == (uid, "hand")
    assert not [label for label in left["labels"] if label.startswith("llmdash.io/")]


def test_a_deployment_that_cannot_be_adopted_says_why_in_the_servers_words(play: Play) -> None:
    play.put(plain_deployment("gpt-4"))
    row = play.create()
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    assert row.problem == Problem.WAIT
    assert "field is immutable" in row.last_error["message"]
    assert play.live("deployment")["spec"]["selector"] == {"matchLabels": {"app": "gpt-4"}}


def test_an_object_that_a_stranger_made_again_is_neither_written_nor_deleted(play: Play) -> None:
    row = play.create()
    play.kubectl("delete", "service", "gpt-4")
    play.put(plain_service())
    uid = play.live("service")["metadata"]["uid"]
    row = play.again(row)
    assert (row.problem, "is not ours" in row.last_error["message"]) == (Problem.WAIT, True)
    play.delete(row)
    assert play.names() == ["service/gpt-4"]
    assert play.live("service")["metadata"]["uid"] == uid


def test_pruning_leaves_an_object_that_a_stranger_made_again(play: Play) -> None:
    row = play.create(files=[{"path": "/a", "content": "x"}])
    play.kubectl("delete", "configmap", "gpt-4-files")
    play.kubectl("create", "configmap", "gpt-4-files", "--from-literal=mine=yes")
    row = play.revise(row, files=[])
    assert row.problem == ""
    assert play.live("configmap", "gpt-4-files")["data"] == {"mine": "yes"}
    assert sorted(item.kind for item in row.inventory.all()) == ["Deployment", "Service"]


def test_an_object_of_ours_whose_labels_were_taken_off_is_still_known_by_its_uid(play: Play) -> None:
    row = play.create()
    play.kubectl("label", "service", "gpt-4", "llmdash.io/installation-", "llmdash.io/deployment-id-")
    row = play.again(row)
    assert row.problem == ""
    assert play.live("service")["metadata"]["labels"]["llmdash.io/deployment-id"] == str(row.pk)


def test_another_installations_object_is_a_strangers(play: Play) -> None:
    row = play.wish()
    theirs = plain_service()
    theirs["metadata"]["labels"] = {"llmdash.io/installation": "other", "llmdash.io/deployment-id": str(row.pk)}
    play.put(theirs)
    row = play.again(row)
    assert "is not ours" in row.last_error["message"]


def test_after_the_stranger_has_gone_the_row_goes_on(play: Play) -> None:
    play.put(plain_service())
    row = play.create()
    play.kubectl("delete", "service", "gpt-4")
    row = eventually(lambda: found if (found := play.again(row)).problem == "" else None)
    assert (row.applied, newest(row).outcome) == (1, Outcome.APPLIED)
    assert row.inventory.get(kind="Service").created_by_us


def test_the_reported_error_holds_no_secret(play: Play) -> None:
    play.put(plain_service())
    row = play.create(env=[{"name": "TOKEN", "secret": play.secret("canary-7")}])
    told = json.dumps([row.last_error, newest(row).outcome_detail, *(entry.detail for entry in audited(row))])
    assert "canary" not in told
    assert "Y2FuYXJ5" not in told
