"""Room on nodes, counted as the scheduler counts it."""

from decimal import Decimal
from typing import Any

import pytest

from monitoring.capacity import Room, amount, is_gpu, mebibytes, pod_requests, room, rooms, summary
from monitoring.objects import Node, Pod
from tests.monitoring.samples import as_node, container, node, pod

OURS = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def wants(*containers: dict[str, Any], init: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Decimal]:
    found = {"containers": list(containers), "initContainers": init or []} | spec
    asked = pod(spec=found).spec
    return pod_requests(asked.containers, asked.init_containers, asked.overhead)


def gpus(count: int | str) -> dict[str, Any]:
    return {"nvidia.com/gpu": str(count)}


def offers(resources: dict[str, Any], labels: dict[str, Any] | None = None) -> Node:
    return node(labels=labels, **resources)


def only(node: Node, *pods: Pod) -> Room:
    (found,) = rooms([node], pods)
    return found


# ---- what a pod asks for


def test_containers_are_added_up() -> None:
    found = wants(container({"cpu": "500m", "memory": "1Gi"}), container({"cpu": "1", "memory": "512Mi"}))
    assert found == {"cpu": Decimal("1.5"), "memory": Decimal(1536 * 2**20)}


def test_a_limit_without_a_request_is_the_request() -> None:
    assert wants(container(None, {"memory": "2Gi"} | gpus(2)))["nvidia.com/gpu"] == 2
    assert wants(container({"cpu": "1"}, {"cpu": "4"}))["cpu"] == 1


def test_an_init_container_counts_when_it_wants_more_than_all_others_together() -> None:
    main, big, small = container({"cpu": "2"}), container({"cpu": "5"}), container({"cpu": "1"})
    assert wants(main, init=[big])["cpu"] == 5
    assert wants(main, init=[small, small])["cpu"] == 2


def test_a_sidecar_counts_beside_the_containers() -> None:
    side = container({"cpu": "1"}, restartPolicy="Always")
    assert wants(container({"cpu": "2"}), init=[side])["cpu"] == 3


def test_an_init_container_runs_beside_the_sidecars_before_it_only() -> None:
    side, once = container({"cpu": "1"}, restartPolicy="Always"), container({"cpu": "4"})
    assert wants(container({"cpu": "2"}), init=[side, once])["cpu"] == 5
    assert wants(container({"cpu": "2"}), init=[once, side])["cpu"] == 4


def test_overhead_comes_on_top_even_of_an_init_container() -> None:
    found = wants(container({"cpu": "1"}), init=[container({"cpu": "3"})], overhead={"cpu": "250m", "memory": "64Mi"})
    assert found == {"cpu": Decimal("3.25"), "memory": Decimal(64 * 2**20)}


@pytest.mark.parametrize("odd", ["", "many", "-1", "1 GiB", "NaN", "Infinity", "1e999999"])
def test_a_quantity_that_cannot_be_read_counts_nothing(odd: str) -> None:
    assert amount(odd) == 0
    assert wants(container({"cpu": odd} | gpus(1)))["nvidia.com/gpu"] == 1


# ---- what is a GPU


@pytest.mark.parametrize(
    "resource", ["nvidia.com/gpu", "nvidia.com/mig-1g.10gb", "nvidia.com/gpu.shared", "amd.com/gpu",
                 "gpu.intel.com/i915", "gpu.intel.com/xe"],
)  # fmt: skip
def test_a_gpu_is_known_by_its_vendor(resource: str) -> None:
    assert is_gpu(resource)


@pytest.mark.parametrize("resource", ["cpu", "memory", "pods", "rdma/hca", "nvidia.com/pf", "example.com/gpu", "gpu"])
def test_other_resources_are_no_gpus(resource: str) -> None:
    assert not is_gpu(resource)


def test_a_node_names_its_gpus_by_the_vendors_labels() -> None:
    (found,) = only(node(**gpus(8))).gpus
    assert (found.product, found.memory_mib, found.allocatable) == ("NVIDIA-H100-80GB-HBM3", 81559, 8)


