"""One word and one sentence for each state of a deployment."""

from dataclasses import replace
from typing import Any

import pytest

from deployments.choices import Health, Problem
from llmdash.sandbox import recording
from monitoring.objects import Loose, Pod, PodLabels
from monitoring.status import Intent, Seen, status
from tests.monitoring import samples
from tests.monitoring.judging import NO_GPU, ONE, THREE, absent, judged, says
from tests.monitoring.samples import (
    condition,
    event,
    failing_pod,
    loading_pod,
    loose,
    pending_pod,
    pod,
    ready_pod,
    rolled,
    said_by_the_scheduler,
    stopping_pod,
    waits,
)

# ---- serving and degraded


def test_a_deployment_whose_replicas_are_all_ready_is_serving() -> None:
    found = judged(THREE, ready_pod("a"), ready_pod("b"), ready_pod("c"), live=rolled("NewReplicaSetAvailable"))
    says(found, Health.SERVING, "Serving on 3 replicas.")
    assert (found.ready, found.wanted, found.gpus, found.rollout) == (3, 3, 3, "complete")


def test_one_replica_is_spoken_of_as_one() -> None:
    says(judged(ONE, ready_pod()), Health.SERVING, "Serving on 1 replica.")


def test_more_ready_pods_than_wanted_are_serving_while_they_go() -> None:
    says(judged(ONE, ready_pod("a"), ready_pod("b")), Health.SERVING, "Serving on 1 replica.")


def test_a_missing_replica_that_waits_makes_it_degraded() -> None:
    found = judged(THREE, ready_pod("a"), ready_pod("b"), pending_pod("c", NO_GPU))
    says(found, Health.DEGRADED, "Serving on 2 of 3 replicas; the other one waits: no node has 1 free H100.")


def test_a_missing_replica_that_fails_makes_it_degraded() -> None:
    found = judged(THREE, ready_pod("a"), ready_pod("b"), failing_pod("c"))
    says(found, Health.DEGRADED, "Serving on 2 of 3 replicas; the other one fails: the image cannot be pulled.")


def test_failing_is_told_before_waiting_and_both_are_counted_by_themselves() -> None:
    found = judged(THREE, ready_pod("a"), failing_pod("b"), pending_pod("c", NO_GPU))
    says(found, Health.DEGRADED, "Serving on 1 of 3 replicas; 1 of the other 2 fails: the image cannot be pulled.")


def test_all_others_are_spoken_of_together() -> None:
    found = judged(THREE, ready_pod("a"), pending_pod("b", NO_GPU), pending_pod("c", NO_GPU))
    says(found, Health.DEGRADED, "Serving on 1 of 3 replicas; the other 2 wait: no node has 1 free H100.")


def test_a_new_template_that_fails_behind_old_pods_that_serve_is_degraded() -> None:
    old = ready_pod("old")
    old.metadata.labels = PodLabels(template_hash="before")
    found = judged(ONE, old, failing_pod("new"))
    sentence = "Serving on 1 replica as before; the new one fails: the image cannot be pulled."
    says(found, Health.DEGRADED, sentence)
    assert [row["current"] for row in found.pods] == [True, False]


def test_a_new_template_that_loads_behind_old_pods_that_serve_is_serving() -> None:
    old = ready_pod("old")
    old.metadata.labels = PodLabels(template_hash="before")
    says(judged(ONE, old, loading_pod("new")), Health.SERVING, "Serving on 1 replica.")


# ---- waiting


@pytest.mark.parametrize(
    ("recorded", "clause"),
    [
        ("too-many-gpus", "no node has 8 H100"),
        ("gpus-behind-a-taint", "no node has 8 free H100"),
        ("gpus-and-selector", "no node has 8 H100"),
        ("one-cordoned", "no node has 8 free H100"),
        ("too-much-cpu", "no node has that much cpu"),
        ("too-much-memory", "no node has that much memory"),
        ("unknown-accelerator", "no node carries the wanted labels (GPU type H100)"),
        ("selector-and-taint", "no node carries the wanted labels (GPU type H100)"),
        ("no-nodes", "the cluster has no node that takes pods"),
        ("claim-absent", '0/4 nodes are available: persistentvolumeclaim "absent" not found'),
        ("claim-unbound", "0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims"),
        ("gated", "Scheduling is blocked due to non-empty scheduling gates"),
    ],
)
def test_the_real_schedulers_message_becomes_a_clause(recorded: str, clause: str) -> None:
    intent = Intent(wanted=1, gpus=8, gpu_name="H100")
    message = said_by_the_scheduler(recorded)
    found = judged(intent, pending_pod("a", message))
    says(found, Health.WAITING, f"The replica waits: {clause}.")
    assert found.pods[0]["message"] == message


