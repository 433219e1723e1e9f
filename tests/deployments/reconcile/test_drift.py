"""What others change or remove is put back, contested or left, as the policy says; and the audit tells it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deployments import reconcile, services
from deployments.choices import Action, DriftPolicy, Outcome, Problem
from deployments.models import Deployment
from tests.deployments.kube.servers import answer
from tests.deployments.reconcile.play import Play, audited, eventually, newest, plain_service

pytestmark = pytest.mark.plane


def replicas(play: Play) -> int:
    found: int = play.live("deployment")["spec"]["replicas"]
    return found


def rival_scales(play: Play, number: int) -> None:
    play.kubectl("patch", "deployment", "gpt-4", "--type=merge", "--field-manager=rival",
                 "-p", json.dumps({"spec": {"replicas": number}}))  # fmt: skip


def contested(play: Play) -> Deployment:
    row = play.create()
    for number in (5, 6, 7):
        rival_scales(play, number)
        row = play.again(row)
    return row


def test_a_field_conflict_is_healed_with_an_entry_that_names_field_and_rival(play: Play) -> None:
    row = play.create()
    rival_scales(play, 5)
    row = play.again(row)
    assert (replicas(play), row.problem) == (1, "")
    [heal] = audited(row, "heal")
    assert heal.actor_name == "llmdash"
    assert heal.detail == {
        "rival": "rival", "field": ".spec.replicas", "object": "Deployment/gpt-4",
        "changes": [{"field": "spec.replicas", "before": 5, "after": 1}],
    }  # fmt: skip


def test_healing_is_done_in_the_name_of_llmdash(play: Play) -> None:
    row = play.create()
    rival_scales(play, 5)
    play.again(row)
    forced = eventually(lambda: [write for write in play.writes() if "force=true" in write["requestURI"]])
    assert forced[-1]["impersonatedUser"]["extra"] == {"llmdash.io/actor": ["llmdash"]}


def test_a_rival_that_wins_three_times_makes_the_row_contested(play: Play) -> None:
    row = contested(play)
    assert (row.problem, replicas(play)) == (Problem.CONTESTED, 7)
    assert row.last_error["message"] == "rival keeps changing .spec.replicas of Deployment gpt-4."
    assert row.last_error["causes"][0]["manager"] == "rival"
    assert row.next_attempt_at is None
    assert [entry.action for entry in audited(row)] == ["create", "heal", "heal", "contested"]
    assert newest(row).outcome == Outcome.APPLIED


def test_a_contested_row_is_not_forced_by_looking_again(play: Play) -> None:
    row = contested(play)
    row = play.again(row)
    assert (row.problem, replicas(play)) == (Problem.CONTESTED, 7)


def test_taking_over_forces_once_and_begins_to_count_anew(play: Play) -> None:
    row = contested(play)
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    assert (row.problem, replicas(play), row.heals) == ("", 1, [])
    rival_scales(play, 8)
    row = play.again(row)
    assert (row.problem, replicas(play)) == ("", 1)
    for number in (8, 9):
        rival_scales(play, number)
        row = play.again(row)
    assert (row.problem, replicas(play)) == (Problem.CONTESTED, 9)


@pytest.mark.parametrize("hours", [-1, 1])
def test_taking_over_is_heard_although_clocks_differ(play: Play, hours: int) -> None:
    row = contested(play)
    services.take_over(deployment=row, by=play.maria)
    Deployment.objects.filter(pk=row.pk).update(taken_over_at=timezone.now() + timedelta(hours=hours))
    assert play.again(row).problem == ""


def test_wins_outside_the_window_do_not_count(play: Play, settings: Any) -> None:
    row = play.create()
    for number in (5, 6, 7, 8):
        rival_scales(play, number)
        row = play.again(row)
        old = [win | {"at": (timezone.now() - timedelta(minutes=6)).isoformat()} for win in row.heals]
        Deployment.objects.filter(pk=row.pk).update(heals=old)
    assert (row.problem, replicas(play), len(row.heals)) == ("", 1, 1)


def test_two_rivals_and_two_objects_are_counted_apart(play: Play) -> None:
    row = play.create(service_type="NodePort")
    for manager in ("first", "second"):
        for number in (5, 6):
            play.kubectl("patch", "deployment", "gpt-4", "--type=merge", f"--field-manager={manager}",
                         "-p", json.dumps({"spec": {"replicas": number}}))  # fmt: skip
            play.kubectl("patch", "service", "gpt-4", "--type=merge", f"--field-manager={manager}",
                         "-p", json.dumps({"spec": {"type": "ClusterIP"}}))  # fmt: skip
            row = play.again(row)
    assert row.problem == ""


def test_without_healing_a_conflict_is_shown_and_not_forced(play: Play) -> None:
    row = play.create(policy=DriftPolicy.LEAVE)
    rival_scales(play, 5)
    row = play.again(row)
    assert (replicas(play), row.problem) == (5, Problem.WAIT)
    assert 'conflict with "rival"' in row.last_error["message"]
    assert [cause["field"] for cause in row.last_error["causes"]] == [".spec.replicas"]
    assert audited(row, "heal") == []
    services.take_over(deployment=row, by=play.maria)
    assert (play.again(row).problem, replicas(play)) == ("", 1)


@pytest.mark.parametrize("policy", list(DriftPolicy))
def test_who_holds_a_field_as_we_left_it_hinders_no_newer_wish(play: Play, policy: DriftPolicy) -> None:
    row = play.create(policy=policy)
    rival_scales(play, 2)
    rival_scales(play, 1)  # it owns the field with our own value
    row = play.revise(row, replicas=3)
    assert (replicas(play), row.desired, row.applied, row.problem, row.heals) == (3, 2, 2, "", [])
    [taken] = audited(row, "take field")
    assert taken.detail == {"rival": "rival", "field": ".spec.replicas", "object": "Deployment/gpt-4"}


def test_of_a_mixed_conflict_every_field_is_told_in_the_audit(play: Play) -> None:
    row = play.create()
    rival_scales(play, 2)
    rival_scales(play, 1)  # held as we left it
    image = {"spec": {"template": {"spec": {"containers": [{"name": "gpt-4", "image": "registry.example/app:9"}]}}}}
    play.kubectl("patch", "deployment", "gpt-4", "--field-manager=rival", "-p", json.dumps(image))
    row = play.revise(row, replicas=3)
    assert (replicas(play), row.problem) == (3, "")
    fields = {entry.action: entry.detail["field"] for entry in audited(row) if entry.action in ("heal", "take field")}
    assert fields == {"heal": '.spec.template.spec.containers[name="gpt-4"].image', "take field": ".spec.replicas"}


def test_what_is_taken_for_a_persons_wish_is_taken_in_their_name(play: Play) -> None:
    row = play.create()
    rival_scales(play, 2)
    rival_scales(play, 1)
    play.revise(row, replicas=3)
    forced = eventually(lambda: [write for write in play.writes() if "force=true" in write["requestURI"]])
    assert forced[-1]["impersonatedUser"]["extra"] == {"llmdash.io/actor": [play.maria.username]}


@pytest.mark.parametrize("policy", [DriftPolicy.LEAVE, DriftPolicy.ADOPT])
def test_a_field_that_a_rival_has_and_we_never_set_is_no_field_as_we_left_it(play: Play, policy: DriftPolicy) -> None:
    row = play.create(policy=policy)
    place = {"template": {"spec": {"nodeSelector": {"pool": "rival"}}}}
    play.kubectl("patch", "deployment", "gpt-4", "--field-manager=rival", "-p", json.dumps({"spec": place}))
    row = play.revise(row, node_selector={"pool": "ours"})
    assert row.problem == Problem.WAIT
    assert play.live("deployment")["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "rival"}


def test_a_removed_object_is_made_again_with_an_entry(play: Play) -> None:
    row = play.create()
    before = play.live("service")["metadata"]["uid"]
    play.kubectl("delete", "service", "gpt-4")
    row = play.again(row)
    after = play.live("service")["metadata"]["uid"]
    assert before != after
    assert row.inventory.get(kind="Service").uid == after
    assert row.inventory.get(kind="Service").created_by_us
    [heal] = audited(row, "heal")
    assert heal.detail == {"object": "Service/gpt-4", "was": "removed"}


def test_a_removed_object_stays_away_when_the_policy_is_to_leave_it(play: Play) -> None:
    row = play.create(policy=DriftPolicy.LEAVE)
    play.kubectl("delete", "service", "gpt-4")
    row = play.again(row)
    assert not play.exists("service")
    assert row.problem == Problem.WAIT
    assert row.last_error["message"] == (
        "Service/gpt-4 was removed from the cluster, and the drift policy is to leave it."
    )


def test_a_removal_that_cannot_be_adopted_says_what_a_person_can_do(play: Play) -> None:
    row = play.create(policy=DriftPolicy.ADOPT)
    play.kubectl("delete", "service", "gpt-4")
    row = play.again(row)
    assert row.problem == Problem.WAIT
    assert row.last_error["message"] == (
        "Service/gpt-4 was removed from the cluster, and no revision can adopt that: take over to make it again, or "
        "delete the deployment."
    )
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    assert (row.problem, play.exists("service")) == ("", True)


def test_an_object_that_is_removed_again_and_again_makes_the_row_contested(play: Play) -> None:
    row = play.create()
    for _ in range(3):
        play.kubectl("delete", "service", "gpt-4")
        row = play.again(row)
    assert (row.problem, play.exists("service")) == (Problem.CONTESTED, False)
    assert row.last_error["message"] == "Somebody keeps removing Service gpt-4."
    assert [entry.action for entry in audited(row)] == ["create", "heal", "heal", "contested"]
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    assert (row.problem, play.exists("service"), row.heals) == ("", True, [])


def test_a_new_revision_makes_a_removed_object_again_whatever_the_policy(play: Play) -> None:
    row = play.create(policy=DriftPolicy.LEAVE)
    play.kubectl("delete", "service", "gpt-4")
    row = play.revise(row, replicas=2)
    assert (row.problem, play.exists("service")) == ("", True)


def test_a_field_that_nobody_of_us_set_stays_as_others_want_it(play: Play) -> None:
    row = play.create()
    play.kubectl("annotate", "deployment", "gpt-4", "team/note=hello")
    play.kubectl("patch", "deployment", "gpt-4", "-p", '{"spec": {"revisionHistoryLimit": 3}}')
    row = play.again(row)
    live = play.live("deployment")
    assert (live["metadata"]["annotations"]["team/note"], live["spec"]["revisionHistoryLimit"]) == ("hello", 3)
    assert (row.problem, audited(row, "heal")) == ("", [])


def test_scaling_to_nothing_leaves_no_owner_and_is_healed_with_an_entry_all_the_same(play: Play) -> None:
    row = play.create(replicas=2)
    play.kubectl("scale", "deployment", "gpt-4", "--replicas=0")
    row = play.again(row)
    assert (replicas(play), row.problem) == (2, "")
    assert [entry.detail["field"] for entry in audited(row, Action.HEAL)] == [".spec.replicas"]


def test_a_field_that_somebody_removed_is_put_back_with_an_entry(play: Play) -> None:
    row = play.create(service_type="NodePort", env=[{"name": "MODE", "value": "fast"}])
    remove = [{"op": "remove", "path": "/spec/template/spec/containers/0/env/0"}]
    play.kubectl("patch", "deployment", "gpt-4", "--type=json", "-p", json.dumps(remove))
    row = play.again(row)
    [container] = play.live("deployment")["spec"]["template"]["spec"]["containers"]
    assert (row.problem, container["env"]) == ("", [{"name": "MODE", "value": "fast"}])
    assert [(entry.detail["rival"], entry.detail["field"]) for entry in audited(row, Action.HEAL)] == [
        ("somebody", ".spec.template.spec.containers.gpt-4.env")
    ]


def test_a_field_that_somebody_removed_stays_away_when_the_policy_is_to_leave_it(play: Play) -> None:
    row = play.create(policy=DriftPolicy.LEAVE)
    play.kubectl("label", "service", "gpt-4", "app.kubernetes.io/component-")
    row = play.again(row)
    assert row.problem == Problem.WAIT
    assert row.last_error["message"] == (
        "Somebody changed .metadata.labels.app.kubernetes.io/component of Service/gpt-4."
    )
    assert "app.kubernetes.io/component" not in play.live("service")["metadata"]["labels"]


def test_quiet_changes_and_fields_of_a_rival_are_both_named(play: Play) -> None:
    row = play.create()
    play.kubectl("label", "deployment", "gpt-4", "app.kubernetes.io/component-")
    rival_scales(play, 5)
    row = play.again(row)
    assert (row.problem, replicas(play)) == ("", 1)
    healed = {(entry.detail["rival"], entry.detail["field"]) for entry in audited(row, Action.HEAL)}
    assert healed == {("somebody", ".metadata.labels.app.kubernetes.io/component"), ("rival", ".spec.replicas")}


def test_taking_over_is_heard_without_a_message(play: Play) -> None:
    row = contested(play)
    services.take_over(deployment=row, by=play.maria)
    assert reconcile.drain() == 1, "the row is due by itself"
    assert (play.row(row).problem, replicas(play)) == ("", 1)
    assert reconcile.drain() == 0, "and was answered"


def test_another_drift_policy_is_heard_without_a_message(play: Play) -> None:
    row = play.create(policy=DriftPolicy.LEAVE)
    rival_scales(play, 5)
    row = play.again(row)
    assert row.problem == Problem.WAIT
    services.set_drift_policy(deployment=row, policy=DriftPolicy.HEAL, by=play.maria)
    assert reconcile.drain() == 1
    assert (play.row(row).problem, replicas(play)) == ("", 1)


def test_a_take_over_that_met_a_sick_api_server_is_still_to_be_done(play: Play) -> None:
    row = contested(play)
    services.take_over(deployment=row, by=play.maria)
    with play.through(lambda request: answer(503, "{}")):
        reconcile.drain()
    assert play.row(row).problem == Problem.BACK_OFF
    row = play.again(row)
    assert (row.problem, replicas(play)) == ("", 1)


def test_what_the_api_server_rewrites_is_noted_beside_the_object(play: Play, rewriting: str) -> None:
    row = play.create(replicas=2)
    assert row.problem == ""
    [noted] = row.inventory.get(kind="Deployment").rewritten
    assert noted == {"field": f"metadata.labels.{rewriting}", "wanted": "inference-server", "live": "policy"}
    assert row.inventory.get(kind="Service").rewritten == []
    version = play.live("deployment")["metadata"]["generation"]
    row = play.again(row)
    assert (row.problem, play.live("deployment")["metadata"]["generation"], audited(row, "heal")) == ("", version, [])


def aged(row: Deployment) -> None:
    """Let the wins of the rivals lie an hour back."""
    row.refresh_from_db()
    long_ago = (timezone.now() - timedelta(hours=1)).isoformat()
    Deployment.objects.filter(pk=row.pk).update(heals=[win | {"at": long_ago} for win in row.heals])


def try_again(play: Play, row: Deployment) -> None:
    services.try_again(deployment=row, by=play.maria)


def revise_beside(play: Play, row: Deployment) -> None:
    services.change(deployment=row, action=Action.REVISE, by=play.maria, fields={"service_port": 81})


def die(play: Play, row: Deployment) -> None:
    past = timezone.now() - timedelta(minutes=1)
    Deployment.objects.filter(pk=row.pk).update(lease_owner="dead", lease_expires_at=past)


@pytest.mark.parametrize("happens", [try_again, revise_beside, die])
def test_a_contested_row_is_never_forced_however_long_ago_it_was(play: Play, happens: Any) -> None:
    row = contested(play)
    aged(row)
    happens(play, play.row(row))
    reconcile.drain()
    assert (play.row(row).problem, replicas(play)) == (Problem.CONTESTED, 7)
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    assert (row.problem, replicas(play), row.heals) == ("", 1, [])


def test_a_contested_row_whose_rival_gave_in_is_contested_no_more(play: Play) -> None:
    row = contested(play)
    aged(row)
    rival_scales(play, 1)
    row = play.again(row)
    assert (row.problem, row.heals) == ("", [])


def test_a_take_over_of_a_field_adopts_no_strangers_object(play: Play) -> None:
    row = contested(play)
    play.kubectl("delete", "service", "gpt-4")
    play.put(plain_service(port=80))
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    assert (row.problem, row.last_error["reason"], replicas(play)) == (Problem.WAIT, "Stranger", 1)
    assert play.live("service")["spec"]["selector"] == {"app": "other"}
    services.take_over(deployment=row, by=play.maria)
    row = play.again(row)
    assert (row.problem, play.live("service")["spec"]["selector"]["app"]) == ("", "gpt-4")
    assert [entry.detail for entry in audited(row, Action.ADOPT_OBJECT)] == [{"object": "Service/gpt-4"}]
