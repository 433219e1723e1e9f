"""What is asked for and not applied, and the events beside it."""

from dataclasses import replace

import pytest

from deployments.choices import Health, Problem, Stage
from deployments.manifests import labels
from monitoring.objects import Loose, Pod
from monitoring.status import EVENTS_KEPT, Intent, Seen, status
from tests.monitoring import samples
from tests.monitoring.judging import NO_GPU, ONE, THREE, absent, judged, says
from tests.monitoring.samples import (
    event,
    failing_pod,
    last_status,
    loading_pod,
    loose,
    pending_pod,
    ready_pod,
    rolled,
)


def test_what_is_saved_and_not_in_the_cluster_yet_is_starting() -> None:
    says(absent(ONE), Health.STARTING, "Saved; being applied.")


@pytest.mark.parametrize("problem", [Problem.WAIT, Problem.CLUSTER, Problem.CONTESTED, Problem.POISON])
def test_what_could_not_be_applied_is_failing_with_the_reason(problem: Problem) -> None:
    found = absent(replace(ONE, problem=problem, problem_message="No such namespace."))
    says(found, Health.FAILING, "Not applied: No such namespace.")


def test_what_is_tried_again_by_itself_is_waiting() -> None:
    found = absent(replace(ONE, problem=Problem.BACK_OFF, problem_message="The API server refuses connections."))
    says(found, Health.WAITING, "Not applied yet, trying again: The API server refuses connections.")


@pytest.mark.parametrize("problem", [Problem.WAIT, Problem.BACK_OFF, Problem.CLUSTER, Problem.POISON])
def test_a_newer_revision_that_is_not_applied_is_told_beside_what_runs(problem: Problem) -> None:
    intent = replace(ONE, desired=4, applied=3, problem=problem, problem_message="Quota exceeded.")
    found = judged(intent, ready_pod())
    says(found, Health.SERVING, "Serving on 1 replica. Revision 4 is not applied: Quota exceeded.")


@pytest.mark.parametrize("problem", [Problem.WAIT, Problem.POISON, Problem.CONTESTED])
def test_what_was_never_applied_as_a_whole_is_degraded_while_its_pods_serve(problem: Problem) -> None:
    intent = replace(ONE, applied=0, problem=problem, problem_message="Service x is not ours.")
    found = judged(intent, ready_pod(), live=set_to(1))
    assert found.health == Health.DEGRADED


def set_to(replicas: int, revision: int = 1) -> Loose:
    """The Deployment as it is when somebody scaled it after our write of that revision."""
    live = loose(spec={"replicas": replicas}, status=rolled("NewReplicaSetAvailable").status)
    live.metadata.annotations = {labels.REVISION: str(revision)}
    return live


def test_the_replicas_that_somebody_set_are_told_and_not_those_that_are_wanted() -> None:
    pods = [ready_pod(name) for name in "abc"]
    says(
        judged(ONE, *pods, live=set_to(3)),
        Health.SERVING,
        "Serving on 3 replicas. The cluster was set to 3; 1 is wanted.",
    )
    found = judged(ONE, *pods[:2], loading_pod("d"), live=set_to(3))
    says(
        found,
        Health.STARTING,
        "Serving on 2 of 3 replicas; the other one is loading the weights. The cluster was set to 3; 1 is wanted.",
    )
    assert found.wanted == 1


def test_what_somebody_scaled_to_nothing_has_stopped_and_what_was_stopped_and_set_on_serves() -> None:
    says(judged(ONE, live=set_to(0)), Health.STOPPED, "Stopped. The cluster was set to 0; 1 is wanted.")
    says(
        judged(Intent(wanted=0), ready_pod(), live=set_to(1)),
        Health.SERVING,
        "Serving on 1 replica. The cluster was set to 1; 0 are wanted.",
    )


def test_a_scaling_that_is_refused_tells_what_the_cluster_runs() -> None:
    intent = Intent(wanted=4, desired=2, problem=Problem.WAIT, problem_message="Quota exceeded.")
    says(
        judged(intent, ready_pod(), live=set_to(1)),
        Health.SERVING,
        "Serving on 1 replica. Revision 2 is not applied: Quota exceeded.",
    )


def test_an_older_write_than_ours_is_not_taken_for_somebody_elses() -> None:
    says(
        judged(replace(THREE, desired=2, applied=2), ready_pod(), live=set_to(1, revision=1)),
        Health.STARTING,
        "Serving on 1 of 3 replicas; 2 pods not created yet.",
    )
    on_its_way = judged(replace(THREE, desired=2), ready_pod(), live=set_to(1))
    says(on_its_way, Health.STARTING, "Serving on 1 of 3 replicas; 2 pods not created yet.")


