"""What a pod is doing: its stage, when it reached each, and why it does not get on."""

from typing import Any

import pytest

from deployments.choices import Stage
from monitoring.objects import Event, Pod
from monitoring.pods import facts, stage_of
from tests.monitoring.samples import (
    condition,
    container,
    event,
    loading_pod,
    pending_pod,
    pod,
    ready_pod,
    running,
    waits,
)


def seen(found: Pod, *events: Event, lost: set[str] | None = None) -> dict[str, Any]:
    return facts(found, events, current=True, lost_nodes=lost or set())


def why(found: Pod, **more: Any) -> tuple[str, str, str]:
    row = seen(found, **more)
    return row["stage"], row["reason"], row["message"]


def times(row: dict[str, Any]) -> dict[str, str | None]:
    return {step["stage"]: step["at"] for step in row["stages"]}


def test_a_ready_pod_has_a_time_for_each_stage() -> None:
    row = seen(ready_pod(), event("Pulled", "2026-07-01T10:01:30Z"), event("Pulling", "2026-07-01T10:01:00Z"))
    assert (row["stage"], row["ready"], row["node"], row["ip"], row["gpus"]) == ("ready", True, "gpu-1", "10.0.0.9", 1)
    assert times(row) == {
        "scheduled": "2026-07-01T10:00:00+00:00",
        "pulling": "2026-07-01T10:01:00+00:00",
        "loading": "2026-07-01T10:02:00+00:00",
        "ready": "2026-07-01T10:03:00+00:00",
    }


def test_a_pull_whose_event_has_expired_is_dated_by_the_start() -> None:
    assert times(seen(ready_pod()))["pulling"] == "2026-07-01T10:02:00+00:00"


def test_a_pod_that_loads_has_not_been_ready() -> None:
    row = seen(loading_pod())
    assert (row["stage"], row["ready"]) == (Stage.LOADING, False)
    assert times(row)["ready"] is None


def test_a_pod_without_a_node_waits_with_the_schedulers_reason() -> None:
    assert why(pending_pod("a", "0/4 nodes are available.")) == (
        "pending", "Unschedulable", "0/4 nodes are available.",
    )  # fmt: skip
    assert times(seen(pending_pod("a", "x")))["scheduled"] is None


def test_a_pod_that_the_scheduler_has_not_looked_at_has_no_reason() -> None:
    assert why(pod(node="")) == ("pending", "", "")


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", ""])
def test_being_created_is_no_failure(reason: str) -> None:
    found = pod(containerStatuses=[waits(reason)])
    assert why(found) == ("scheduled", "", "")
    assert seen(found, event("Pulling", "2026-07-01T10:01:00Z"))["stage"] == Stage.PULLING


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerError"])
def test_a_container_that_cannot_start_says_why(reason: str) -> None:
    found = pod(containerStatuses=[waits(reason, 'Back-off pulling image "x"')])
    assert why(found) == ("failed", reason, 'Back-off pulling image "x"')


def crashed(last: dict[str, Any]) -> Pod:
    message = "back-off 40s restarting failed container"
    return pod(containerStatuses=[waits("CrashLoopBackOff", message, restartCount=3, lastState={"terminated": last})])


def test_a_crash_loop_tells_how_the_last_run_ended() -> None:
    found = crashed({"exitCode": 1, "reason": "Error", "startedAt": "2026-07-01T10:05:00Z"})
    expected = "Ended with exit code 1. back-off 40s restarting failed container"
    assert why(found) == ("failed", "CrashLoopBackOff", expected)
    row = seen(found)
    assert row["restarts"] == 3
    assert times(row)["loading"] == "2026-07-01T10:05:00+00:00"


def test_running_out_of_memory_is_told_as_such() -> None:
    stage, reason, message = why(crashed({"exitCode": 137, "reason": "OOMKilled"}))
    assert (stage, reason) == ("failed", "OOMKilled")
    assert message.startswith("Ended with OOMKilled, exit code 137.")


