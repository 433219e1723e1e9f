"""With the policy to adopt, what a rival set becomes a Revision; and what a late writer left is removed."""

import json
from typing import Any

import pytest

from deployments import kube, reconcile, services
from deployments.choices import DriftPolicy, Outcome, Problem
from deployments.models import Deployment
from deployments.reconcile import building, orphans
from tests.deployments.kube.servers import Request
from tests.deployments.reconcile.play import Play, audited, eventually, newest, plain_service

pytestmark = pytest.mark.plane
IMAGE = "spec.template.spec.containers.0.image"


def rival_sets(play: Play, kind: str, spec: dict[str, Any]) -> None:
    play.kubectl("patch", kind, "gpt-4", "--field-manager=rival", "-p", json.dumps({"spec": spec}))


def image(reference: str) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": "gpt-4", "image": reference}]}}}


@pytest.mark.parametrize(
    ("kind", "change", "fields"),
    [
        ("deployment", {"replicas": 4}, {"replicas": 4, "running": True}),
        ("deployment", {"replicas": 0}, {"replicas": 1, "running": False}),
        ("deployment", image("registry.example/app:2"), {"image": "registry.example/app:2"}),
        ("service", {"type": "NodePort"}, {"service_type": "NodePort"}),
    ],
)
def test_what_a_rival_set_becomes_the_newest_revision(
    play: Play, kind: str, change: dict[str, Any], fields: dict[str, Any]
) -> None:
    row = play.create(policy=DriftPolicy.ADOPT)
    rival_sets(play, kind, change)
    row = play.again(row)
    made = newest(row)
    assert (row.desired, row.applied, row.problem, made.outcome) == (2, 2, "", Outcome.APPLIED)
    assert {name: made.spec_json[name] for name in fields} == fields
    assert (made.author, made.author_name, made.reason) == (None, "llmdash", "Adopted from rival")
    assert [entry.action for entry in audited(row)] == ["create", "adopt"]
    row = play.again(row)
    assert (row.desired, row.problem) == (2, "")


@pytest.mark.parametrize(
    ("kind", "change", "wish", "path", "value"),
    [
        ("deployment", {"replicas": 4}, {"replicas": 2}, "spec.replicas", 2),
        ("deployment", {"replicas": 4}, {"running": False}, "spec.replicas", 0),
        ("deployment", image("registry.example/a:2"), {"image": "registry.example/a:3"}, IMAGE, "registry.example/a:3"),
        ("service", {"type": "NodePort"}, {"service_type": "ClusterIP"}, "spec.type", "ClusterIP"),
    ],
)  # fmt: skip
def test_a_persons_wish_after_an_adoption_holds(
    play: Play, kind: str, change: dict[str, Any], wish: dict[str, Any], path: str, value: Any
) -> None:
    row = play.create(policy=DriftPolicy.ADOPT)
    rival_sets(play, kind, change)
    row = play.revise(play.again(row), **wish)
    assert (row.desired, row.applied, row.problem, row.heals) == (3, 3, "", [])
    assert at(play.live(kind), path) == value
    assert [entry.action for entry in audited(row)] == ["create", "adopt", "revise", "take field"]
    row = play.again(row)
    assert (row.desired, row.problem) == (3, "")


def at(found: Any, path: str) -> Any:
    for key in path.split("."):
        found = found[int(key) if key.isdigit() else key]
    return found


def test_a_change_beside_a_wish_is_adopted_and_the_wish_holds(play: Play) -> None:
    row = play.create(policy=DriftPolicy.ADOPT)
    rival_sets(play, "deployment", {"replicas": 4})
    row = play.again(row)
    rival_sets(play, "deployment", image("registry.example/app:2"))
    row = play.revise(row, replicas=2)
    spec = newest(row).spec
    assert (row.applied, row.problem, spec.replicas, spec.image) == (row.desired, "", 2, "registry.example/app:2")
    live = play.live("deployment")
    assert (live["spec"]["replicas"], at(live, IMAGE)) == (2, "registry.example/app:2")