FULL = "preemption: 0/8 nodes are available: 8 No preemption victims found for incoming pod."


@pytest.mark.parametrize(
    ("message", "clause"),
    [
        ("5 Insufficient nvidia.com/gpu, 8 Insufficient cpu.", "no node has enough free cpu"),
        ("8 Insufficient nvidia.com/gpu, 5 Insufficient cpu.", "no node has 1 free H100"),
        ("5 Insufficient nvidia.com/gpu, 6 Insufficient memory.", "no node has 1 free H100 with enough free memory"),
        (
            "2 Insufficient memory, 1 Insufficient amd.com/gpu, 6 node(s) didn't match Pod's node affinity/selector.",
            "no node has enough free memory",
        ),
        ("7 Insufficient cpu, 1 Too many pods.", "no node has enough free cpu"),
    ],
)
def test_what_lacks_on_every_node_that_it_might_have_is_the_cause(message: str, clause: str) -> None:
    found = judged(ONE, pending_pod("a", f"0/8 nodes are available: {message} {FULL}"))
    says(found, Health.WAITING, f"The replica waits: {clause}.")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB.", "torch.OutOfMemoryError: CUDA out of memory"),
        (f"ValueError: {'word ' * 40}", f"ValueError: {'word ' * 21}and so on"),
        ("no CUDA", "no CUDA"),
    ],
)  # fmt: skip
def test_what_a_container_said_last_is_told_by_its_first_sentence(said: str, told: str) -> None:
    state = waits("CrashLoopBackOff", "back-off", restartCount=3)
    last = {"lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": said}}}
    found = pod("a", conditions=[condition("PodScheduled")], containerStatuses=[state | last])
    sentence = f"The replica fails: the container ends again and again (restarted 3 times): {told}."
    says(judged(ONE, found), Health.FAILING, sentence)


def test_without_a_gpu_type_the_resource_is_named() -> None:
    found = judged(Intent(wanted=1, gpus=2), pending_pod("a", NO_GPU))
    says(found, Health.WAITING, "The replica waits: no node has 2 free nvidia.com/gpu.")


def test_labels_alone_name_no_gpu_type_when_none_was_asked_for() -> None:
    found = judged(Intent(wanted=1), pending_pod("a", said_by_the_scheduler("unknown-accelerator")))
    says(found, Health.WAITING, "The replica waits: no node carries the wanted labels.")


def test_a_taint_that_keeps_it_out_is_said() -> None:
    message = "0/2 nodes are available: 2 node(s) had untolerated taint(s). preemption: 0/2 nodes are available."
    found = judged(Intent(wanted=2), pending_pod("a", message), pending_pod("b", message))
    says(found, Health.WAITING, "All 2 replicas wait: every node has a taint that it does not tolerate.")


def test_a_message_that_nobody_knows_is_said_to_its_first_stop() -> None:
    says(judged(ONE, pending_pod("a", "Odd thing. More.")), Health.WAITING, "The replica waits: Odd thing.")
    says(judged(ONE, pending_pod("a", "")), Health.WAITING, "The replica waits: it has no node yet.")


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [
        ("over-quota", "exceeded quota: gpus, requested: requests.nvidia.com/gpu=8"),
        ("no-account", 'serviceaccount "absent" not found'),
        ("not-restricted", 'violates PodSecurity "restricted:latest"'),
    ],
)
def test_pods_that_the_cluster_refuses_to_make_are_explained_in_its_own_words(recorded: str, reason: str) -> None:
    found = judged(ONE, live=loose(status=last_refusal(recorded)))
    assert found.health == Health.WAITING
    assert found.sentence.startswith("The replica cannot be created: ")
    assert reason in found.sentence


