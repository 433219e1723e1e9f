"""The status that is written for a life, and the life that is read from a status."""

from typing import Any

from llmdash.sandbox.hollow import status
from llmdash.sandbox.hollow.states import Stage
from tests.llmdash.sandbox.hollow.fixtures import vllm_container
from tests.llmdash.sandbox.hollow.samples import UID, bound, planned
from tests.llmdash.sandbox.hollow.test_lifecycle import START, Clock

Json = dict[str, Any]


def write(pod: Json, clock: Clock) -> Json:
    """The status after the clock's present, merged into the pod as the API server would."""
    built = status.status(pod, clock.life, clock.plan, host_ip="127.0.0.1", pod_ip="10.244.0.2")
    change = status.patch(pod.get("status") or {}, built, now=clock.now)
    before: Json = pod.setdefault("status", {"phase": "Pending"})
    conditions = {one["type"]: one for one in before.get("conditions", ())}
    for one in (change or {}).pop("conditions", ()):
        conditions[one["type"]] = {key: value for key, value in one.items() if value is not None}
    before |= change or {}
    before["conditions"] = list(conditions.values())
    return before


def conditions(written: Json) -> dict[str, str]:
    return {one["type"]: one["status"] for one in written["conditions"]}


def test_a_pull_that_is_tried_again_still_tells_of_its_failure() -> None:
    clock = Clock(planned(vllm_container("vllm/vllm-openai:missing")))
    clock.until(Stage.PULL_BACKOFF)
    before = write(bound(), clock)["containerStatuses"][0]["state"]
    clock.until(Stage.PULLING)
    assert before["waiting"]["reason"] == "ImagePullBackOff"
    assert write(bound(), clock)["containerStatuses"][0]["state"] == before


def test_a_pulling_pod_is_pending_and_creating() -> None:
    written = write(bound(), Clock(planned()))
    assert written["phase"] == "Pending"
    assert written["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert written["containerStatuses"][0]["imageID"] == ""
    assert conditions(written) == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "False",
        "ContainersReady": "False",
    }


def test_a_ready_pod_shows_its_identity_and_times() -> None:
    pod, clock = bound(), Clock(planned())
    write(pod, clock)
    clock.until(Stage.READY)
    written = write(pod, clock)
    container = written["containerStatuses"][0]
    assert written["phase"] == "Running"
    assert written["observedGeneration"] == 1
    assert container["ready"] is container["started"] is True
    assert container["containerID"].startswith("containerd://")
    assert container["image"] == "docker.io/vllm/vllm-openai:v0.19.1"
    assert "@sha256:" in container["imageID"]
    ready = next(one for one in written["conditions"] if one["type"] == "Ready")
    assert "reason" not in ready, "what explained the False is removed"
    initialized = next(one for one in written["conditions"] if one["type"] == "Initialized")
    assert initialized["lastTransitionTime"] < ready["lastTransitionTime"]


def test_nothing_is_written_when_nothing_changed() -> None:
    pod, clock = bound(), Clock(planned())
    clock.until(Stage.READY)
    write(pod, clock)
    built = status.status(pod, clock.life, clock.plan, host_ip="127.0.0.1", pod_ip="10.244.0.2")
    assert status.patch(pod["status"], built, now=clock.now + 100) is None


def test_a_crash_loop_shows_the_last_exit_and_the_pause() -> None:
    pod, clock = bound(), Clock(planned(vllm_container("vllm/vllm-openai:crash")))
    clock.until(Stage.BACKOFF)
    container = write(pod, clock)["containerStatuses"][0]
    message = f"back-off 10s restarting failed container=vllm pod=qwen-0_team({UID})"
    assert container["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert pod["status"]["phase"] == "Running"


def test_the_schedulers_condition_is_left_alone() -> None:
    pod = bound()
    pod["status"] = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]}
    assert conditions(write(pod, Clock(planned())))["PodScheduled"] == "True"


def test_a_closed_readiness_gate_holds_the_pod_back() -> None:
    pod, clock = bound(readinessGates=[{"conditionType": "example.com/open"}]), Clock(planned())
    clock.until(Stage.READY)
    written = conditions(write(pod, clock))
    assert (written["ContainersReady"], written["Ready"]) == ("True", "False")


def test_main_containers_wait_as_initializing_behind_init_containers() -> None:
    init = [{"name": "prepare", "image": "busybox"}]
    written = write(bound(initContainers=init), Clock(planned(initContainers=init)))
    assert written["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert conditions(written)["Initialized"] == "False"


def test_a_finished_job_has_succeeded() -> None:
    container = {"name": "work", "image": "busybox"}
    pod, clock = bound(container, restartPolicy="Never"), Clock(planned(container, restartPolicy="Never"))
    clock.until(Stage.DONE, "work")
    written = write(pod, clock)
    assert written["phase"] == "Succeeded"
    ready = next(one for one in written["conditions"] if one["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PodCompleted")


def test_a_ready_pod_is_adopted_without_a_change() -> None:
    pod, clock = bound(), Clock(planned())
    clock.until(Stage.READY)
    write(pod, clock)
    life = status.adopt(pod, clock.plan, clock.now + 500)
    assert life.run("vllm").stage is Stage.READY
    built = status.status(pod, life, clock.plan, host_ip="127.0.0.1", pod_ip="10.244.0.2")
    assert status.patch(pod["status"], built, now=clock.now + 500) is None


def test_a_crash_loop_is_adopted_where_it_was() -> None:
    pod, clock = bound(), Clock(planned(vllm_container("vllm/vllm-openai:crash")))
    clock.until(Stage.BACKOFF)
    write(pod, clock)
    run = status.adopt(pod, clock.plan, clock.now + 1).run("vllm")
    assert run.stage is Stage.BACKOFF
    assert run.restarts == 1
    assert run.ended
    assert run.ended.kind == "crash"


def test_a_warm_start_is_recognised_after_a_restart() -> None:
    volumes = [{"name": "cache", "hostPath": {"path": "/cache"}}]
    pod, clock = bound(volumes=volumes), Clock(planned(volumes=volumes), llms=frozenset({"Qwen/Qwen3-8B"}))
    clock.until(Stage.READY)
    write(pod, clock)
    assert clock.life.run("vllm").warm
    assert status.adopt(pod, clock.plan, START + 9999).run("vllm").warm
