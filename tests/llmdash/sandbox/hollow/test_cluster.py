"""Hollow nodes in a real control plane: what its scheduler, its controllers and kubectl make of them."""

import json
import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.controlplane.plane import ControlPlane, KubectlFailed
from tests.llmdash.sandbox.hollow.fixtures import HollowNodes, deployment, pod, vllm_container

PATIENCE = 40.0
Json = dict[str, Any]
pytestmark = [pytest.mark.plane, pytest.mark.usefixtures("hollow_nodes")]


@pytest.fixture
def cluster(plane: ControlPlane, namespace: str) -> "Cluster":
    return Cluster(plane, namespace)


class Cluster:
    """kubectl in one namespace."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace

    def kubectl(self, *arguments: str, **options: Any) -> str:
        return self.plane.kubectl("-n", self.namespace, *arguments, **options)

    def apply(self, found: Json) -> None:
        self.kubectl("apply", "-f", "-", input=json.dumps(found))

    def pods(self) -> list[Json]:
        items: list[Json] = self.plane.get("pods", "-n", self.namespace)["items"]
        return items

    def events(self, reason: str) -> list[str]:
        items = self.plane.get("events", "-n", self.namespace)["items"]
        return [item["message"] for item in items if item["reason"] == reason]

    def times(self, reason: str) -> int:
        """How often it happened; who tells of it does so a little later."""
        items = self.plane.get("events", "-n", self.namespace)["items"]
        return sum(item.get("count") or 1 for item in items if item["reason"] == reason)

    def until(self, check: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not check():
            assert time.monotonic() < deadline, what
            time.sleep(0.1)

    def wait(self, ready: Callable[[Json], Any], what: str) -> Json:
        """The first pod that is as wanted."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for found in self.pods():
                if ready(found):
                    return found
            time.sleep(0.1)
        raise AssertionError(f"no pod {what}: {json.dumps([one.get('status') for one in self.pods()], indent=1)}")


def waiting(reason: str) -> Callable[[Json], bool]:
    def check(found: Json) -> bool:
        return any(reason == one["state"].get("waiting", {}).get("reason") for one in statuses(found))

    return check


def statuses(found: Json) -> list[Json]:
    listed: list[Json] = (found.get("status") or {}).get("containerStatuses") or []
    return listed