def test_a_quota_that_keeps_one_of_two_away_is_explained_beside_the_one_that_serves() -> None:
    found = judged(Intent(wanted=2), ready_pod(), live=loose(status=last_refusal("over-quota")))
    assert found.health == Health.DEGRADED
    assert found.sentence.startswith("Serving on 1 of 2 replicas; the other one cannot be created: pods ")


def last_refusal(recorded: str) -> dict[str, Any]:
    """The recorded status in which the controller had said that it cannot make the pod."""
    history = recording.load("messages")["histories"][recorded]
    statuses: list[dict[str, Any]] = [step["status"] for step in history]
    kinds = [{c["type"] for c in status.get("conditions", [])} for status in statuses]
    return next(status for status, kind in zip(statuses, kinds, strict=True) if "ReplicaFailure" in kind)


# ---- failing


@pytest.mark.parametrize(
    ("reason", "clause"),
    [
        ("ImagePullBackOff", "the image cannot be pulled"),
        ("ErrImagePull", "the image cannot be pulled"),
        ("InvalidImageName", "the image's name is not valid"),
        ("CrashLoopBackOff", "the container ends again and again"),
        ("CreateContainerConfigError", "the container's configuration is incomplete"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_each_failure_has_its_clause(reason: str, clause: str) -> None:
    says(judged(ONE, failing_pod("a", reason)), Health.FAILING, f"The replica fails: {clause}.")


def test_restarts_are_counted_in_the_sentence() -> None:
    crashed = pod(containerStatuses=[samples.waits("CrashLoopBackOff", restartCount=4)])
    says(
        judged(ONE, crashed),
        Health.FAILING,
        "The replica fails: the container ends again and again (restarted 4 times).",
    )


def test_a_lost_node_fails_its_pods() -> None:
    found = judged(ONE, ready_pod(), lost={"gpu-1"})
    says(found, Health.FAILING, "The replica fails: node gpu-1 is not ready.")
    assert found.ready == 0


def test_one_failure_is_told_before_those_that_start() -> None:
    found = judged(THREE, failing_pod("a"), loading_pod("b"), pending_pod("c", NO_GPU))
    says(found, Health.FAILING, "1 of 3 replicas fails: the image cannot be pulled.")


def test_a_rollout_past_its_deadline_is_failing_though_its_pods_wait() -> None:
    found = judged(ONE, pending_pod("a", NO_GPU), live=rolled("ProgressDeadlineExceeded"))
    says(found, Health.FAILING, "The replica waits: no node has 1 free H100.")
    assert found.rollout == "stuck"


def test_a_rollout_past_its_deadline_is_no_failure_while_something_serves() -> None:
    found = judged(THREE, ready_pod("a"), pending_pod("b", NO_GPU), live=rolled("ProgressDeadlineExceeded"))
    assert found.health == Health.DEGRADED


def test_an_evicted_pod_that_nothing_replaces_is_failing() -> None:
    says(judged(ONE, evicted()), Health.FAILING, "The replica fails: the node evicted it.")


def test_an_evicted_pod_is_only_a_record_once_another_takes_its_place() -> None:
    says(judged(ONE, evicted(), ready_pod("b")), Health.SERVING, "Serving on 1 replica.")
    says(judged(ONE, evicted(), loading_pod("b")), Health.STARTING, "The replica is loading the weights.")


def test_a_pod_that_ended_holds_no_gpu() -> None:
    assert judged(ONE, evicted(), ready_pod("b")).gpus == 1


def evicted() -> Pod:
    message = "The node was low on resource: ephemeral-storage. "
    return pod("evicted", phase="Failed", reason="Evicted", message=message)


# ---- starting


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (pod(node=""), "The replica is waiting for a node."),
        (pod(), "The replica is placed on a node."),
        (loading_pod(), "The replica is loading the weights."),
    ],
)
def test_what_starts_is_told_by_stage(found: Pod, sentence: str) -> None:
    says(judged(ONE, found), Health.STARTING, sentence)


def test_a_pull_is_known_by_its_event() -> None:
    found = judged(ONE, pod(), events={"uid-qwen-1": [event("Pulling", "2026-07-01T10:01:00Z")]})
    says(found, Health.STARTING, "The replica is pulling the image.")


def test_a_runtime_that_loads_no_llm_just_starts() -> None:
    says(judged(replace(ONE, loads=False), loading_pod()), Health.STARTING, "The replica is starting.")


def test_of_several_stages_the_commonest_is_told() -> None:
    found = judged(THREE, loading_pod("a"), loading_pod("b"), pod("c"))
    says(found, Health.STARTING, "2 of 3 replicas are loading the weights.")


def test_one_that_waits_comes_before_another_that_goes_on() -> None:
    found = judged(Intent(wanted=2, gpus=1, gpu_name="H100"), loading_pod("a"), pending_pod("b", NO_GPU))
    says(found, Health.WAITING, "1 of 2 replicas waits: no node has 1 free H100.")


def test_what_fails_of_an_older_revision_is_told_beside_the_newest() -> None:
    old = failing_pod("old", "CrashLoopBackOff", "back-off")
    old.metadata.labels = PodLabels(template_hash="before")
    found = judged(THREE, ready_pod("a"), failing_pod("b"), old)
    says(found, Health.DEGRADED, "Serving on 1 of 3 replicas; 1 of the other 2 fails: the image cannot be pulled; "
                                 "1 of an older revision fails: the container ends again and again.")  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "clause"),
    [("Error", "the container ended with an error"), ("StartError", "the container cannot be started")],
)
def test_reasons_of_the_kubelet_are_put_in_words(reason: str, clause: str) -> None:
    says(judged(ONE, failing_pod(reason=reason)), Health.FAILING, f"The replica fails: {clause}.")


