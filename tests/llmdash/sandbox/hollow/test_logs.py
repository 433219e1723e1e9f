"""The log of a container as a function of the clock."""

import pytest

from llmdash.sandbox.hollow import logs, vllmlog
from llmdash.sandbox.hollow.logs import Source
from llmdash.sandbox.hollow.states import Exit, Run, Stage
from tests.llmdash.sandbox.hollow.fixtures import vllm_container
from tests.llmdash.sandbox.hollow.samples import planned
from tests.llmdash.sandbox.hollow.test_lifecycle import START, Clock


def text(source: Source, until: float = START + 100_000, since: float = 0.0) -> str:
    return logs.render(logs.lines(source, since, until), timestamps=False).decode()


def test_a_start_tells_every_stage_in_order() -> None:
    found = text(Source(planned().main[0], START, False))
    marks = (
        "vLLM API server version", "Starting to load model Qwen/Qwen3-8B", "Fetching 4 files: 100%",
        "Time spent downloading weights", "Loading safetensors checkpoint shards:  50% Completed | 2/4",
        "Model loading took 7.45 GiB memory", "Available KV cache memory", "GPU KV cache size",
        "Maximum concurrency for 16,384 tokens", "Capturing CUDA graphs", "Application startup complete.",
    )  # fmt: skip
    places = [found.find(mark) for mark in marks]
    assert -1 not in places, marks[places.index(-1)]
    assert places == sorted(places)


@pytest.mark.parametrize(("tag", "version"), [("v0.20.2-cu129", "0.20.2"), ("nightly", vllmlog.VERSION)])
def test_a_start_names_the_version_of_the_images_tag(tag: str, version: str) -> None:
    found = text(Source(planned(vllm_container(f"vllm/vllm-openai:{tag}")).main[0], START, False))
    assert f"vLLM API server version {version}\n" in found
    assert f"(v{version}) with config" in found


def test_lines_come_in_order_of_time_and_never_twice() -> None:
    source = Source(planned().main[0], START, False)
    whole = logs.lines(source, 0, START + 400)
    assert [line.when for line in whole] == sorted(line.when for line in whole)
    pieces = [line for second in range(400) for line in logs.lines(source, START + second - 1, START + second)]
    assert pieces == [line for line in whole if line.when <= START + 399]


def test_a_warm_start_downloads_nothing() -> None:
    assert "Fetching" not in text(Source(planned().main[0], START, True))


def test_a_hang_never_completes() -> None:
    one = planned(annotations={"sandbox.llmdash.io/fail": "hang"}).main[0]
    found = text(Source(one, START, False))
    assert "Loading safetensors checkpoint shards: 100% Completed" in found
    assert "startup complete" not in found


def test_weights_that_do_not_fit_end_in_a_traceback() -> None:
    clock = Clock(planned(vllm_container(llm="meta-llama/Llama-3.3-70B-Instruct", gpus=1)))
    clock.until(Stage.EXITED)
    run = clock.life.run("vllm")
    source = logs.source(clock.plan.main[0], run, None, previous=False)
    assert source
    found = text(source)
    assert "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate" in found
    assert "Engine core initialization failed" in found
    assert "Application startup complete" not in found


def test_the_previous_log_is_the_one_of_last_state() -> None:
    plan = planned(vllm_container("vllm/vllm-openai:crash"))
    clock = Clock(plan)
    assert logs.source(plan.main[0], Run(), None, previous=False) is None
    clock.until(Stage.EXITED)
    assert logs.source(plan.main[0], clock.life.run("vllm"), None, previous=True) is None
    clock.until(Stage.BACKOFF)
    run = clock.life.run("vllm")
    now, previous = (logs.source(plan.main[0], run, None, previous=flag) for flag in (False, True))
    assert now == previous, "a waiting container shows its last run either way"
    clock.until(Stage.RUNNING)
    running = logs.source(plan.main[0], clock.life.run("vllm"), None, previous=False)
    assert running
    assert running.ended is None
    assert logs.source(plan.main[0], clock.life.run("vllm"), None, previous=True) == previous


def test_a_runtime_that_served_dies_with_another_log_than_one_that_never_started() -> None:
    one = planned(annotations={"sandbox.llmdash.io/fail": "crash"}).main[0]
    early, late = (
        text(Source(one, START, False, Exit(1, "Error", START, START + after, "containerd://x", "crash")))
        for after in (2.5, 900)
    )
    assert "ModuleNotFoundError" in early
    assert "Application startup complete" not in early
    assert "EngineDeadError" in late
    assert late.index("Application startup complete") < late.index("EngineDeadError")


def test_timestamps_have_nanoseconds_as_the_kubelet_writes_them() -> None:
    line = logs.render(logs.lines(Source(planned().main[0], START, False), 0, START + 9), timestamps=True)
    assert line.startswith(b"2023-11-14T22:13:23.600000000Z (APIServer pid=1) INFO 11-14 22:13:23")