def is_ready(found: Json) -> bool:
    conditions = (found.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def test_a_deployment_on_two_gpus_rolls_out(cluster: Cluster) -> None:
    cluster.apply(deployment("qwen"))
    assert "successfully rolled out" in cluster.kubectl("rollout", "status", "deployment/qwen", "--timeout=40s")
    found = cluster.pods()[0]
    status = found["status"]
    assert found["spec"]["nodeName"] == "hollow-h100-0"
    assert status["phase"] == "Running"
    assert status["podIP"].startswith("10.244.")
    assert status["hostIP"] == "127.0.0.1"
    assert status["qosClass"] == "Burstable"
    container = statuses(found)[0]
    assert (container["ready"], container["started"], container["restartCount"]) == (True, True, 0)
    assert container["state"]["running"]["startedAt"]
    assert {one["type"]: one["status"] for one in status["conditions"]} == {
        "PodScheduled": "True", "PodReadyToStartContainers": "True", "Initialized": "True", "ContainersReady": "True",
        "Ready": "True",
    }  # fmt: skip
    assert len(found["metadata"]["annotations"]["sandbox.llmdash.io/gpus"].split(",")) == 2
    assert found["metadata"]["annotations"]["sandbox.llmdash.io/runtime"].startswith("127.0.0.1:")
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        cluster.until(partial(cluster.events, reason), reason)


def test_kubectl_logs_shows_the_start_and_follows_it(cluster: Cluster) -> None:
    cluster.apply(pod("qwen", vllm_container(llm="Qwen/Qwen3-32B")))
    cluster.wait(lambda found: any("running" in one["state"] for one in statuses(found)), "runs")
    follow = ["kubectl", f"--kubeconfig={cluster.plane.kubeconfig}", "-n", cluster.namespace, "logs", "-f", "qwen"]
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Application startup complete" in line:
                break
        process.kill()
    assert any("Loading safetensors checkpoint shards: 100% Completed" in line for line in lines)
    assert lines == cluster.kubectl("logs", "qwen").splitlines(keepends=True)[: len(lines)]
    assert len(cluster.kubectl("logs", "qwen", "--tail=3").splitlines()) == 3
    assert cluster.kubectl("logs", "qwen", "--tail=1", "--timestamps").startswith("20")
    assert len(cluster.kubectl("logs", "qwen", "--limit-bytes=40")) == 40
    with pytest.raises(KubectlFailed, match='previous terminated container "vllm" in pod "qwen" not found'):
        cluster.kubectl("logs", "qwen", "--previous")


def test_a_missing_image_ends_in_image_pull_back_off(cluster: Cluster) -> None:
    cluster.apply(pod("wrong", vllm_container("vllm/vllm-openai:missing")))
    found = cluster.wait(waiting("ImagePullBackOff"), "backs off")
    assert found["status"]["phase"] == "Pending"
    assert "docker.io/vllm/vllm-openai:missing: not found" in statuses(found)[0]["state"]["waiting"]["message"]
    cluster.until(lambda: cluster.times("Pulling") > 1, "it is pulled again")
    assert any("Failed to pull image" in message for message in cluster.events("Failed"))
    assert any(message.startswith("Back-off pulling image") for message in cluster.events("BackOff"))
    assert any("Error: ErrImagePull" in message for message in cluster.events("Failed"))
    with pytest.raises(KubectlFailed, match=r"is waiting to start: (trying and failing|image can't be)"):
        cluster.kubectl("logs", "wrong")


def test_a_crash_ends_in_crash_loop_back_off_with_its_log(cluster: Cluster) -> None:
    cluster.apply(pod("crash", vllm_container("vllm/vllm-openai:crash")))
    found = cluster.wait(waiting("CrashLoopBackOff"), "backs off")
    container = statuses(found)[0]
    assert container["restartCount"] >= 1
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert container["lastState"]["terminated"]["reason"] == "Error"
    assert f"failed container=vllm pod=crash_{cluster.namespace}(" in container["state"]["waiting"]["message"]
    assert found["status"]["phase"] == "Running"
    assert "ModuleNotFoundError" in cluster.kubectl("logs", "crash", "--previous")
    cluster.wait(lambda found: statuses(found)[0]["restartCount"] >= 3, "restarts")
    assert any("Back-off restarting failed container" in message for message in cluster.events("BackOff"))


def test_a_running_pod_can_be_made_to_crash_and_recovers(cluster: Cluster) -> None:
    cluster.apply(pod("steady"))
    cluster.wait(is_ready, "is ready")
    cluster.kubectl("annotate", "pod", "steady", "sandbox.llmdash.io/fail=crash")
    cluster.wait(lambda found: statuses(found)[0]["restartCount"] >= 1 and not is_ready(found), "crashes")
    cluster.kubectl("annotate", "pod", "steady", "sandbox.llmdash.io/fail-")
    cluster.wait(is_ready, "is ready again")


def test_a_tiny_memory_limit_is_oom_killed(cluster: Cluster) -> None:
    container = vllm_container()
    container["resources"]["limits"]["memory"] = "512Mi"
    cluster.apply(pod("oom", container))
    found = cluster.wait(lambda found: any(one["lastState"].get("terminated") for one in statuses(found)), "was killed")
    ended = statuses(found)[0]["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_weights_that_do_not_fit_run_out_of_cuda_memory(cluster: Cluster) -> None:
    cluster.apply(pod("large", vllm_container(llm="meta-llama/Llama-3.3-70B-Instruct", gpus=1)))
    found = cluster.wait(lambda found: any(one["lastState"].get("terminated") for one in statuses(found)), "failed")
    assert statuses(found)[0]["lastState"]["terminated"]["exitCode"] == 1
    assert "torch.OutOfMemoryError: CUDA out of memory" in cluster.kubectl("logs", "large", "--previous")


def test_the_end_of_the_log_stands_with_the_status_where_that_is_wanted(cluster: Cluster) -> None:
    container = vllm_container(llm="meta-llama/Llama-3.3-70B-Instruct", gpus=1)
    cluster.apply(pod("telling", container | {"terminationMessagePolicy": "FallbackToLogsOnError"}))
    found = cluster.wait(lambda found: any(one["lastState"].get("terminated") for one in statuses(found)), "failed")
    message = statuses(found)[0]["lastState"]["terminated"]["message"]
    assert "torch.OutOfMemoryError: CUDA out of memory" in message
    assert len(message.encode()) <= 2048


def test_a_startup_probe_that_is_too_short_kills_the_load(cluster: Cluster) -> None:
    container = vllm_container()
    container["startupProbe"] |= {"periodSeconds": 5, "failureThreshold": 6}
    cluster.apply(pod("hurried", container))
    cluster.wait(lambda found: any(one["restartCount"] for one in statuses(found)), "restarted")
    assert "Container vllm failed startup probe, will be restarted" in cluster.events("Killing")
    assert any("Startup probe failed: Get" in message for message in cluster.events("Unhealthy"))
    cluster.wait(
        lambda found: statuses(found)[0]["lastState"].get("terminated", {}).get("exitCode") == 137, "is killed"
    )


def test_a_pod_that_hangs_is_never_ready(cluster: Cluster) -> None:
    container = vllm_container()
    del container["startupProbe"], container["livenessProbe"]
    cluster.apply(pod("hang", container, annotations={"sandbox.llmdash.io/fail": "hang"}))
    cluster.wait(lambda found: any(one["started"] for one in statuses(found)), "runs")
    time.sleep(2)
    assert not is_ready(cluster.pods()[0])
    assert statuses(cluster.pods()[0])[0]["restartCount"] == 0


def test_a_container_without_readiness_probe_is_ready_as_soon_as_it_runs(cluster: Cluster) -> None:
    container = vllm_container(llm="Qwen/Qwen3-32B")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        del container[probe]
    cluster.apply(pod("eager", container))
    cluster.wait(is_ready, "is ready")
    assert "Application startup complete" not in cluster.kubectl("logs", "eager")


def test_init_containers_run_first_and_a_job_completes(cluster: Cluster) -> None:
    init = {"name": "prepare", "image": "busybox:1.36", "command": ["true"]}
    main = {"name": "work", "image": "busybox:1.36", "command": ["sh", "-c", "echo hello"]}
    cluster.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "job"},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "initContainers": [init], "containers": [main]}}},
        }
    )
    cluster.kubectl("wait", "--for=condition=Complete", "job/job", "--timeout=30s")
    status = cluster.pods()[0]["status"]
    assert status["phase"] == "Succeeded"
    assert status["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


def test_deleting_ends_and_frees_the_gpus(cluster: Cluster) -> None:
    cluster.apply(deployment("all", vllm_container(gpus=8, llm="Qwen/Qwen3-32B")))
    cluster.kubectl("rollout", "status", "deployment/all", "--timeout=40s")
    cluster.kubectl("delete", "deployment", "all")
    cluster.kubectl("wait", "--for=delete", "pod", "-l", "app=all", "--timeout=30s")
    assert "Stopping container vllm" in cluster.events("Killing")
    cluster.apply(deployment("again", vllm_container(gpus=8, llm="Qwen/Qwen3-32B")))
    cluster.kubectl("rollout", "status", "deployment/again", "--timeout=40s")


def test_a_restarted_agent_adopts_what_runs(cluster: Cluster, hollow_nodes: HollowNodes) -> None:
    cluster.apply(deployment("kept"))
    cluster.kubectl("rollout", "status", "deployment/kept", "--timeout=40s")
    before = cluster.pods()[0]
    log = cluster.kubectl("logs", "deployment/kept")
    hollow_nodes.stop()
    hollow_nodes.start()
    time.sleep(1)
    after = cluster.pods()[0]
    assert after["status"] == before["status"]
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert cluster.kubectl("logs", "deployment/kept").splitlines()[0][:30] == log.splitlines()[0][:30]
    path = f"/pods/{cluster.namespace}/{after['metadata']['name']}/health"
    assert hollow_nodes.fetch(path).status_code == 200


def test_the_runtime_answers_as_vllm_does(cluster: Cluster, hollow_nodes: HollowNodes) -> None:
    container = vllm_container()
    container["args"] += ["--served-model-name", "assistant"]
    cluster.apply(pod("served", container))
    node = cluster.wait(is_ready, "is ready")["spec"]["nodeName"]
    base = f"/pods/{cluster.namespace}/served"
    assert [one["id"] for one in hollow_nodes.fetch(f"{base}/v1/models").json()["data"]] == ["assistant"]
    assert 'vllm:num_requests_running{engine="0",model_name="assistant"}' in hollow_nodes.fetch(f"{base}/metrics").text
    gpus = hollow_nodes.fetch(f"/nodes/{node}/metrics").text
    held = [line for line in gpus.splitlines() if line.startswith("DCGM_FI_DEV_FB_USED") and 'pod="served"' in line]
    assert len(held) == 2


def test_a_claim_gets_a_volume_and_warm_weights_the_second_time(cluster: Cluster) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "cache"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Gi"}}},
    }
    volumes = [{"name": "cache", "persistentVolumeClaim": {"claimName": "cache"}}]
    where = {"kubernetes.io/hostname": "hollow-h100-0"}
    cluster.apply(claim)
    cluster.apply(pod("cold", volumes=volumes, nodeSelector=where))
    cluster.wait(is_ready, "is ready")
    assert "Fetching" in cluster.kubectl("logs", "cold")
    cluster.kubectl("delete", "pod", "cold")
    cluster.apply(pod("warm", volumes=volumes, nodeSelector=where))
    cluster.wait(is_ready, "is ready")
    assert "Fetching" not in cluster.kubectl("logs", "warm")
    volume = cluster.plane.get("pvc", "cache", "-n", cluster.namespace)["spec"]["volumeName"]
    cluster.kubectl("delete", "pod", "warm")
    cluster.kubectl("delete", "pvc", "cache")
    cluster.kubectl("wait", "--for=delete", f"pv/{volume}", "--timeout=20s")


