"""Where a pod fits, as a pure function."""

from typing import Any

import pytest

from llmdash.sandbox.controllers import fitting

Json = dict[str, Any]


def node(name: str = "n", *, gpus: int = 2, labels: dict[str, str] | None = None, **spec: Any) -> Json:
    resources = {"cpu": "8", "memory": "32Gi", "pods": "3", "nvidia.com/gpu": str(gpus)}
    meta = {"name": name, "labels": {"kubernetes.io/hostname": name} | (labels or {})}
    return {"metadata": meta, "spec": spec, "status": {"allocatable": resources}}


def pod(requests: dict[str, str] | None = None, **spec: Any) -> Json:
    container = {"name": "main", "image": "x", "resources": {"requests": requests or {}}}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container], **spec}, "status": {}}


def refused(found: Json, *nodes: Json, running: list[Json] | None = None) -> list[list[str]]:
    return [fitting.refusals(found, room) for room in fitting.rooms(nodes, running or [])]


def test_a_pod_fits_an_empty_node() -> None:
    assert refused(pod({"cpu": "8", "nvidia.com/gpu": "2"}), node()) == [[]]


def test_what_runs_takes_room_and_what_ended_does_not() -> None:
    running = pod({"nvidia.com/gpu": "2"}, nodeName="n")
    assert refused(pod({"nvidia.com/gpu": "1"}), node(), running=[running]) == [["Insufficient nvidia.com/gpu"]]
    ended = running | {"status": {"phase": "Succeeded"}}
    assert refused(pod({"nvidia.com/gpu": "1"}), node(), running=[ended]) == [[]]


def test_every_missing_resource_is_told() -> None:
    assert refused(pod({"cpu": "9", "memory": "64Gi"}), node()) == [["Insufficient cpu", "Insufficient memory"]]


def test_a_node_holds_only_so_many_pods() -> None:
    running = [pod(nodeName="n") for _ in range(3)]
    assert refused(pod(), node(), running=running) == [["Too many pods"]]


def test_an_init_container_counts_only_where_it_is_greedier() -> None:
    greedy = {"name": "init", "resources": {"requests": {"cpu": "6"}}}
    found = pod({"cpu": "2"}, initContainers=[greedy])
    assert fitting.requests(found)["cpu"] == 6
    sidecar = greedy | {"restartPolicy": "Always"}
    assert fitting.requests(pod({"cpu": "2"}, initContainers=[sidecar]))["cpu"] == 8


@pytest.mark.parametrize(
    ("toleration", "taint", "covered"),
    [
        ({"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoSchedule"}, True),
        ({"key": "a", "operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute"}, True),
        ({"key": "a", "value": "b"}, {"key": "a", "value": "b", "effect": "NoSchedule"}, True),
        ({"key": "a", "value": "c"}, {"key": "a", "value": "b", "effect": "NoSchedule"}, False),
        ({"key": "a", "operator": "Exists", "effect": "NoExecute"}, {"key": "a", "effect": "NoSchedule"}, False),
        ({"key": "x", "operator": "Exists"}, {"key": "a", "effect": "NoSchedule"}, False),
    ],
)
def test_a_toleration_covers_a_taint(toleration: Json, taint: Json, covered: bool) -> None:
    assert fitting.covers(toleration, taint) is covered


def test_a_soft_taint_keeps_nobody_away() -> None:
    assert refused(pod(), node(taints=[{"key": "a", "effect": "PreferNoSchedule"}])) == [[]]


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ({"key": "gpu", "operator": "In", "values": ["h100"]}, True),
        ({"key": "gpu", "operator": "NotIn", "values": ["h100"]}, False),
        ({"key": "gpu", "operator": "Exists"}, True),
        ({"key": "gpu", "operator": "DoesNotExist"}, False),
        ({"key": "count", "operator": "Gt", "values": ["7"]}, True),
        ({"key": "count", "operator": "Lt", "values": ["7"]}, False),
        ({"key": "count", "operator": "Gt", "values": ["many"]}, False),
    ],
)
def test_required_affinity_is_required(expression: Json, fits: bool) -> None:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    found = refused(pod(affinity=affinity), node(labels={"gpu": "h100", "count": "8"}))
    assert (found == [[]]) is fits


def test_the_sentence_counts_reasons_and_says_whether_preemption_could_help() -> None:
    full = pod({"nvidia.com/gpu": "2"}, nodeName="a")
    asks = pod({"nvidia.com/gpu": "2"})
    tried = [(room, fitting.refusals(asks, room)) for room in fitting.rooms([node("a"), node("b", gpus=1)], [full])]
    assert fitting.sentence(asks, tried) == (
        "0/2 nodes are available: 2 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/2 nodes "
        "are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."
    )


def test_ports_of_the_host_are_taken_once() -> None:
    port: Json = {"containers": [{"name": "m", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
    taken = pod(nodeName="n", **port)
    assert refused(pod(**port), node(), running=[taken]) == [[fitting.PORTS]]


def test_brothers_spread() -> None:
    owner = [{"uid": "u", "controller": True}]
    brother = pod(nodeName="a")
    brother["metadata"]["ownerReferences"] = owner
    asks = pod()
    asks["metadata"]["ownerReferences"] = owner
    first, second = fitting.rooms([node("a"), node("b")], [brother])
    assert fitting.score(asks, second) > fitting.score(asks, first)


def test_an_empty_node_is_better_than_the_image_beside_a_brother() -> None:
    owner = [{"uid": "u", "controller": True}]
    containers = [{"name": "m", "image": "vllm"}]
    brother, asks = pod(containers=containers, nodeName="a"), pod(containers=containers)
    for one in (brother, asks):
        one["metadata"]["ownerReferences"] = owner
    holds = node("a")
    holds["status"]["images"] = [{"names": ["vllm"]}]
    first, second = fitting.rooms([holds, node("b")], [brother])
    assert fitting.score(asks, second) > fitting.score(asks, first)
