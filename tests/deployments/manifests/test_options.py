"""Each option of the spec changes its own part of the manifests."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from deployments import sizing
from deployments import spec as specs
from deployments.manifests import Workload, build, configmap, labels, secret
from tests.deployments.manifests.workloads import ID, PLAIN, REVISION, TOKEN, built, container, full, pod, workload

CUSTOM: dict[str, Any] = {"runtime": "custom", "image": "a/b:1"}
FILES = [{"path": "/etc/a.json", "content": "{}"}, {"path": "/opt/a.json", "content": "[]"}]


def deployment(**spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = built(workload(**spec))["Deployment"]["spec"]
    return found


def service(**spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = built(workload(**spec))["Service"]["spec"]
    return found


def noted(made: Workload) -> dict[str, str]:
    metadata = built(made)["Deployment"]["spec"]["template"]["metadata"]
    found: dict[str, str] = metadata.get("annotations", {})
    return found


def test_replicas_are_the_deployments_and_none_while_stopped() -> None:
    assert deployment(replicas=4)["replicas"] == 4
    assert deployment(replicas=4, running=False)["replicas"] == 0


def test_the_image_is_the_one_of_the_revision() -> None:
    assert container(image="ghcr.io/a/b:2")["image"] == "ghcr.io/a/b:2"


def test_vllm_is_started_by_name_with_the_llm_and_its_port() -> None:
    made = container(port=9000)
    assert made["command"] == ["vllm", "serve"]
    assert made["args"] == ["Qwen/Qwen3-8B", "--port", "9000"]
    assert made["ports"] == [{"containerPort": 9000}]


def test_the_persons_arguments_come_last_so_that_they_win() -> None:
    assert container(context_length=4096, args=["--max-model-len", "1"])["args"][-4:] == [
        "--max-model-len", "4096", "--max-model-len", "1",
    ]  # fmt: skip


def test_a_command_replaces_the_entry_point() -> None:
    assert container(command=["python", "-m", "x"])["command"] == ["python", "-m", "x"]
    assert container(**CUSTOM, command=["./run"], args=["--fast"])["command"] == ["./run"]
    assert container(**CUSTOM, args=["--fast"])["args"] == ["--fast"]


@pytest.mark.parametrize(("gpus", "parallel"), [(0, None), (1, None), (2, "2"), (8, "8")])
def test_several_gpus_share_the_tensors(gpus: int, parallel: str | None) -> None:
    args = container(gpus=gpus)["args"]
    assert ("--tensor-parallel-size" in args) == (parallel is not None)
    assert parallel is None or args[args.index("--tensor-parallel-size") + 1] == parallel


def test_gpus_stand_in_the_limits_under_their_resource() -> None:
    assert container(gpus=2)["resources"] == {"limits": {"nvidia.com/gpu": "2"}}
    assert container(gpus=1, gpu_resource="amd.com/gpu")["resources"] == {"limits": {"amd.com/gpu": "1"}}
    assert "resources" not in container(gpus=0)


def test_cpu_and_memory_stand_where_they_were_asked_for() -> None:
    assert container(cpu_request="1", memory_limit="2Gi")["resources"] == {
        "requests": {"cpu": "1"}, "limits": {"memory": "2Gi"},
    }  # fmt: skip


def test_gpu_nodes_are_tolerated_by_the_name_of_their_resource() -> None:
    assert pod(gpus=1, gpu_resource="amd.com/gpu")["tolerations"] == [
        {"key": "amd.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert "tolerations" not in pod(gpus=0)


@pytest.mark.parametrize(
    ("resource", "label"),
    [("nvidia.com/gpu", "nvidia.com/gpu.product"), ("nvidia.com/mig-1g.10gb", "nvidia.com/gpu.product"),
     ("amd.com/gpu", "amd.com/gpu.product-name"), ("gpu.intel.com/i915", "gpu.intel.com/gpu.product")],
)  # fmt: skip
def test_the_gpu_type_selects_nodes_by_their_vendors_label(resource: str, label: str) -> None:
    assert pod(gpus=1, gpu_resource=resource, gpu_type="X1")["nodeSelector"] == {label: "X1"}


def test_without_gpus_their_type_selects_nothing() -> None:
    assert "nodeSelector" not in pod(gpus=0, gpu_type="X1")


def test_node_labels_select_together_with_the_gpu_type() -> None:
    chosen = pod(gpus=1, gpu_type="X1", node_selector={"zone": "a"})["nodeSelector"]
    assert chosen == {"zone": "a", "nvidia.com/gpu.product": "X1"}


@pytest.mark.parametrize(
    ("spec", "size"),
    [({"gpus": 1}, "2Gi"), ({"gpus": 2, "shared_memory": "9Gi"}, "9Gi"), ({"shared_memory": "1Gi"}, "1Gi")],
)
def test_shared_memory_is_mounted_in_memory(spec: dict[str, Any], size: str) -> None:
    assert pod(**spec)["volumes"] == [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": size}}]
    assert container(**spec)["volumeMounts"] == [{"name": "shm", "mountPath": "/dev/shm"}]


def test_without_gpus_there_is_no_shared_memory_volume() -> None:
    assert "volumes" not in pod(gpus=0)


def test_a_gpu_rollout_replaces_a_pod_in_its_place() -> None:
    assert deployment(gpus=1)["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert "strategy" not in deployment(gpus=0)


def test_the_rollouts_deadline_covers_image_and_start() -> None:
    assert deployment(startup_seconds=900)["progressDeadlineSeconds"] == 900 + sizing.IMAGE_SECONDS
    assert deployment()["progressDeadlineSeconds"] == 780 + sizing.IMAGE_SECONDS
    assert "progressDeadlineSeconds" not in deployment(**CUSTOM)


@pytest.mark.parametrize("spec", [{}, {"startup_seconds": 95}, CUSTOM | {"health_path": "/up"}])
def test_the_startup_probe_gives_up_before_the_rollout_does(spec: dict[str, Any]) -> None:
    probe = container(**spec)["startupProbe"]
    allowed = probe["periodSeconds"] * probe["failureThreshold"]
    assert allowed < deployment(**spec)["progressDeadlineSeconds"]
    assert allowed >= spec.get("startup_seconds", 600)


def test_life_and_readiness_are_asked_at_different_paths() -> None:
    made = container()
    assert made["startupProbe"]["httpGet"] == made["livenessProbe"]["httpGet"] == {"path": "/health", "port": 8000}
    assert made["readinessProbe"]["httpGet"] == {"path": "/v1/models", "port": 8000}


def test_a_health_path_of_ones_own_is_asked_for_everything() -> None:
    made = container(**CUSTOM, health_path="/up", port=81)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert made[probe]["httpGet"] == {"path": "/up", "port": 81}


def test_a_custom_image_is_asked_nothing_unless_told_where() -> None:
    assert not {"startupProbe", "livenessProbe", "readinessProbe"} & container(**CUSTOM).keys()


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "LoadBalancer"])
def test_the_service_has_the_type_that_was_chosen(kind: str) -> None:
    assert service(service_type=kind)["type"] == kind


def test_the_service_leads_from_its_port_to_the_containers() -> None:
    assert service(service_port=8081, port=9000)["ports"] == [{"protocol": "TCP", "port": 8081, "targetPort": 9000}]


def test_plain_variables_stand_as_they_are_and_secret_ones_by_reference() -> None:
    env = container(env=[{"name": "A", "value": ""}, {"name": "B", "secret": TOKEN}])["env"]
    assert env == [
        {"name": "A", "value": ""},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "qwen-env", "key": "B"}}},
    ]


def test_a_secrets_value_stands_in_the_secret_alone() -> None:
    by_kind = built(full())
    assert by_kind["Secret"]["data"] == {"HF_TOKEN": "aGZfY2FuYXJ5"}
    assert "stringData" not in by_kind["Secret"]
    others = str({kind: manifest for kind, manifest in by_kind.items() if kind != "Secret"})
    assert "canary" not in others
    assert "aGZfY2FuYXJ5" not in others
    assert "canary" not in repr(full())


def test_what_is_stored_of_a_secret_has_its_keys_and_no_values() -> None:
    assert secret.without_values(built(full())["Secret"])["data"] == {"HF_TOKEN": ""}
    plain = built(full())["Service"]
    assert secret.without_values(plain) == plain


def test_files_of_one_name_in_two_folders_are_both_mounted() -> None:
    data = built(workload(files=FILES))["ConfigMap"]["data"]
    assert data == {"0-a.json": "{}", "1-a.json": "[]"}
    mounts = container(files=FILES)["volumeMounts"]
    assert [(mount["mountPath"], data[mount["subPath"]]) for mount in mounts] == [
        ("/etc/a.json", "{}"), ("/opt/a.json", "[]"),
    ]  # fmt: skip
    assert pod(files=FILES)["volumes"] == [{"name": "files", "configMap": {"name": "qwen-files"}}]


def test_without_files_and_secrets_there_is_neither_config_map_nor_secret() -> None:
    assert [manifest["kind"] for manifest in build(workload())] == ["Deployment", "Service"]
    assert noted(workload()) == {}


def test_the_deployment_object_carries_its_spec_unless_it_is_long() -> None:
    [made] = [one for one in build(full()) if one["kind"] == "Deployment"]
    assert specs.load(json.loads(made["metadata"]["annotations"][labels.SPEC])) == full().spec
    assert "hf_canary" not in str(made)
    long = workload(files=[{"path": f"/etc/{n}", "content": "a" * 60_000} for n in range(2)])
    assert labels.SPEC not in built(long)["Deployment"]["metadata"]["annotations"]


def test_changed_contents_of_files_and_secrets_change_the_pod_template() -> None:
    assert configmap.checksum(workload(files=FILES)) != configmap.checksum(workload(files=FILES[:1]))
    assert labels.CONFIG_CHECKSUM in noted(workload(files=FILES))
    assert noted(full())[labels.SECRET_CHECKSUM] == "0123456789abcdef"


def test_a_restart_is_an_annotation_of_the_pod_template() -> None:
    at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    assert noted(workload(restarted_at=at)) == {labels.RESTARTED_AT: "2026-05-04T03:02:01+00:00"}


def test_the_revision_stands_on_every_object_and_never_in_the_pod_template() -> None:
    for manifest in build(full()):
        noted = manifest["metadata"]["annotations"]
        assert (noted[labels.REVISION], noted[labels.REVISION_ID]) == ("7", REVISION)
    assert labels.REVISION not in str(built(full())["Deployment"]["spec"])


def test_every_object_and_pod_carries_the_owner_labels() -> None:
    by_kind = built(full())
    template = by_kind["Deployment"]["spec"]["template"]["metadata"]
    for metadata in [*(manifest["metadata"] for manifest in by_kind.values()), template]:
        assert labels.ours(metadata, "llmdash", ID)
        assert not labels.ours(metadata, "other", ID)
        assert not labels.ours(metadata, "llmdash", "other")


def test_selectors_hold_only_what_never_changes() -> None:
    by_kind = built(full())
    fixed = {"app": "qwen", labels.DEPLOYMENT_ID: ID}
    assert by_kind["Deployment"]["spec"]["selector"] == {"matchLabels": fixed}
    assert by_kind["Service"]["spec"]["selector"] == fixed


def test_llm_pods_get_no_token_of_the_cluster_and_time_to_end() -> None:
    made = pod()
    assert (made["automountServiceAccountToken"], made["terminationGracePeriodSeconds"]) == (False, 60)
    assert "automountServiceAccountToken" not in pod(**PLAIN)


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("", 0), ("x", 0), ("-1", 0), ("9" * 12, 0), ("²", 0)])
def test_a_revision_that_cannot_be_read_counts_as_none(text: str, number: int) -> None:
    assert labels.revision({"annotations": {labels.REVISION: text}}) == number


def test_objects_without_labels_and_annotations_are_not_ours() -> None:
    assert not labels.ours({}, "llmdash", ID)
    assert not labels.ours({"labels": None}, "llmdash", ID)
    assert labels.revision({"annotations": None}) == 0