def test_the_agent_outlives_an_api_server_that_restarts(cluster: Cluster) -> None:
    cluster.apply(deployment("through"))
    cluster.kubectl("rollout", "status", "deployment/through", "--timeout=40s")
    before = cluster.pods()[0]["status"]["containerStatuses"]
    cluster.plane.kill("kube-apiserver")
    time.sleep(1)
    cluster.plane.start("kube-apiserver")
    assert cluster.pods()[0]["status"]["containerStatuses"] == before
    cluster.kubectl("scale", "deployment/through", "--replicas=2")
    cluster.kubectl("rollout", "status", "deployment/through", "--timeout=60s")


def test_a_lost_node_is_found_missing_and_heals(cluster: Cluster) -> None:
    container = vllm_container("vllm/vllm-openai:v0.19.1", llm="Qwen/Qwen3-4B", gpus=1)
    soon = {
        "key": "node.kubernetes.io/unreachable",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 1,
    }
    where = {"kubernetes.io/hostname": "hollow-l4-0"}
    cluster.apply(pod("lonely", container, nodeSelector=where, tolerations=[soon]))
    cluster.wait(is_ready, "is ready")
    cluster.kubectl("annotate", "node", "hollow-l4-0", "sandbox.llmdash.io/lost=true")
    try:
        cluster.kubectl("wait", "node/hollow-l4-0", "--for=condition=Ready=Unknown", "--timeout=60s")
        found = cluster.wait(lambda found: found["metadata"].get("deletionTimestamp"), "is evicted")
        assert found["metadata"]["name"] == "lonely"
        time.sleep(1)
        assert cluster.pods(), "nobody is there to confirm the deletion"
    finally:
        cluster.kubectl("annotate", "node", "hollow-l4-0", "sandbox.llmdash.io/lost-")
    cluster.kubectl("wait", "node/hollow-l4-0", "--for=condition=Ready", "--timeout=30s")
    cluster.kubectl("wait", "--for=delete", "pod/lonely", "--timeout=30s")
