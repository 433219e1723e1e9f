"""Pods: where they land, why they do not, what they log and how they are described."""

import time

import pytest

from tests.contract.space import Json, Space, gpus, workload
from tests.controlplane.plane import KubectlFailed
from tests.llmdash.sandbox.hollow.fixtures import deployment

TAIL = " no new claims to deallocate, preemption: 0/2 nodes are available: "


def pending(space: Space) -> str:
    """What the scheduler says of the only pod."""

    def said() -> str | None:
        for pod in space.items("pods"):
            for one in pod["status"].get("conditions", []):
                if one["type"] == "PodScheduled" and one["status"] == "False":
                    return str(one["message"])
        return None

    return space.wait(said) or ""


@pytest.fixture
def logged(space: Space) -> str:
    """The name of a pod that serves and logs."""
    space.apply(deployment("qwen"))
    space.kubectl("rollout", "status", "deploy/qwen", "--timeout=90s")
    return str(space.items("pods")[0]["metadata"]["name"])


@pytest.mark.parametrize(
    ("pod", "container", "message"),
    [
        ({}, gpus(64), "2 Insufficient nvidia.com/gpu.{tail}2 Preemption is not helpful for scheduling."),
        (
            {"nodeSelector": {"a": "b"}},
            {},
            "2 node(s) didn't match Pod's node affinity/selector.{tail}2 Preemption is not helpful for scheduling.",
        ),
        (
            {"nodeSelector": {"kubernetes.io/hostname": "hollow-l4-0"}},
            gpus(4),
            "1 Insufficient nvidia.com/gpu, 1 node(s) didn't match Pod's node affinity/selector.{tail}"
            "2 Preemption is not helpful for scheduling.",
        ),
        (
            {},
            {"resources": {"limits": {"cpu": "9000", "memory": "1Pi"}}},
            "2 Insufficient cpu, 2 Insufficient memory.{tail}2 Preemption is not helpful for scheduling.",
        ),
    ],
)
def test_a_pod_that_fits_nowhere_is_told_why(space: Space, pod: Json, container: Json, message: str) -> None:
    space.apply(workload("waits", pod=pod, container=container))
    assert pending(space) == "0/2 nodes are available: " + message.format(tail=TAIL)
    space.wait(lambda: pending(space) in space.messages("FailedScheduling"))


def test_a_pod_waits_for_room_and_takes_it(space: Space) -> None:
    space.apply(workload("first", container=gpus(8)))
    space.kubectl("rollout", "status", "deploy/first", "--timeout=60s")
    space.apply(workload("second", container=gpus(8)))
    expected = "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."
    assert pending(space).endswith(expected)
    space.kubectl("delete", "deploy", "first", "--cascade=foreground")
    space.kubectl("rollout", "status", "deploy/second", "--timeout=60s")


def test_required_affinity_chooses_the_node(space: Space) -> None:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["hollow-l4-0"]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    space.apply(workload("web", pod={"affinity": affinity}))
    space.kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    assert space.items("pods")[0]["spec"]["nodeName"] == "hollow-l4-0"


def test_a_cordoned_node_takes_no_more_pods(space: Space) -> None:
    space.kubectl("cordon", "hollow-l4-0")
    try:
        space.apply(workload("web", pod={"nodeSelector": {"kubernetes.io/hostname": "hollow-l4-0"}}))
        assert "1 node(s) were unschedulable" in pending(space)
        taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        space.wait(
            lambda: any(
                taint.items() <= one.items() for one in space.get("node", "hollow-l4-0")["spec"].get("taints", [])
            )
        )
        assert "SchedulingDisabled" in space.kubectl("get", "node", "hollow-l4-0")
    finally:
        space.kubectl("uncordon", "hollow-l4-0")
    space.kubectl("rollout", "status", "deploy/web", "--timeout=60s")


