"""What an LLM's name tells of its memory and of the time it needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments import sizing
from deployments.sizing import Size


@pytest.mark.parametrize(
    ("llm", "parameters", "bits"),
    [
        ("Qwen/Qwen3-8B", 8e9, 16),
        ("Qwen/Qwen3-0.6b", 0.6e9, 16),
        ("bigscience/bloom-560m", 560e6, 16),
        ("meta-llama/Llama-3.1-8B-Instruct", 8e9, 16),
        ("team/chat_7B_v2", 7e9, 16),
        ("mistralai/Mixtral-8x7B-v0.1", 56e9, 16),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct", 480e9, 16),
        ("Qwen/Qwen2.5-14B-Instruct-1M", 14e9, 16),
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", 70e9, 8),
        ("TheBloke/Llama-2-70B-AWQ", 70e9, 4),
        ("Qwen/Qwen3-30B-A3B-GPTQ-Int4", 30e9, 4),
        ("Qwen/Qwen2-7B-GPTQ-Int8", 7e9, 8),
        ("nvidia/Llama-3.1-8B-NVFP4", 8e9, 4),
        ("team/Llama-8B-quantized.w4a16", 8e9, 4),
        ("70B-lovers/gpt-oss-20b", 20e9, 16),
    ],
)
def test_the_size_is_read_from_the_name(llm: str, parameters: float, bits: int) -> None:
    assert sizing.size_of(llm) == Size(parameters, parameters * bits / 8)


@pytest.mark.parametrize("llm", ["", "deepseek-ai/DeepSeek-V3", "microsoft/Phi-3-mini-4k", "a/x8bit", "8B/large"])
def test_a_name_that_tells_no_size_has_none(llm: str) -> None:
    assert sizing.size_of(llm) is None
    assert sizing.startup_seconds(llm) == sizing.UNKNOWN_STARTUP_SECONDS


def test_the_start_takes_longer_the_more_there_is_to_load() -> None:
    seconds = [sizing.startup_seconds(f"a/b-{size}B") for size in (1, 8, 32, 70, 405)]
    assert seconds == sorted(seconds)
    assert seconds[0] == sizing.MIN_STARTUP_SECONDS
    assert sizing.startup_seconds("a/b-70B-fp8") < sizing.startup_seconds("a/b-70B")


def test_eight_billion_parameters_start_within_thirteen_minutes() -> None:
    # 2 x (16 GB / 100 MB/s + 16 GB / 500 MB/s + 180 s) = 744 s, rounded up to whole minutes
    assert sizing.startup_seconds("Qwen/Qwen3-8B") == 780


@given(st.text(max_size=200))
def test_any_name_gives_whole_minutes_that_the_spec_would_take(llm: str) -> None:
    seconds = sizing.startup_seconds(llm)
    assert sizing.MIN_STARTUP_SECONDS <= seconds <= sizing.MAX_STARTUP_SECONDS
    assert seconds % 60 == 0


def test_an_absurd_size_waits_a_day_at_most() -> None:
    assert sizing.startup_seconds(f"a/b-{'9' * 190}B") == sizing.MAX_STARTUP_SECONDS
