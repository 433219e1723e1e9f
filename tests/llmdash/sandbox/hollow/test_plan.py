"""From a pod's spec to its plan."""

import math

import pytest

from llmdash.sandbox.hollow import images
from tests.llmdash.sandbox.hollow.fixtures import vllm_container
from tests.llmdash.sandbox.hollow.samples import planned

TIGHT = {"args": ["serve", "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "--gpu-memory-utilization", "0.85"]}


def test_a_vllm_pod_downloads_loads_and_compiles() -> None:
    one = planned().main[0]
    assert one.runtime == "vllm"
    assert [stage.name for stage in one.cold] == ["boot", "download", "load", "compile", "capture"]
    assert 60 < one.serving_after(warm=False) < 180
    assert one.serving_after(warm=True) < one.serving_after(warm=False) - 30


def test_speed_divides_every_duration() -> None:
    slow, fast = planned().main[0], planned(speed=10).main[0]
    assert fast.serving_after(warm=False) == pytest.approx(slow.serving_after(warm=False) / 10)
    assert slow.startup
    assert fast.startup
    assert fast.startup.budget == pytest.approx(slow.startup.budget / 10)


def test_larger_llms_take_longer() -> None:
    small = planned(vllm_container(llm="Qwen/Qwen3-0.6B")).main[0]
    large = planned(vllm_container(llm="Qwen/Qwen3-32B")).main[0]
    assert large.serving_after(warm=False) > 2 * small.serving_after(warm=False)


def test_a_pod_without_llm_or_gpu_starts_at_once() -> None:
    plan = planned({"name": "web", "image": "nginx:1.29"})
    assert plan.main[0].runtime == "plain"
    assert plan.main[0].serving_after(warm=False) < 1
    assert plan.devices == {}
    assert plan.serves is None


def test_devices_of_all_containers_are_counted() -> None:
    assert planned().devices == {"nvidia.com/gpu": 2}


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("vllm/vllm-openai:missing", "docker.io/vllm/vllm-openai:missing: not found"),
        ("vllm/vllm-openai:doesnotexist", "docker.io/vllm/vllm-openai:doesnotexist: not found"),
        ("vllm/vllm-openai:v0.21.0typo", "docker.io/vllm/vllm-openai:v0.21.0typo: not found"),
        ("registry.invalid/vllm:v1", "lookup registry.invalid on 169.254.169.253:53: no such host"),
    ],
)
def test_an_image_that_cannot_be_pulled_is_refused_in_containerds_words(image: str, words: str) -> None:
    refusal = planned(vllm_container(image)).main[0].pull_refusal
    assert refusal
    assert refusal.endswith(words)


@pytest.mark.parametrize(
    "image",
    [
        "vllm/vllm-openai", "vllm/vllm-openai:v0.19.1", "vllm/vllm-openai:v0.8.5.post1", "vllm/vllm-openai:v0.10.1rc1",
        "vllm/vllm-openai:latest", "vllm/vllm-openai:v0.20.0-cu129-ubuntu2404", "vllm/vllm-openai:v0.11.0-x86_64",
        "vllm/vllm-openai:nightly-01efc7ef781391e744ed08c3292817a773d654e6", "vllm/vllm-openai:gptoss",
        "vllm/vllm-openai:crash", f"vllm/vllm-openai:any@sha256:{64 * 'a'}",
        "lmsysorg/sglang:v0.5.6.post1-rocm700-mi35x", "ghcr.io/huggingface/text-generation-inference:latest-intel-cpu",
        "ghcr.io/ggml-org/llama.cpp:server-cuda-b6123", "ollama/ollama:0.13", "registry.example/vllm-openai:our-own",
    ],
)  # fmt: skip
def test_an_image_that_may_be_there_is_pulled(image: str) -> None:
    assert images.refusal(image) is None


@pytest.mark.parametrize(
    ("container", "annotation", "kind"),
    [
        (vllm_container("vllm/vllm-openai:crash"), "", "crash"),
        (vllm_container("vllm/vllm-openai:oom"), "", "oom"),
        (vllm_container(), "cuda-oom", "cuda-oom"),
        (vllm_container(llm="meta-llama/Llama-3.3-70B-Instruct", gpus=1), "", "cuda-oom"),
        (vllm_container(llm="RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", gpus=1) | TIGHT, "", "no-kv-room"),
        (vllm_container() | {"args": ["serve", "Qwen/Qwen3-8B", "--max-model-len", "4000000"]}, "", "little-kv-room"),
        (vllm_container(llm="meta-llama/Llama-3.3-70B-Instruct", gpus=4), "", None),
        (vllm_container(), "", None),
    ],
)
def test_failures_are_foreseen(container: dict[str, object], annotation: str, kind: str | None) -> None:
    failure = planned(container, annotations={"sandbox.llmdash.io/fail": annotation}).main[0].failure
    assert (failure.kind if failure else None) == kind


def test_a_memory_limit_below_one_gibibyte_is_oom_killed() -> None:
    container = vllm_container()
    container["resources"]["limits"]["memory"] = "900Mi"
    failure = planned(container).main[0].failure
    assert failure
    assert (failure.kind, failure.exit_code, failure.reason) == ("oom", 137, "OOMKilled")


def test_a_pod_told_to_hang_never_serves() -> None:
    one = planned(annotations={"sandbox.llmdash.io/fail": "hang"}).main[0]
    assert math.isinf(one.serving_after(warm=False))


def test_init_containers_and_jobs_end_but_sidecars_do_not() -> None:
    init = [{"name": "once", "image": "busybox"}, {"name": "proxy", "image": "envoy:1", "restartPolicy": "Always"}]
    plan = planned(initContainers=init)
    assert [one.ends_after is not None for one in plan.init] == [True, False]
    job = planned({"name": "work", "image": "busybox"}, restartPolicy="Never")
    assert job.main[0].ends_after is not None


def test_a_probe_on_the_wrong_port_or_path_is_never_answered() -> None:
    wrong_port = vllm_container()
    wrong_port["readinessProbe"]["httpGet"]["port"] = 9000
    wrong_path = vllm_container()
    wrong_path["readinessProbe"]["httpGet"]["path"] = "/nope"
    for container in (wrong_port, wrong_path):
        probe = planned(container).main[0].readiness
        assert probe
        assert not probe.answers
        assert math.isinf(probe.first_success(10))


@pytest.mark.parametrize(
    ("container", "runtime"),
    [
        ({"image": "lmsysorg/sglang:v0.5.6", "args": ["--model-path", "Qwen/Qwen3-8B"]}, "sglang"),
        ({"image": "ghcr.io/huggingface/text-generation-inference:3.3", "args": ["--model-id", "a/b-7B"]}, "tgi"),
        ({"image": "ghcr.io/ggml-org/llama.cpp:server", "args": ["-hf", "Qwen/Qwen3-8B-GGUF"]}, "llamacpp"),
        ({"image": "ollama/ollama:0.13"}, "plain"),
        ({"image": "nginx:1.29"}, "plain"),
    ],
)
def test_the_runtime_is_recognised_by_its_image(container: dict[str, object], runtime: str) -> None:
    assert planned({"name": "main", **container}).main[0].runtime == runtime