def test_a_contested_deployment_says_who_contests() -> None:
    intent = replace(ONE, problem=Problem.CONTESTED, problem_message="rival keeps changing .spec.replicas.")
    says(
        judged(intent, ready_pod()),
        Health.SERVING,
        "Serving on 1 replica. Contested: rival keeps changing .spec.replicas.",
    )


# ---- precedence and rows


def test_the_words_stand_in_their_order_of_precedence() -> None:
    assert [word.value for word in sorted(Health, key=lambda word: word.rank)] == [
        "unknown", "stopped", "failing", "waiting", "starting", "degraded", "serving",
    ]  # fmt: skip


def test_each_word_gives_way_to_those_before_it() -> None:
    pods: list[Pod] = [ready_pod("r")]
    assert judged(Intent(wanted=1), *pods).health == Health.SERVING
    assert judged(Intent(wanted=2), *pods, failing_pod("f")).health == Health.DEGRADED
    assert judged(Intent(wanted=2), *pods, loading_pod("l")).health == Health.STARTING
    waiting = [loading_pod("l"), pending_pod("p", NO_GPU)]
    assert judged(THREE, *waiting[:1]).health == Health.STARTING
    assert judged(THREE, *waiting).health == Health.WAITING
    assert judged(THREE, *waiting, failing_pod("f")).health == Health.FAILING
    assert judged(Intent(wanted=0), *waiting, failing_pod("f")).health == Health.STOPPED


def test_pods_that_stop_are_listed_and_do_not_count() -> None:
    going = ready_pod("a")
    going.metadata.deletion_timestamp = samples.event("x", "2026-07-01T11:00:00Z").at
    found = judged(ONE, going)
    says(found, Health.STARTING, "1 pod not created yet.")
    assert [(row["stage"], row["ready"]) for row in found.pods] == [(Stage.STOPPING, False)]


def test_events_come_newest_first_and_are_bounded() -> None:
    many = [event(f"R{n}", f"2026-07-01T10:00:{n:02d}Z", message="x" * 5000) for n in range(40)]
    found = judged(ONE, ready_pod(), events={"uid-qwen-1": many})
    assert len(found.events) == EVENTS_KEPT
    assert found.events[0]["reason"] == "R39"
    assert len(found.events[0]["message"]) == 1000
    assert found.events[0]["object"] == "Pod/qwen-1"


def test_an_event_of_the_newer_api_is_counted_by_its_series() -> None:
    series = {"count": 7, "lastObservedTime": "2026-07-01T10:09:00.123456Z"}
    new = event("Failed", "2026-07-01T10:00:00Z", count=None, firstTimestamp=None, lastTimestamp=None, series=series)
    (row,) = judged(ONE, ready_pod(), events={"uid-qwen-1": [new]}).events
    assert (row["count"], row["at"]) == (7, "2026-07-01T10:09:00.123456+00:00")


def test_an_unknown_rollout_is_none() -> None:
    assert status(ONE, Seen(None)).rollout == ""
    assert status(ONE, Seen(loose(status={}), [])).rollout == ""
    assert status(ONE, Seen(loose(status={"conditions": ["odd", None]}), [])).rollout == ""


@pytest.mark.parametrize(
    ("counts", "word"),
    [({}, "complete"), ({"updatedReplicas": 2}, "progressing"), ({"replicas": 4}, "progressing"),
     ({"availableReplicas": 2}, "progressing")],
    ids=["all", "not all updated", "an old one left", "not all available"],
)  # fmt: skip
def test_a_rollout_is_told_as_kubectl_tells_it(counts: dict[str, int], word: str) -> None:
    assert judged(ONE, ready_pod(), live=rolled("NewReplicaSetAvailable", **counts)).rollout == word


def test_what_the_controller_has_not_seen_yet_is_not_complete() -> None:
    live = rolled("NewReplicaSetAvailable", observedGeneration=6)
    live.metadata.generation = 7
    assert judged(ONE, ready_pod(), live=live).rollout == "progressing"


def test_a_real_deployments_lost_replica_is_progressing() -> None:
    live = loose(spec={"replicas": 2}, status=last_status("served"))
    assert judged(ONE, ready_pod(), live=live).rollout == "progressing", "one of its two is not available"


def test_what_serves_while_an_object_is_missing_is_degraded_and_says_what_is_missing() -> None:
    intent = Intent(wanted=1, problem=Problem.WAIT, problem_message="Service/qwen was removed.")
    found = judged(intent, ready_pod("a"))
    says(found, Health.DEGRADED, "Serving on 1 replica. Not kept as it is wanted: Service/qwen was removed.")


def test_what_serves_while_the_api_server_is_sick_serves_and_says_so() -> None:
    intent = Intent(wanted=1, problem=Problem.BACK_OFF, problem_message="The API server refuses connections.")
    found = judged(intent, ready_pod("a"))
    sentence = "Serving on 1 replica. Not kept as it is wanted: The API server refuses connections."
    says(found, Health.SERVING, sentence)
