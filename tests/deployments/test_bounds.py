"""What nobody may ask for, though it is a spec."""

from typing import Any

import pytest

from deployments import spec as specs
from deployments.bounds import problems
from deployments.spec import Spec

LLM = "Qwen/Qwen3-8B"


def said(**fields: Any) -> list[tuple[str, str]]:
    """Of a spec with these fields: what is out of bounds."""
    given = specs.dump(Spec.model_validate({"llm": LLM} | fields))
    return [(str(path[0]), text) for path, text in problems(given, {"replicas": 4, "gpus": 3}, {})]


def test_the_installations_limits_are_told_like_other_problems() -> None:
    assert said(replicas=4, gpus=3) == []
    assert said(replicas=5, gpus=4) == [("replicas", "Must be 4 or less here."), ("gpus", "Must be 3 or less here.")]
    assert problems({"replicas": "9", "gpus": None, "cpu_limit": 7, "image": []}, {"replicas": 4, "gpus": 3}, {}) == []


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("memory_limit", "1m", "Is less than 1Mi; without a suffix it is a number of bytes."),
        ("memory_limit", "16", "Is less than 1Mi; without a suffix it is a number of bytes."),
        ("memory_request", "900Ti", "Is more than 64Ti, which no node has."),
        ("shared_memory", "100n", "Is less than 1Mi; without a suffix it is a number of bytes."),
        ("cpu_request", "1n", "Is less than 1m; without a suffix it is a number of cores."),
        ("cpu_limit", "1E", "Is more than 10k, which no node has."),
        ("image", "1.2.3.4:99999/x:1", "99999 is no port."),
        ("image", "registry:0/x", "0 is no port."),
    ],
)
def test_absurd_amounts_are_refused(field: str, text: str, why: str) -> None:
    assert said(**{field: text}) == [(field, why)]


@pytest.mark.parametrize(
    ("field", "text"),
    [("memory_limit", "1Mi"), ("memory_limit", "2e9"), ("memory_request", "64Ti"), ("cpu_request", "1m"),
     ("cpu_limit", "192"), ("image", "registry:65535/x:1"), ("image", "vllm/vllm-openai:v1")],
)  # fmt: skip
def test_what_a_node_may_have_is_taken(field: str, text: str) -> None:
    assert said(**{field: text}) == []


def test_a_context_holds_a_question_and_its_answer() -> None:
    assert said(context_length=1) == [("context_length", "Must be 128 or more.")]
    assert said(context_length=128) == []


def test_shared_memory_is_part_of_the_memory() -> None:
    assert said(shared_memory="2Gi", memory_limit="2Gi") == []
    assert said(shared_memory="10Gi", memory_limit="1Gi") == [
        ("shared_memory", "Is more than the memory limit of 1Gi, which includes it.")
    ]


def test_what_stands_may_stay() -> None:
    stands = specs.dump(Spec.model_validate({"llm": LLM, "replicas": 9, "memory_limit": "1Gi", "shared_memory": "2Gi"}))
    assert problems(stands, {"replicas": 4}, stands) == []
    assert problems(stands | {"replicas": 8}, {"replicas": 4}, stands) == [(("replicas",), "Must be 4 or less here.")]
    lowered = problems(stands | {"memory_limit": "512Mi"}, {}, stands)
    assert [path for path, _ in lowered] == [("shared_memory",)]
