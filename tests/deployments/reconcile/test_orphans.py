"""What a late writer made after the deletion is recognised by its tombstone and removed; nothing else is."""

import pytest

from deployments import reconcile
from deployments.choices import Action
from tests.deployments.reconcile.play import Json, Play, audited, eventually

pytestmark = pytest.mark.plane


def without_identity(found: Json) -> Json:
    """The object as somebody would apply it anew."""
    kept = {key: value for key, value in found["metadata"].items() if key in ("name", "labels", "annotations")}
    return {key: value for key, value in found.items() if key != "status"} | {"metadata": kept}


def test_an_object_made_after_the_deletion_is_removed_and_audited(play: Play) -> None:
    row = play.create()
    late = without_identity(play.live("deployment"))
    row = play.delete(row)
    play.put(late)
    assert reconcile.orphans.remove(row) == ["Deployment/gpt-4"]
    eventually(lambda: not play.exists("deployment"))
    assert len(audited(row, Action.REMOVE_ORPHAN)) == 1


def test_an_object_of_the_same_name_that_is_not_ours_stays(play: Play) -> None:
    row = play.create()
    late = without_identity(play.live("deployment"))
    row = play.delete(row)
    late["metadata"]["labels"] = {"app": "gpt-4"}
    play.put(late)
    assert reconcile.orphans.remove(row) == []
    assert play.exists("deployment")


def test_the_objects_of_the_next_deployment_of_that_name_stay(play: Play) -> None:
    gone = play.delete(play.create())
    play.create()
    assert reconcile.orphans.remove(gone) == []
    assert play.exists("deployment")
    assert play.exists("service")
