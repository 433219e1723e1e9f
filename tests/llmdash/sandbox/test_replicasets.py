"""Sizes of a rollout's sets, as pure functions."""

from typing import Any

import pytest

from llmdash.sandbox.controllers import replicasets

Json = dict[str, Any]


def deployment(replicas: int, *, surge: Any = "25%", unavailable: Any = "25%", kind: str = "RollingUpdate") -> Json:
    strategy: Json = {"type": kind}
    if kind == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxSurge": surge, "maxUnavailable": unavailable}
    spec = {"replicas": replicas, "strategy": strategy, "selector": {"matchLabels": {"app": "x"}}}
    return {"metadata": {"name": "x"}, "spec": spec | {"template": {"spec": {}}}}


def owned(name: str, size: int, available: int | None = None) -> Json:
    status = {"availableReplicas": size if available is None else available}
    return {"metadata": {"name": name, "creationTimestamp": name}, "spec": {"replicas": size}, "status": status}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (4, "25%", "25%", (1, 1)),
        (3, "25%", "25%", (1, 0)),
        (10, "30%", "30%", (3, 3)),
        (1, 0, 0, (0, 1)),
        (1, 1, 0, (1, 0)),
        (0, "25%", "25%", (0, 0)),
        (2, 0, 5, (0, 2)),
    ],
)
def test_surges_round_up_and_absences_down(
    replicas: int, surge: Any, unavailable: Any, expected: tuple[int, int]
) -> None:
    assert replicasets.bounds(deployment(replicas, surge=surge, unavailable=unavailable)) == expected


def test_a_first_set_has_all_pods_at_once() -> None:
    assert replicasets.first_size(deployment(5), []) == 5


def test_a_second_set_begins_with_the_surge() -> None:
    assert replicasets.first_size(deployment(4), [owned("old", 4)]) == 1


def test_without_surge_the_old_goes_first() -> None:
    found = deployment(2, surge=0, unavailable=1)
    old, new = owned("old", 2), owned("new", 0)
    assert replicasets.new_replicas(found, [old, new], new) == 0
    assert replicasets.shrunk(found, [old], new) == [(old, 1)]


def test_old_pods_stay_until_the_new_are_available() -> None:
    found = deployment(4, surge=1, unavailable=0)
    old, new = owned("old", 4), owned("new", 1, available=0)
    assert replicasets.shrunk(found, [old], new) == []
    ready = owned("new", 1)
    assert replicasets.shrunk(found, [old], ready) == [(old, 3)]


def test_sick_old_pods_go_first() -> None:
    found = deployment(4, surge=1, unavailable=0)
    old, new = owned("old", 4, available=2), owned("new", 1)
    assert replicasets.shrunk(found, [old], new) == [(old, 3)]


def test_a_rollout_ends_in_bounds_at_every_step() -> None:
    found = deployment(7, surge=2, unavailable=1)
    old, new = owned("old", 7), owned("new", 0)
    for _ in range(50):
        grown = replicasets.new_replicas(found, [old, new], new)
        new = owned("new", grown, available=replicasets.size(new))
        for _, size in replicasets.shrunk(found, [old], new):
            old = owned("old", size)
        total = replicasets.size(old) + replicasets.size(new)
        assert total <= 9
        assert replicasets.available(old) + replicasets.available(new) >= 6 or total < 9
    assert (replicasets.size(old), replicasets.size(new)) == (0, 7)


def test_one_active_set_gets_the_whole_new_size() -> None:
    active = owned("old", 2)
    assert replicasets.shared_out(deployment(5), [active], active) == [(active, 5)]


def test_several_active_sets_share_a_new_size() -> None:
    old, new = owned("old", 6), owned("new", 2)
    sizes = [size for _, size in replicasets.shared_out(deployment(12, surge=2), [old, new], new)]
    assert sum(sizes) == 14
    assert sizes[0] > sizes[1]


def test_a_template_keeps_its_hash_and_another_has_another() -> None:
    one = replicasets.template_hash({"spec": {"a": 1}}, 0)
    assert one == replicasets.template_hash({"spec": {"a": 1}}, 0)
    assert one != replicasets.template_hash({"spec": {"a": 2}}, 0)
    assert one != replicasets.template_hash({"spec": {"a": 1}}, 1)
    assert set(one) <= set("bcdfghjklmnpqrstvwxz2456789")