def test_an_amd_node_names_its_gpus_too() -> None:
    amd = {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/gpu.vram": "192G"}
    (found,) = only(offers({"amd.com/gpu": "8"}, amd)).gpus
    assert (found.resource, found.product, found.memory_mib) == ("amd.com/gpu", "AMD_Instinct_MI300X_OAM", 192 * 1024)


def test_slices_of_a_gpu_are_kinds_of_their_own() -> None:
    place = only(offers({"nvidia.com/mig-1g.10gb": "7", "nvidia.com/mig-3g.40gb": "2", "nvidia.com/gpu": "0"}))
    kinds = {kind.resource: (kind.product, kind.memory_mib, kind.allocatable) for kind in place.gpus}
    assert kinds["nvidia.com/mig-1g.10gb"] == ("NVIDIA-H100-80GB-HBM3 mig-1g.10gb", 0, 7)
    assert kinds["nvidia.com/mig-3g.40gb"] == ("NVIDIA-H100-80GB-HBM3 mig-3g.40gb", 0, 2)


def test_a_node_without_labels_names_the_resource() -> None:
    (found,) = only(offers({"nvidia.com/gpu": "1"}, {})).gpus
    assert (found.product, found.memory_mib) == ("nvidia.com/gpu", 0)


@pytest.mark.parametrize(("label", "size"), [("81559", 81559), ("192G", 196608), ("", 0), ("G", 0), ("odd", 0)])
def test_a_memory_label_is_read_or_counts_nothing(label: str, size: int) -> None:
    assert mebibytes(label) == size


# ---- who holds what


def test_everybodys_pods_are_counted_and_ours_are_named() -> None:
    pods = [pod("ours", gpus=2, node="a"), pod("theirs", gpus=5, node="a")]
    (place,) = rooms([node("a", **gpus(8))], pods, lambda pod: OURS if pod.metadata.name == "ours" else "")
    (kind,) = place.gpus
    assert (kind.used, place.pods) == (7, 2)
    assert [(owner.pod, owner.count, owner.deployment) for owner in kind.owners] == [
        ("ours", 2, OURS), ("theirs", 5, ""),
    ]  # fmt: skip


def test_cpu_and_memory_are_counted_in_thousandths_and_bytes() -> None:
    spec = {"containers": [container({"cpu": "1500m", "memory": "1Gi"})]}
    place = only(node(), pod(spec=spec), pod("b", spec=spec))
    assert (place.cpu_millis, place.cpu_millis_used, place.memory_bytes_used) == (64_000, 3000, 2 * 2**30)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_pods_hold_nothing(phase: str) -> None:
    place = only(node(**gpus(8)), pod(gpus=4, phase=phase))
    assert (place.gpus[0].used, place.pods) == (0, 0)


@pytest.mark.parametrize("elsewhere", ["", "another-node"])
def test_pods_without_this_node_hold_nothing_of_it(elsewhere: str) -> None:
    assert only(node(**gpus(8)), pod(node=elsewhere, gpus=4)).gpus[0].used == 0


def test_a_terminating_pod_still_holds_its_gpus() -> None:
    going = pod(gpus=4)
    going.metadata.deletion_timestamp = going.metadata.creation_timestamp
    assert only(node(**gpus(8)), going).gpus[0].used == 4


# ---- the summary


def test_gpus_are_summed_by_type_with_the_most_that_one_node_has_free() -> None:
    nodes = [node("a", **gpus(8)), node("b", **gpus(8)), node("c", labels={}, **gpus(2))]
    found = summary(rooms(nodes, [pod("x", node="a", gpus=6), pod("y", node="b", gpus=3)]))
    assert found[0] == {
        "resource": "nvidia.com/gpu", "product": "NVIDIA-H100-80GB-HBM3", "total": 16, "used": 9, "free": 7,
        "largest_free": 5, "nodes": 2,
    }  # fmt: skip
    assert [(row["product"], row["free"]) for row in found[1:]] == [("nvidia.com/gpu", 2)]


def test_a_cordoned_node_gives_nothing_free_and_still_counts() -> None:
    cordoned = as_node({
        "metadata": {"name": "a"}, "spec": {"unschedulable": True},
        "status": {"allocatable": gpus(8), "conditions": [{"type": "Ready", "status": "True"}]},
    })  # fmt: skip
    place = only(cordoned, pod(node="a", gpus=3))
    assert (place.ready, place.schedulable) == (True, False)
    (row,) = summary([place])
    assert (row["total"], row["used"], row["free"], row["largest_free"]) == (8, 3, 0, 0)


def test_a_node_that_is_not_ready_gives_nothing_free_and_says_why() -> None:
    place = only(node(ready=False, **gpus(8)))
    assert (place.ready, place.message) == (False, "Kubelet stopped.")
    assert summary([place])[0]["free"] == 0


def test_what_is_free_is_unknown_where_not_all_pods_may_be_listed() -> None:
    (row,) = summary([only(node(**gpus(8)), pod(gpus=3))], all_pods=False)
    assert (row["total"], row["used"], row["free"], row["largest_free"]) == (8, 3, None, None)


def test_a_node_without_a_ready_condition_is_not_ready() -> None:
    assert not room(as_node({"metadata": {"name": "new"}})).ready


def test_an_overcommitted_node_has_nothing_free_rather_than_less_than_nothing() -> None:
    place = only(node(**gpus(2)), pod("a", gpus=2), pod("b", gpus=2))
    assert summary([place])[0]["free"] == 0


def test_nodes_come_in_the_order_of_their_names() -> None:
    assert [place.name for place in rooms([node("b"), node("a")], [])] == ["a", "b"]
    assert summary([]) == []