def test_a_gated_pod_waits_without_being_looked_at(space: Space) -> None:
    space.apply(workload("web", pod={"schedulingGates": [{"name": "example.com/queue"}]}))
    pod = space.wait(lambda: space.items("pods"))[0]
    assert "SchedulingGated" in space.kubectl("get", "pods")
    said = pod["status"]["conditions"][0]
    assert (said["reason"], said["message"]) == (
        "SchedulingGated",
        "Scheduling is blocked due to non-empty scheduling gates",
    )


def test_a_pod_gets_what_admission_adds(space: Space) -> None:
    space.apply(workload("web", container={"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}))
    space.kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    pod = space.items("pods")[0]
    assert pod["status"]["qosClass"] == "Guaranteed"
    assert pod["spec"]["serviceAccountName"] == "default"
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}
    assert [one["key"] for one in pod["spec"]["tolerations"]] == [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]
    [volume] = pod["spec"]["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert pod["metadata"]["labels"]["topology.kubernetes.io/zone"]


def test_logs_are_read_tailed_and_followed(space: Space, logged: str) -> None:
    assert "vLLM" in space.kubectl("logs", logged)
    assert len(space.kubectl("logs", logged, "--tail=2").splitlines()) == 2
    assert space.kubectl("logs", "deploy/qwen", "--tail=1")
    assert len(space.kubectl("logs", logged, "--limit-bytes=10")) == 10
    stamped = space.kubectl("logs", logged, "--tail=1", "--timestamps")
    assert stamped[:2] == "20"
    with space.http.stream("GET", f"{space.core}/pods/{logged}/log?follow=true&tailLines=1") as stream:
        first = next(stream.iter_lines())
    assert first


def test_a_followed_log_ends_with_its_pod(space: Space, logged: str) -> None:
    started = time.monotonic()
    with space.http.stream("GET", f"{space.core}/pods/{logged}/log?follow=true&tailLines=1", timeout=60) as stream:
        space.send("DELETE", f"{space.core}/pods/{logged}")
        for _ in stream.iter_lines():
            pass
    assert time.monotonic() - started < 50


def test_logs_that_are_not_there_are_refused_in_words(space: Space, logged: str) -> None:
    with pytest.raises(KubectlFailed, match="container nonsense is not valid for pod"):
        space.kubectl("logs", logged, "-c", "nonsense")
    with pytest.raises(KubectlFailed, match='previous terminated container "vllm" in pod'):
        space.kubectl("logs", logged, "--previous")
    with pytest.raises(KubectlFailed, match='pods "nonsense" not found'):
        space.kubectl("logs", "nonsense")


def test_the_log_of_a_crash_is_kept(space: Space) -> None:
    manifest = deployment("bad")
    manifest["spec"]["template"]["metadata"]["annotations"] = {"sandbox.llmdash.io/fail": "crash"}
    space.apply(manifest)
    space.wait(lambda: any(
        one["restartCount"] for pod in space.items("pods") for one in pod["status"].get("containerStatuses", [])
    ), 60)  # fmt: skip
    pod = space.items("pods")[0]["metadata"]["name"]
    assert space.wait(lambda: space.kubectl("logs", pod, "--previous", check=False))


def test_pods_and_nodes_are_described(space: Space, logged: str) -> None:
    shown = space.kubectl("describe", "pod", logged)
    assert "Successfully assigned" in shown
    assert "Controlled By:  ReplicaSet/qwen-" in shown
    node = space.items("pods")[0]["spec"]["nodeName"]
    described = space.kubectl("describe", "node", node)
    assert logged in described
    assert "nvidia.com/gpu" in described


def test_an_eviction_respects_a_budget(space: Space, logged: str) -> None:
    budget = {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "qwen"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "qwen"}}},
    }  # fmt: skip
    space.kubectl("create", "-f", "-", given=budget)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": logged}}
    path = f"{space.core}/pods/{logged}/eviction"
    # The real one refuses with 429 until its controller has seen the budget, too.
    space.wait(lambda: "needs 1 healthy pods and has 1" in space.send("POST", path, eviction).text)
    assert space.send("POST", path, eviction).json()["reason"] == "TooManyRequests"
    space.kubectl("delete", "pdb", "qwen")
    assert space.send("POST", path, eviction).status_code == 201
