"""Objects as they come: whatever a cluster sends, each costs at most itself."""

import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from monitoring import capacity, drift
from monitoring.objects import Event, Loose, Node, Pod, ReplicaSet, condition
from monitoring.status import Intent, Seen, status
from tests.monitoring.samples import as_node, as_pod, event, pod_json

MEBIBYTE = 2**20


def decode(kind: type[Any], found: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(found), type=kind)


@pytest.mark.parametrize("kind", [Pod, Node, Loose, ReplicaSet, Event])
def test_an_object_of_nothing_but_metadata_can_be_read(kind: type[Any]) -> None:
    found = decode(kind, {"metadata": {"name": "x", "uid": "u"}})
    assert found.metadata.uid == "u"
    if kind in (Node, Loose):
        assert (found.metadata.name, found.metadata.label("a"), found.metadata.annotation("b")) == ("x", "", "")
    if kind in (Pod, ReplicaSet):
        assert (found.metadata.name, found.metadata.deployment_id, found.metadata.template_hash) == ("x", "", "")


@pytest.mark.parametrize("kind", [Pod, Node, Loose, ReplicaSet, Event])
@pytest.mark.parametrize("odd", [{}, {"metadata": None}, {"metadata": []}, [], "text", 7, None])
def test_what_is_no_object_is_refused_by_one_error(kind: type[Any], odd: Any) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(kind, odd)


def test_fields_that_we_do_not_know_are_passed_over() -> None:
    found = pod_json() | {"extra": {"deep": [1, {"x": None}]}}
    found["spec"]["futureField"] = {"a": 1}
    assert as_pod(found).spec.node_name == "gpu-1"


@pytest.mark.parametrize(
    "part",
    [{"status": "Running"}, {"spec": {"containers": {}}}, {"status": {"conditions": "x"}}, {"spec": {"nodeName": 7}},
     {"metadata": {"name": "x", "labels": {"pod-template-hash": 1}}}, {"metadata": {"creationTimestamp": "yesterday"}}],
)  # fmt: skip
def test_a_field_of_another_type_is_refused_by_one_error(part: dict[str, Any]) -> None:
    with pytest.raises(msgspec.DecodeError):
        as_pod(pod_json() | part)


def everything(found: Pod) -> None:
    """All that is made of a pod."""
    capacity.rooms([as_node({"metadata": {"name": "gpu-1"}})], [found])
    status(Intent(wanted=1), Seen(None, [found]))


@pytest.mark.parametrize(
    "odd",
    [{}, {"phase": "Sideways"}, {"phase": ""}, {"conditions": None}, {"conditions": [{}]}, {"containerStatuses": [{}]},
     {"containerStatuses": [{"state": {}}]}, {"containerStatuses": [{"state": {"terminated": {}}}]},
     {"containerStatuses": [{"state": {"waiting": {}}, "lastState": {"terminated": {}}}]},
     {"initContainerStatuses": [{"state": {"waiting": {"reason": "?"}}}]}],
)  # fmt: skip
def test_a_pod_with_an_odd_status_is_judged_all_the_same(odd: dict[str, Any]) -> None:
    everything(as_pod(pod_json() | {"status": odd}))
    everything(as_pod({"metadata": {"name": "x", "uid": "u"}, "status": odd}))


def test_a_mebibyte_of_labels_costs_nothing_but_its_reading() -> None:
    found = pod_json()
    found["metadata"]["labels"] |= {f"key-{n}": "v" * 1000 for n in range(1000)}
    found["metadata"]["annotations"] = {"note": "x" * MEBIBYTE}
    read = as_pod(found)
    everything(read)
    assert read.metadata.template_hash == "7d9f8b6c54"
    live = decode(Loose, {"metadata": found["metadata"], "spec": {}})
    wanted = {
        "kind": "Deployment",
        "metadata": {"name": "x", "labels": {"pod-template-hash": "7d9f8b6c54"}},
        "spec": {},
    }
    assert drift.differences(wanted, live) == []


@pytest.mark.parametrize("number", ["9" * 15, "999E", "1e99", "999999999999999E"])
def test_absurd_quantities_are_numbers_like_others(number: str) -> None:
    found = as_node({"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": number, "nvidia.com/gpu": number}}})
    (place,) = capacity.rooms([found], [])
    assert place.cpu_millis > 0
    assert capacity.summary([place])[0]["total"] > 0


def test_a_node_without_status_offers_nothing() -> None:
    place = capacity.room(as_node({"metadata": {"name": "n"}}))
    assert (place.ready, place.gpus, place.cpu_millis, place.message) == (False, [], 0, "")


def test_an_event_is_dated_by_whichever_field_its_writer_fills() -> None:
    at = datetime(2026, 7, 1, 10, 5, tzinfo=UTC)
    none: dict[str, Any] = {"firstTimestamp": None, "lastTimestamp": None}
    assert event("A", "2026-07-01T10:05:00Z").at == at
    assert event("B", "2026-07-01T10:00:00Z", **none, eventTime="2026-07-01T10:05:00.000000Z").at == at
    series = {"count": 2, "lastObservedTime": "2026-07-01T10:05:00Z"}
    assert event("C", "2026-07-01T10:00:00Z", series=series).at == at
    bare = decode(Event, {"metadata": {"name": "e", "creationTimestamp": "2026-07-01T10:05:00Z"}})
    assert bare.at == at
    assert decode(Event, {"metadata": {"name": "e"}}).at is None


def test_a_condition_is_found_by_its_type() -> None:
    found = as_pod(pod_json(conditions=[{"type": "Ready", "status": "True"}, {"type": "Other"}]))
    ready = condition(found.status.conditions, "Ready")
    assert ready is not None
    assert ready.status == "True"
    assert condition(found.status.conditions, "Absent") is None
    assert condition(None, "Ready") is None


def test_pods_of_one_template_share_what_is_the_same() -> None:
    one, other = as_pod(pod_json()).kept(), as_pod(pod_json()).kept()
    assert one.spec.containers is other.spec.containers
    assert one.metadata.namespace is other.metadata.namespace
    assert one == as_pod(pod_json()), "nothing is lost"


def test_a_kept_object_holds_nothing_of_the_answer_that_it_came_in() -> None:
    answer = msgspec.json.encode({"metadata": {"name": "x", "managedFields": [{"manager": "m"}]}, "spec": {"a": 1}})
    kept = msgspec.json.decode(answer, type=Loose).kept()
    (manager,) = kept.metadata.managers
    assert (manager.manager, kept.spec, kept.data, kept.status) == ("m", {"a": 1}, {}, {})
    assert sys.getrefcount(answer) == 2, "this name, and the call's own"


@pytest.mark.parametrize("odd", [b"1e999", b'"\xff"'])
def test_what_nobody_could_read_later_is_refused_at_the_door(odd: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        msgspec.json.decode(b'{"metadata": {"uid": "u"}, "spec": {"a": ' + odd + b"}}", type=Loose).kept()
