"""What happens next: the life of a pod on a clock that the test moves."""

import math
from typing import Any

from llmdash.sandbox.hollow import images
from llmdash.sandbox.hollow.lifecycle import due, step
from llmdash.sandbox.hollow.plan import PodPlan
from llmdash.sandbox.hollow.states import Life, Moment, Note, Stage, backoff_seconds
from tests.llmdash.sandbox.hollow.fixtures import vllm_container
from tests.llmdash.sandbox.hollow.samples import UID, planned

START = 1_700_000_000.0


class Clock:
    """Plays a pod from due time to due time and keeps its events."""

    def __init__(self, plan: PodPlan, held: frozenset[str] = frozenset(), llms: frozenset[str] = frozenset()) -> None:
        self.plan = plan
        self.held = held
        self.llms = llms
        self.now = START
        self.notes: list[Note] = []
        self.life = Life(START)
        self.step()

    def step(self) -> None:
        at = Moment(self.now, UID, f"qwen-0_team({UID})", "10.244.0.2", self.held, self.llms)
        self.life, notes = step(self.life, self.plan, at)
        self.notes += notes

    def next(self) -> None:
        self.now = due(self.life, self.plan, self.held)
        self.step()

    def until(self, stage: Stage, name: str = "vllm", steps: int = 30) -> None:
        for _ in range(steps):
            if self.life.run(name).stage is stage:
                return
            self.next()
        raise AssertionError(f"never {stage}: {self.life}")

    @property
    def reasons(self) -> list[str]:
        return [note.reason for note in self.notes]


def test_a_pod_is_pulled_started_and_becomes_ready() -> None:
    clock = Clock(planned())
    assert clock.life.run("vllm").stage is Stage.PULLING
    clock.until(Stage.RUNNING)
    assert clock.now - START > 30
    clock.until(Stage.READY)
    assert [reason for reason in clock.reasons if reason != "Unhealthy"] == ["Pulling", "Pulled", "Created", "Started"]
    assert math.isinf(due(clock.life, clock.plan))


def test_an_image_on_the_node_is_not_pulled_again() -> None:
    clock = Clock(planned(), frozenset({images.reference("vllm/vllm-openai:v0.19.1")}))
    assert clock.life.run("vllm").stage is Stage.RUNNING
    assert clock.notes[0].message.startswith('Container image "vllm/vllm-openai:v0.19.1" already present on machine')


def test_weights_on_the_node_are_not_downloaded_again() -> None:
    volumes = [{"name": "cache", "persistentVolumeClaim": {"claimName": "cache"}}]
    cold = Clock(planned(volumes=volumes))
    warm = Clock(planned(volumes=volumes), llms=frozenset({"Qwen/Qwen3-8B"}))
    cold.until(Stage.READY)
    warm.until(Stage.READY)
    assert warm.now < cold.now - 30


def test_a_failed_pull_backs_off_longer_each_time() -> None:
    clock = Clock(planned(vllm_container("vllm/vllm-openai:missing")))
    pauses = []
    for _ in range(6):
        clock.until(Stage.PULL_BACKOFF)
        pauses.append(due(clock.life, clock.plan) - clock.now)
        clock.next()
    assert pauses == [10, 20, 40, 80, 160, 300]
    assert clock.reasons[:5] == ["Pulling", "Failed", "Failed", "BackOff", "Failed"]


def test_a_crash_restarts_at_once_and_then_backs_off() -> None:
    clock = Clock(planned(vllm_container("vllm/vllm-openai:crash")))
    clock.until(Stage.EXITED)
    clock.next()
    assert clock.life.run("vllm").restarts == 1
    clock.until(Stage.BACKOFF)
    run = clock.life.run("vllm")
    assert run.ended
    assert due(clock.life, clock.plan) - clock.now == 10
    clock.next()
    assert clock.life.run("vllm").restarts == 2
    assert [backoff_seconds(count) for count in (1, 2, 6, 60)] == [10, 20, 300, 300]


def test_a_startup_budget_shorter_than_the_load_kills_the_container() -> None:
    container = vllm_container()
    container["startupProbe"] |= {"failureThreshold": 3, "periodSeconds": 10}
    clock = Clock(planned(container))
    clock.until(Stage.EXITED)
    run = clock.life.run("vllm")
    assert run.ended
    assert run.ended.finished - run.ended.started == 30
    assert clock.notes[-1].message == "Container vllm failed startup probe, will be restarted"
    assert clock.notes[-2].reason == "Unhealthy"


def test_a_liveness_probe_without_startup_probe_kills_a_long_load() -> None:
    container = vllm_container()
    del container["startupProbe"]
    clock = Clock(planned(container))
    clock.until(Stage.EXITED)
    assert clock.notes[-1].message == "Container vllm failed liveness probe, will be restarted"


def test_without_a_readiness_probe_a_container_is_ready_as_soon_as_it_runs() -> None:
    container = vllm_container()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        del container[probe]
    clock = Clock(planned(container))
    clock.next()
    assert clock.life.run("vllm").stage is Stage.READY


def test_a_wrong_readiness_path_leaves_a_started_container_unready() -> None:
    container = vllm_container()
    container["readinessProbe"]["httpGet"]["path"] = "/nope"
    clock = Clock(planned(container))
    for _ in range(6):
        if clock.life.run("vllm").up:
            break
        clock.next()
    assert clock.life.run("vllm").up
    assert clock.life.run("vllm").stage is Stage.RUNNING


def test_init_containers_run_one_after_the_other_before_the_rest() -> None:
    init: list[dict[str, Any]] = [{"name": "first", "image": "busybox"}, {"name": "second", "image": "busybox"}]
    clock = Clock(planned(initContainers=init))
    assert clock.life.run("second").stage is Stage.WAITING
    clock.until(Stage.DONE, "first")
    assert clock.life.run("vllm").stage is Stage.WAITING
    clock.until(Stage.DONE, "second")
    assert clock.life.run("vllm").stage is Stage.PULLING


def test_a_job_ends_for_good() -> None:
    clock = Clock(planned({"name": "work", "image": "busybox"}, restartPolicy="Never"))
    clock.until(Stage.DONE, "work")
    run = clock.life.run("work")
    assert run.ended
    assert run.ended.code == 0
    assert math.isinf(due(clock.life, clock.plan))