def test_a_deployment_without_pods_is_starting() -> None:
    says(judged(THREE), Health.STARTING, "3 pods not created yet.")


# ---- stopped, deleted, not applied


def test_a_stopped_deployment_says_what_still_goes() -> None:
    nothing = Intent(wanted=0)
    says(judged(nothing), Health.STOPPED, "Stopped.")
    says(judged(nothing, stopping_pod()), Health.STOPPED, "Stopped: 1 pod still stopping.")
    says(judged(nothing, ready_pod()), Health.SERVING, "Not stopped yet: 1 pod still runs.")
    says(judged(nothing, loading_pod()), Health.STOPPED, "Not stopped yet: 1 pod still runs.")
    says(judged(nothing, evicted()), Health.STOPPED, "Stopped.")
    says(absent(nothing), Health.STOPPED, "Stopped.")


def test_a_stop_that_is_not_applied_says_so() -> None:
    intent = Intent(wanted=0, desired=2, applied=1, problem=Problem.WAIT, problem_message="forbidden.")
    sentence = "Not stopped: 1 pod still runs. Revision 2 is not applied: forbidden."
    says(judged(intent, ready_pod()), Health.FAILING, sentence)
    passing = replace(intent, problem=Problem.BACK_OFF)
    says(judged(passing, ready_pod()), Health.DEGRADED, sentence)
    says(judged(intent), Health.STOPPED, "Stopped. Revision 2 is not applied: forbidden.")


@pytest.mark.parametrize("live", [None, rolled("NewReplicaSetAvailable")])
def test_what_is_being_deleted_counts_its_objects(live: Loose | None) -> None:
    found = status(replace(ONE, being_deleted=True, objects_left=3), Seen(live, [failing_pod()]))
    says(found, Health.STOPPED, "Being deleted: 3 objects left, 1 pod still runs.")
    one = status(replace(ONE, being_deleted=True, objects_left=1), Seen(None))
    assert one.sentence == "Being deleted: 1 object left."


@pytest.mark.parametrize(
    ("problem", "health", "how"),
    [(Problem.WAIT, Health.FAILING, "It is refused: "), (Problem.POISON, Health.FAILING, ""),
     (Problem.CLUSTER, Health.FAILING, ""), (Problem.BACK_OFF, Health.STOPPED, "Trying again: "),
     (Problem.CONTESTED, Health.STOPPED, "")],
)  # fmt: skip
def test_a_deletion_that_is_hindered_says_by_what(problem: Problem, health: Health, how: str) -> None:
    intent = replace(ONE, being_deleted=True, objects_left=2, problem=problem, problem_message="hook denies it.")
    says(judged(intent, ready_pod()), health, f"Being deleted: 2 objects left, 1 pod still runs. {how}hook denies it.")
