"""Differences name the leaf that differs and nothing else."""

from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from deployments.difference import as_yaml, changes, fingerprint, lines

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
)


def test_each_changed_leaf_is_named_by_its_path() -> None:
    before = {"replicas": 1, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "gpus": 0}
    after = {"replicas": 3, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}], "gpus": 0}
    assert changes(before, after) == [
        {"field": "env.1.value", "before": "2", "after": "3"},
        {"field": "replicas", "before": 1, "after": 3},
    ]


def test_what_stands_on_one_side_only_is_none_on_the_other() -> None:
    assert changes({"args": ["a"]}, {"args": ["a", "b"], "new": 1}) == [
        {"field": "args.1", "before": None, "after": "b"},
        {"field": "new", "before": None, "after": 1},
    ]
    assert changes({"node": {"a": "b"}}, {"node": {}}) == [{"field": "node.a", "before": "b", "after": None}]


def test_a_value_that_changes_its_type_is_one_change() -> None:
    assert changes({"a": [1]}, {"a": {"b": 1}}) == [{"field": "a", "before": [1], "after": {"b": 1}}]


@given(DOCUMENTS)
def test_nothing_differs_from_itself(document: Any) -> None:
    assert changes(document, document) == []


@given(st.dictionaries(st.text("abc", min_size=1), LEAVES), st.dictionaries(st.text("abc", min_size=1), LEAVES))
def test_the_changes_lead_from_one_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    led = dict(before)
    for change in changes(before, after):
        assert led.get(change["field"]) == change["before"]
        led[change["field"]] = change["after"]
    assert {key: value for key, value in led.items() if value is not None} == {
        key: value for key, value in after.items() if value is not None
    }


@given(DOCUMENTS)
@example("\x85")
@example("a\u2028b")
def test_yaml_reads_back_and_holds_no_alias(document: Any) -> None:
    text = as_yaml({"a": document, "b": document})
    assert yaml.safe_load(text) == {"a": document, "b": document}
    assert "&id" not in text


def test_yaml_keeps_the_order_and_every_script() -> None:
    assert (
        as_yaml({"kind": "Service", "apiVersion": "v1", "name": "模型"})
        == "kind: Service\napiVersion: v1\nname: 模型\n"
    )


def test_lines_are_marked_by_their_sign() -> None:
    assert lines("a\nb\nc", "a\nx\nc") == [
        {"sign": "@", "text": "@ -1,3 +1,3 @@"},
        {"sign": " ", "text": "a"},
        {"sign": "-", "text": "b"},
        {"sign": "+", "text": "x"},
        {"sign": " ", "text": "c"},
    ]
    assert lines("same", "same") == []


def test_lines_that_look_like_a_header_are_kept() -> None:
    assert [line["text"] for line in lines("--- a", "+++ b")[1:]] == ["--- a", "+++ b"]


def test_the_order_of_keys_does_not_change_a_fingerprint() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    assert fingerprint([1, 2]) != fingerprint([2, 1])
