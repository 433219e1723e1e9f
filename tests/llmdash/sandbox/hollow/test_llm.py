"""What is read from a runtime's command line."""

import pytest

from llmdash.sandbox.hollow import llm


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"args": ["--model", "Qwen/Qwen3-8B"]}, "Qwen/Qwen3-8B"),
        ({"args": ["--model=Qwen/Qwen3-8B"]}, "Qwen/Qwen3-8B"),
        ({"command": ["vllm", "serve", "Qwen/Qwen3-8B", "--port", "8000"]}, "Qwen/Qwen3-8B"),
        ({"command": ["sh", "-c", "vllm serve Qwen/Qwen3-8B --port 8000"]}, "Qwen/Qwen3-8B"),
        ({"args": ["Qwen/Qwen3-8B", "--port", "8000"]}, "Qwen/Qwen3-8B"),
        ({"args": ["--model-path", "Qwen/Qwen3-8B"]}, "Qwen/Qwen3-8B"),
        ({"env": [{"name": "MODEL_ID", "value": "Qwen/Qwen3-8B"}]}, "Qwen/Qwen3-8B"),
        ({"command": ["nginx", "-g", "daemon off;"]}, None),
        ({}, None),
    ],
)
def test_the_llm_is_found_wherever_it_is_named(container: dict[str, object], expected: str | None) -> None:
    assert llm.repo_id(container) == expected


@pytest.mark.parametrize(
    ("repo", "billions"),
    [
        ("Qwen/Qwen3-8B", 8.0),
        ("Qwen/Qwen2.5-0.5B-Instruct", 0.5),
        ("Qwen/Qwen3-235B-A22B", 235.0),
        ("mistralai/Mixtral-8x7B-v0.1", 46.7),
        ("deepseek-ai/DeepSeek-R1", 671.0),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", 7.0),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 108.6),
        ("facebook/opt-125m", 0.125),
        ("openai/gpt-oss-120b", 120.0),
    ],
)
def test_the_size_comes_from_the_name(repo: str, billions: float) -> None:
    assert llm.billions(repo) == pytest.approx(billions)


@pytest.mark.parametrize(
    ("repo", "quantization", "bits"),
    [
        ("Qwen/Qwen3-8B", None, 16),
        ("Qwen/Qwen3-8B", "fp8", 8),
        ("Qwen/Qwen3-8B-AWQ", None, 4),
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", None, 8),
        ("Qwen/Qwen3-8B", "bitsandbytes", 4),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", None, 16),
    ],
)
def test_quantised_weights_are_smaller(repo: str, quantization: str | None, bits: int) -> None:
    assert llm.bits(repo, quantization) == bits


def test_weights_agree_with_what_engines_log() -> None:
    """Qwen3-14B on one H100: vLLM logs 27.52 GiB; Llama 3.3 70B FP8 on one: 67.72 GiB."""
    small = llm.read({"args": ["--model", "Qwen/Qwen3-14B"]}, 1)
    large = llm.read({"args": ["--model", "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic"]}, 1)
    assert small
    assert large
    assert small.weights_gib_per_gpu == pytest.approx(27.52, rel=0.06)
    assert large.weights_gib_per_gpu == pytest.approx(67.72, rel=0.02)


def test_served_names_and_context_are_read() -> None:
    found = llm.read(
        {"args": ["--model", "a/b-8B", "--served-model-name", "one", "two", "--max-model-len", "32k"]}, gpus=2
    )
    assert found
    assert found.served_names == ("one", "two")
    assert found.context == 32000
    assert found.gpus == 2
