"""Patches as pure functions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdash.sandbox import patch, schema
from llmdash.sandbox.errors import Refusal

DEPLOYMENT = schema.of("apps/v1", "Deployment")
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=2), values, max_size=3)


def without_nulls(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: without_nulls(value) for key, value in found.items() if value is not None}
    return found


@given(objects, objects)
def test_a_merge_patch_is_done_when_it_is_done_twice(found: dict[str, Any], change: dict[str, Any]) -> None:
    once = patch.merge_patch(found, change)
    assert patch.merge_patch(once, change) == once


@given(objects)
def test_an_empty_merge_patch_changes_nothing(found: dict[str, Any]) -> None:
    assert patch.merge_patch(found, {}) == found


@given(objects)
def test_a_merge_patch_of_nothing_makes_what_it_says(change: dict[str, Any]) -> None:
    assert patch.merge_patch({}, change) == without_nulls(change)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/absent"},
        {"op": "replace", "path": "/absent", "value": 1},
        {"op": "test", "path": "/a", "value": 2},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "nonsense", "path": "/a"},
        {"path": "/a"},
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        patch.json_patch({"a": 1, "list": [1]}, [operation])
    assert refused.value.code == 422


def test_a_json_patch_leaves_the_original_alone() -> None:
    found: dict[str, Any] = {"list": [1, 2]}
    assert patch.json_patch(found, [{"op": "add", "path": "/list/-", "value": 3}]) == {"list": [1, 2, 3]}
    assert patch.json_patch(found, [{"op": "move", "from": "/list/0", "path": "/first"}]) == {"list": [2], "first": 1}
    assert found == {"list": [1, 2]}


def containers(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(found), **more}}}}


def test_a_strategic_patch_follows_the_order_it_is_given() -> None:
    live = containers({"name": "a"}, {"name": "b"})
    change = containers({"name": "b"}, {"name": "a"}, **{"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]})
    found = patch.strategic_merge(DEPLOYMENT, live, change)
    assert [one["name"] for one in found["spec"]["template"]["spec"]["containers"]] == ["b", "a"]


def test_a_strategic_patch_without_the_key_is_refused() -> None:
    with pytest.raises(Refusal, match="does not contain declared merge key: name"):
        patch.strategic_merge(DEPLOYMENT, containers({"name": "a"}), containers({"image": "x"}))


def test_plain_lists_lose_what_is_named() -> None:
    live = {"metadata": {"finalizers": ["a", "b"]}}
    found = patch.strategic_merge(DEPLOYMENT, live, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}})
    assert found == {"metadata": {"finalizers": ["b"]}}