def test_a_container_that_has_just_ended_fails() -> None:
    ended = {"name": "main", "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}
    assert why(pod(containerStatuses=[ended])) == ("failed", "Error", "Ended with exit code 2.")
    said = {"name": "main", "state": {"terminated": {"exitCode": 2, "reason": "Error", "message": "no CUDA"}}}
    assert why(pod(containerStatuses=[said]))[2] == "Ended with exit code 2. It said: no CUDA"


TRACEBACK = """(EngineCore_DP0 pid=7) ERROR 11-28 09:00:00 [core.py:700] torch.OutOfMemoryError: CUDA out of memory.
Traceback (most recent call last):
  File "/usr/bin/vllm", line 8, in <module>
RuntimeError: Engine core initialization failed. See root cause above.
"""


def test_the_error_that_a_container_told_last_is_told() -> None:
    row = seen(crashed({"exitCode": 1, "reason": "Error", "message": TRACEBACK}))
    assert row["said"] == "torch.OutOfMemoryError: CUDA out of memory."
    assert row["message"].startswith("Ended with exit code 1. It said: torch.OutOfMemoryError: CUDA out of memory.")


def again(last: dict[str, Any], restarts: int) -> Pod:
    """It runs once more, and was not ready yet."""
    return pod(containerStatuses=[running(restartCount=restarts, lastState={"terminated": last})])


def test_who_ran_out_of_memory_once_fails_while_it_runs_again() -> None:
    stage, reason, message = why(again({"exitCode": 137, "reason": "OOMKilled"}, restarts=1))
    assert (stage, reason) == ("failed", "OOMKilled")
    assert message == "Ended with OOMKilled, exit code 137. It runs again and is not ready yet."


def test_a_second_start_is_a_start_that_tells_how_the_first_ended() -> None:
    assert why(again({"exitCode": 1, "reason": "Error"}, restarts=1)) == ("loading", "", "Ended with exit code 1.")
    assert why(again({"exitCode": 1, "reason": "Error"}, restarts=2))[:2] == ("failed", "Restarting")


def test_an_init_container_that_fails_fails_the_pod() -> None:
    init = [waits("CrashLoopBackOff", "back-off 10s", lastState={"terminated": {"exitCode": 7, "reason": "Error"}})]
    found = pod(initContainerStatuses=init, containerStatuses=[waits("PodInitializing")])
    assert why(found) == ("failed", "CrashLoopBackOff", "Ended with exit code 7. back-off 10s")


def test_an_init_container_that_is_done_or_works_is_no_failure() -> None:
    done = {"name": "fetch", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    at_it = running(name="fetch")
    for init in ([done], [at_it]):
        assert seen(pod(initContainerStatuses=init, containerStatuses=[waits("PodInitializing")]))["stage"] != "failed"


def test_a_pod_of_two_containers_loads_when_both_run() -> None:
    one = pod(containerStatuses=[running(), waits("ContainerCreating", name="side")])
    assert seen(one)["stage"] == Stage.SCHEDULED
    assert seen(pod(containerStatuses=[running(), running(name="side")]))["stage"] == Stage.LOADING


def test_a_pod_of_a_lost_node_failed_whatever_it_last_said() -> None:
    assert why(ready_pod(), lost={"gpu-1"}) == ("failed", "NodeLost", "Node gpu-1 is not ready.")


def test_a_pod_that_is_being_deleted_stops_even_on_a_lost_node() -> None:
    going = ready_pod()
    going.metadata.deletion_timestamp = going.metadata.creation_timestamp
    assert why(going, lost={"gpu-1"}) == ("stopping", "", "")


@pytest.mark.parametrize(
    ("phase", "reason", "told"),
    [("Failed", "Evicted", "Evicted"), ("Failed", "", "Failed"), ("Succeeded", "", "Succeeded")],
)
def test_a_pod_that_ended_is_a_record(phase: str, reason: str, told: str) -> None:
    found = pod(phase=phase, reason=reason, message="The node was low on resource: memory. ")
    assert why(found) == ("failed", told, "The node was low on resource: memory. ")
    assert seen(found)["ended"]


def test_a_running_pod_has_not_ended() -> None:
    assert not seen(ready_pod())["ended"]


def test_gpus_of_every_vendor_and_slice_are_counted() -> None:
    spec = {"containers": [container(limits={"nvidia.com/mig-3g.20gb": "2"}), container(limits={"amd.com/gpu": "1"})]}
    assert seen(pod(spec=spec))["gpus"] == 3


@pytest.mark.parametrize("status", [{}, {"phase": "Odd"}, {"containerStatuses": [{}]}, {"conditions": [{}]}])
def test_a_status_that_says_nothing_useful_is_no_failure(status: dict[str, Any]) -> None:
    assert seen(pod(**status))["stage"] == Stage.SCHEDULED


@pytest.mark.parametrize(
    ("unready_since", "stage"), [("2026-07-20T10:00:00Z", Stage.LOADING), ("2026-07-05T09:59:00Z", Stage.FAILED)]
)
def test_only_a_run_that_never_was_ready_is_a_loop(unready_since: str, stage: Stage) -> None:
    conditions = [condition("PodScheduled"), condition("Ready", "False", at=unready_since)]
    found = pod(conditions=conditions, containerStatuses=[running("2026-07-05T10:00:00Z", restartCount=2, ready=False)])
    assert stage_of(found, [], set())[0] == stage
