"""How each runtime is started and asked how it is. Pure: new runtimes are rows here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Runtime:
    """What serves an LLM.

    `health_path` answers once the process lives, `ready_path` only once the LLM can be used (vLLM's /health may
    answer earlier). `metrics` is the prefix of its Prometheus series, empty when it has none.
    """

    name: str
    label: str
    image: str
    command: tuple[str, ...]
    port: int
    component: str
    health_path: str
    ready_path: str
    metrics: str
    needs_llm: bool


VLLM = Runtime(
    name="vllm",
    label="vLLM",
    image="vllm/vllm-openai:v0.21.0",
    command=("vllm", "serve"),  # named, since the image's entry point changed between versions
    port=8000,
    component="inference-server",
    health_path="/health",
    ready_path="/v1/models",
    metrics="vllm",
    needs_llm=True,
)
CUSTOM = Runtime(
    name="custom",
    label="Custom image",
    image="",
    command=(),
    port=8080,
    component="inference-server",
    health_path="",
    ready_path="",
    metrics="",
    needs_llm=False,
)
RUNTIMES = {runtime.name: runtime for runtime in (VLLM, CUSTOM)}
