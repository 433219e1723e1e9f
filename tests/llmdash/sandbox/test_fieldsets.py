"""Sets of fields: what objects say, how they differ, how they are written."""

from typing import Any

from llmdash.sandbox import schema
from llmdash.sandbox.fieldsets import FieldSet, compare, from_json, of_object, remove, shown, with_named

POD = schema.of("v1", "Pod")


def pod(*containers: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"metadata": meta, "spec": {"containers": list(containers)}}


def paths(found: FieldSet) -> list[str]:
    return [shown(path) for path in found.paths()]


def test_list_items_are_named_by_their_keys() -> None:
    found = of_object(POD, pod({"name": "main", "image": "x"}))
    assert paths(found) == [
        ".metadata",  # an empty one is a leaf
        '.spec.containers[name="main"]',
        '.spec.containers[name="main"].image',
        '.spec.containers[name="main"].name',
    ]


def test_a_key_left_out_has_its_default() -> None:
    found = of_object(POD, pod({"name": "main", "ports": [{"containerPort": 80}]}))
    assert '.spec.containers[name="main"].ports[containerPort=80,protocol="TCP"]' in paths(found)


def test_members_of_maps_and_of_sets_count_one_by_one() -> None:
    found = of_object(POD, {"metadata": {"labels": {"a": "1"}, "finalizers": ["x"]}})
    assert paths(found) == ['.metadata.finalizers[="x"]', ".metadata.labels.a"]


def test_an_atomic_list_counts_as_one() -> None:
    found = of_object(POD, {"spec": {"tolerations": [{"key": "a"}], "nodeSelector": {"a": "b"}}})
    assert paths(found) == [".spec.nodeSelector", ".spec.tolerations"]


def test_what_is_written_is_read_back() -> None:
    found = of_object(POD, pod({"name": "main", "image": "x"}, labels={"a": "1"}))
    assert from_json(found.as_json()) == found
    assert found.as_json()["f:spec"] == {"f:containers": {'k:{"name":"main"}': {".": {}, "f:image": {}, "f:name": {}}}}


def test_a_comparison_tells_added_modified_and_removed() -> None:
    old = pod({"name": "main", "image": "x"}, labels={"a": "1", "b": "1"})
    new = pod({"name": "main", "image": "y"}, labels={"a": "1", "c": "1"})
    found = compare(POD, old, new)
    assert paths(found.added) == [".metadata.labels.c"]
    assert paths(found.modified) == ['.spec.containers[name="main"].image']
    assert paths(found.removed) == [".metadata.labels.b"]


def test_a_structure_that_is_new_is_added_itself() -> None:
    found = compare(POD, {"metadata": {}}, {"metadata": {"labels": {"a": "1"}}})
    assert paths(found.added) == [".metadata.labels", ".metadata.labels.a"]


def test_sets_are_united_and_parted() -> None:
    a, b = (
        of_object(POD, {"metadata": {"labels": {"a": "1", "b": "1"}}}),
        of_object(POD, {"metadata": {"labels": {"b": "1"}}}),
    )
    assert paths(a - b) == [".metadata.labels.a"]
    assert paths(a & b) == [".metadata.labels.b"]
    assert a | b == a
    assert not (a - a)


def test_removal_leaves_the_rest_and_empties_to_nothing() -> None:
    found = pod({"name": "main", "image": "x"}, labels={"a": "1", "b": "1"})
    gone = of_object(POD, {"metadata": {"labels": {"a": "1"}}})
    assert remove(POD, found, gone)["metadata"] == {"labels": {"b": "1"}}
    both = of_object(POD, {"metadata": {"labels": {"a": "1", "b": "1"}}})
    assert remove(POD, found, both)["metadata"] == {"labels": None}


def test_named_fields_on_the_way_become_members() -> None:
    found = of_object(POD, {"metadata": {"labels": {"a": "1"}}})
    assert paths(with_named(POD, found)) == [".metadata", ".metadata.labels", ".metadata.labels.a"]
