"""What a person can do next."""

import pytest

from deployments.advice import (
    BY_HEALTH,
    BY_PROBLEM,
    BY_REASON,
    BY_REFUSAL,
    GPU_MEMORY,
    LESS,
    NOT_MATCHED,
    OF_A_DELETION,
    TOO_LARGE,
    can_take_over,
    of_health,
    of_problem,
)
from deployments.choices import Health, Problem


def pod(reason: str, *, stage: str = "failed", current: bool = True) -> dict[str, object]:
    return {"stage": stage, "reason": reason, "current": current}


@pytest.mark.parametrize("reason", BY_REASON)
def test_a_known_reason_has_its_own_step(reason: str) -> None:
    assert of_health(Health.FAILING, [pod(reason)]) == BY_REASON[reason]


def test_an_unknown_reason_gets_the_step_of_the_health() -> None:
    assert of_health(Health.FAILING, [pod("Odd")]) == BY_HEALTH[Health.FAILING]


def test_an_llm_that_is_too_large_for_its_gpus_gets_a_step_of_its_own() -> None:
    found = pod("CrashLoopBackOff") | {"said": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB."}
    assert of_health(Health.FAILING, [found]) == GPU_MEMORY


def test_the_newest_revisions_pods_come_first() -> None:
    pods = [pod("OOMKilled", current=False), pod("ErrImagePull")]
    assert of_health(Health.DEGRADED, pods) == BY_REASON["ErrImagePull"]


def test_what_is_well_needs_no_step_whatever_its_pods_say() -> None:
    assert of_health(Health.SERVING, [pod("ErrImagePull")]) == ""


def test_of_an_unknown_cluster_old_pods_say_nothing() -> None:
    assert of_health(Health.UNKNOWN, [pod("ErrImagePull")]) == BY_HEALTH[Health.UNKNOWN]


@pytest.mark.parametrize(
    ("message", "step"),
    [("0/9 nodes are available: 9 node(s) didn't match Pod's node affinity/selector.", NOT_MATCHED),
     ("0/9 nodes are available: 5 Insufficient nvidia.com/gpu, 4 node(s) didn't match Pod's node affinity/selector.",
      BY_HEALTH[Health.WAITING]),
     ("0/9 nodes are available: 9 Insufficient nvidia.com/gpu.", BY_HEALTH[Health.WAITING]),
     ("0/9 nodes are available: 5 Insufficient nvidia.com/gpu, 9 Insufficient cpu.", LESS.format("cpu")),
     ("0/9 nodes are available: 9 Insufficient nvidia.com/gpu. 9 Preemption is not helpful", TOO_LARGE)],
    ids=["no such node", "such nodes are full", "all are full", "no CPU", "no node is so large"],
)  # fmt: skip
def test_what_waits_for_room_is_not_told_that_there_is_no_such_node(message: str, step: str) -> None:
    waits = [pod("", stage="pending") | {"message": message}]
    assert of_health(Health.WAITING, waits) == of_health(Health.DEGRADED, waits) == step


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        ("FieldConflict", BY_REFUSAL["FieldConflict"]),
        ("Removed", BY_REFUSAL["Removed"]),
        ("Invalid", BY_PROBLEM[Problem.WAIT]),
    ],
)
def test_a_refusal_is_met_by_its_reason(reason: str, step: str) -> None:
    assert of_problem(Problem.WAIT, {"reason": reason}, deleting=False) == step
    assert can_take_over(Problem.WAIT, {"reason": reason}) == (reason != "Invalid")
    assert of_problem(Problem.WAIT, {"reason": reason}, deleting=True) == OF_A_DELETION[Problem.WAIT]