def test_a_field_that_the_spec_does_not_have_waits_for_a_person(play: Play) -> None:
    row = play.create(policy=DriftPolicy.ADOPT)
    play.kubectl("label", "deployment", "gpt-4", "app=mine", "--overwrite", "--field-manager=rival")
    row = play.again(row)
    assert (row.desired, row.problem) == (1, Problem.WAIT)
    assert row.last_error["message"].endswith("The spec holds no such field.")
    assert play.live("deployment")["metadata"]["labels"]["app"] == "mine"


def test_a_value_that_the_spec_does_not_take_waits_for_a_person(play: Play) -> None:
    row = play.create(policy=DriftPolicy.ADOPT)
    rival_sets(play, "deployment", image("UPPER/Case"))
    row = play.again(row)
    assert (row.desired, row.problem) == (1, Problem.WAIT)
    assert "image: Must be an image as container tools write it" in row.last_error["message"]


def test_deleting_while_a_change_is_adopted_ends_in_deletion(play: Play) -> None:
    row = play.create(policy=DriftPolicy.ADOPT)
    rival_sets(play, "deployment", {"replicas": 4})

    def delete(request: Request) -> None:
        if request.method == "PATCH" and "/deployments/" in request.target:
            services.delete(deployment=row, by=play.maria)

    reconcile.look_again(str(row.pk))
    with play.through(delete):
        reconcile.drain(limit=3)
    eventually(lambda: reconcile.drain() or play.row(row).gone_at)
    assert (play.names(), play.row(row).desired) == ([], 1)


def late_write(play: Play, row: Deployment) -> None:
    for manifest in building.build(row, row.revisions.get(number=1)):
        kube.send(play.api(), manifest, identity=play.operator(), force=True)


def test_what_a_late_writer_made_for_a_tombstone_is_removed_and_audited(play: Play) -> None:
    row = play.delete(play.create())
    late_write(play, row)
    assert sorted(orphans.remove(row)) == ["Deployment/gpt-4", "Service/gpt-4"]
    eventually(lambda: play.names() == [])
    assert len(audited(row, "remove orphan")) == 2
    assert orphans.remove(row) == []


def test_objects_of_a_row_that_is_not_gone_are_no_orphans(play: Play) -> None:
    row = play.create()
    assert orphans.remove(row) == []
    services.delete(deployment=row, by=play.maria)
    assert orphans.remove(play.row(row)) == []
    assert play.names() == ["deployment/gpt-4", "service/gpt-4"]


def test_objects_of_the_names_next_owner_are_no_orphans(play: Play) -> None:
    row = play.delete(play.create())
    play.create()
    assert orphans.remove(row) == []
    assert play.names() == ["deployment/gpt-4", "service/gpt-4"]


def test_an_adopted_object_that_was_left_behind_is_no_orphan(play: Play) -> None:
    play.put(plain_service(port=80))
    row = play.create()
    services.take_over(deployment=row, by=play.maria)
    row = play.delete(play.again(row))
    assert orphans.remove(row) == []
    assert play.names() == ["service/gpt-4"]


def test_more_than_the_installation_allows_is_not_adopted(play: Play) -> None:
    row = play.create(policy=DriftPolicy.ADOPT)
    rival_sets(play, "deployment", {"replicas": 5000})
    row = play.again(row)
    assert (row.desired, row.problem, "200 or less" in row.last_error["message"]) == (1, Problem.WAIT, True)


def test_scaled_to_nothing_by_kubectl_is_adopted_as_stopped(play: Play) -> None:
    row = play.create(policy=DriftPolicy.ADOPT, replicas=2)
    play.kubectl("scale", "deployment", "gpt-4", "--replicas=0")
    spec = newest(play.again(row)).spec
    assert (spec.running, spec.replicas) == (False, 2)
