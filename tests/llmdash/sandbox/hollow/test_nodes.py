"""The machines, their objects and what they lend."""

from llmdash.sandbox.hollow import dcgm, names
from llmdash.sandbox.hollow.catalog import MIG_NODE, places
from llmdash.sandbox.hollow.dcgm import Use
from llmdash.sandbox.hollow.nodeobjects import lease, node_object, node_status
from llmdash.sandbox.hollow.nodes import Machine
from llmdash.sandbox.hollow.resources import Addresses, CardTable
from tests.llmdash.sandbox.hollow.samples import bound, planned

NOW = 1_700_000_000.0


def machine(name: str = "hollow-h100-0") -> Machine:
    found = {place.name: place for place in places("default")}
    return Machine(found[name], 0, "127.0.0.1:1")


def test_the_default_set_has_every_kind() -> None:
    assert [place.name for place in places("default")] == [
        "hollow-h100-0", "hollow-h100-1", "hollow-a100-0", "hollow-l4-0", "hollow-l4-1", "hollow-mi300x-0",
        "hollow-mig-0", "hollow-cpu-0",
    ]  # fmt: skip


def test_a_node_says_that_it_is_simulated_and_what_it_holds() -> None:
    built = node_object(machine().place, "127.0.0.1:1")
    labels = built["metadata"]["labels"]
    assert labels[names.SIMULATED] == "true"
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    assert labels["nvidia.com/gpu.memory"] == "81559"
    assert labels["kubernetes.io/hostname"] == "hollow-h100-0"
    tainted = node_object(machine("hollow-a100-0").place, "127.0.0.1:1")
    assert tainted["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]


def test_the_status_points_to_our_log_endpoint() -> None:
    status = node_status(machine().place, port=10250, version="v1.36.3", held=["docker.io/a/b:1"], observed={}, now=NOW)
    assert status["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}
    assert {"type": "InternalIP", "address": "127.0.0.1"} in status["addresses"]
    assert status["capacity"]["nvidia.com/gpu"] == status["allocatable"]["nvidia.com/gpu"] == "8"
    assert status["images"][0]["names"][1] == "docker.io/a/b:1"
    mig = node_status(machine("hollow-mig-0").place, port=1, version="", held=[], observed={}, now=NOW)
    assert {name: mig["capacity"][name] for name in MIG_NODE.devices} == {
        "nvidia.com/mig-1g.10gb": "7",
        "nvidia.com/mig-3g.40gb": "2",
    }


def test_a_heartbeat_keeps_the_time_of_the_last_transition() -> None:
    place = machine().place
    first = node_status(place, port=1, version="", held=[], observed={}, now=NOW)
    second = node_status(place, port=1, version="", held=[], observed=first, now=NOW + 300)
    assert second["conditions"][3]["lastTransitionTime"] == first["conditions"][3]["lastTransitionTime"]
    assert second["conditions"][3]["lastHeartbeatTime"] > first["conditions"][3]["lastHeartbeatTime"]
    assert lease("n", NOW, "u")["spec"]["renewTime"] == "2023-11-14T22:13:20.000000Z"


def test_cards_are_lent_once_and_found_again() -> None:
    table, there, plan = CardTable(), machine(), planned()
    first, second = bound(), bound()
    second["metadata"]["uid"] = "other"
    assert table.lend(there, first, plan) == (("nvidia.com/gpu", 0), ("nvidia.com/gpu", 1))
    assert table.lend(there, second, plan) == (("nvidia.com/gpu", 2), ("nvidia.com/gpu", 3))
    table.give_back(first["metadata"]["uid"])
    third = bound(annotations={names.GPUS: "4,5"})
    third["metadata"]["uid"] = "third"
    assert table.lend(there, third, plan) == (("nvidia.com/gpu", 4), ("nvidia.com/gpu", 5))


def test_addresses_are_unique_and_kept() -> None:
    addresses, there = Addresses(), machine()
    pods = [bound() for _ in range(250)]
    for number, one in enumerate(pods):
        one["metadata"]["uid"] = str(number)
    lent = [addresses.lend(there, one) for one in pods]
    assert len(set(lent)) == 250
    known = bound()
    known["status"] = {"podIP": "10.244.9.9"}
    assert addresses.lend(there, known) == "10.244.9.9"


def test_gpu_metrics_name_the_pod_that_holds_the_card() -> None:
    use = {("nvidia.com/gpu", 1): Use("team", "qwen-0", "vllm", 0.9, 0.5)}
    text = dcgm.page(machine().place, use, NOW)
    assert text.count("DCGM_FI_DEV_GPU_UTIL{") == 8
    held = [line for line in text.splitlines() if 'pod="qwen-0"' in line]
    assert len(held) == len([line for line in text.splitlines() if line.startswith("# TYPE")])
    used = next(line for line in held if line.startswith("DCGM_FI_DEV_FB_USED"))
    assert 65000 < float(used.rsplit(" ", 1)[1]) < 81559
    assert dcgm.page(machine("hollow-mi300x-0").place, {}, NOW) == ""
    assert 'GPU_I_PROFILE="1g.10gb"' in dcgm.page(machine("hollow-mig-0").place, {}, NOW)
