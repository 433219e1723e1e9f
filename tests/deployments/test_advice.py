"""What a person can do next."""

import pytest

from deployments.advice import BY_HEALTH, BY_REASON, NOT_MATCHED, of_health
from deployments.choices import Health


def pod(reason: str, *, stage: str = "failed", current: bool = True) -> dict[str, object]:
    return {"stage": stage, "reason": reason, "current": current}


@pytest.mark.parametrize("reason", BY_REASON)
def test_a_known_reason_has_its_own_step(reason: str) -> None:
    assert of_health(Health.FAILING, [pod(reason)]) == BY_REASON[reason]


def test_an_unknown_reason_gets_the_step_of_the_health() -> None:
    assert of_health(Health.FAILING, [pod("Odd")]) == BY_HEALTH[Health.FAILING]


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
     ("0/9 nodes are available: 9 Insufficient nvidia.com/gpu.", BY_HEALTH[Health.WAITING])],
    ids=["no such node", "such nodes are full", "all are full"],
)  # fmt: skip
def test_what_waits_for_room_is_not_told_that_there_is_no_such_node(message: str, step: str) -> None:
    assert of_health(Health.WAITING, [pod("", stage="pending") | {"message": message}]) == step
