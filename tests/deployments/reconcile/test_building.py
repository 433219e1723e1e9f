"""A pod template that need not change stays as it was applied: nobody's pods restart for it."""

from typing import Any

import pytest

from deployments import services
from deployments.choices import Problem
from deployments.manifests import pod
from deployments.models import SecretValue
from tests.deployments.reconcile.play import Play

pytestmark = pytest.mark.plane


def shared_memory(play: Play) -> str:
    volumes: list[dict[str, Any]] = play.live("deployment")["spec"]["template"]["spec"]["volumes"]
    size: str = volumes[0]["emptyDir"]["sizeLimit"]
    return size


def test_renaming_a_project_restarts_no_pod(play: Play) -> None:
    row = play.create()
    play.project.name = "renamed"
    play.project.save()
    row = play.again(row)
    metadata = play.live("deployment")["metadata"]
    assert (row.problem, metadata["labels"]["app.kubernetes.io/part-of"]) == ("", "renamed")
    assert (play.replica_sets(), metadata["generation"]) == (1, 1)


def test_another_version_of_llmdash_restarts_no_pod(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod, "DEFAULT_SHARED_MEMORY", "1Gi")
    row = play.create(gpus=1)
    monkeypatch.undo()  # from here on another version writes the manifests
    row = play.again(row)
    assert (row.problem, shared_memory(play), play.replica_sets()) == ("", "1Gi", 1)
    services.scale(deployment=row, replicas=3, by=play.maria)
    row = play.again(row)
    assert (row.problem, play.live("deployment")["spec"]["replicas"]) == ("", 3)
    assert (shared_memory(play), play.replica_sets()) == ("1Gi", 1)


def test_a_change_of_the_template_takes_all_that_is_new(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod, "DEFAULT_SHARED_MEMORY", "1Gi")
    row = play.create(gpus=1)
    monkeypatch.undo()
    row = play.revise(row, image="registry.example/app:2")
    assert (row.problem, shared_memory(play)) == ("", pod.DEFAULT_SHARED_MEMORY)


def test_going_back_to_the_applied_revision_restarts_nothing(play: Play) -> None:
    row = play.create(replicas=2)
    row = play.revise(row, replicas=3)
    services.roll_back(deployment=row, number=1, by=play.maria)
    row = play.again(row)
    assert (play.live("deployment")["spec"]["replicas"], play.replica_sets()) == (2, 1)


def test_a_secret_that_is_gone_waits_for_a_person_and_is_named(play: Play) -> None:
    secret = play.secret("one")
    row = play.create(env=[{"name": "TOKEN", "secret": secret}])
    SecretValue.objects.all().delete()
    row = play.again(row)
    assert (row.problem, row.last_error["reason"]) == (Problem.WAIT, "SecretGone")
    assert row.last_error["message"] == "The secret of TOKEN was removed: give its value again."
    row = play.revise(row, env=[])
    assert (row.problem, row.applied) == ("", 2)
