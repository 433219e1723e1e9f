"""The ``/metrics`` page of a vLLM server, computed from its traffic. Pure.

Names, label sets and buckets: vllm/v1/metrics/loggers.py. The newer ``inter_token_latency_seconds`` is given together
with its deprecated alias ``time_per_output_token_seconds``, as servers of the transition do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmdash.sandbox.hollow.traffic import PREFIX_HITS, Load, Now

FIRST_TOKEN = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0,
    640.0, 2560.0,
)  # fmt: skip
PER_TOKEN = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
LATENCY = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0,
    1920.0, 7680.0,
)  # fmt: skip
ITERATION = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
FINISHED = (("stop", 0.86), ("length", 0.13), ("abort", 0.01))


@dataclass(frozen=True, slots=True)
class Shape:
    """A log-normal distribution by mean and spread, for ``weight`` observations."""

    mean: float
    spread: float
    weight: float

    def below(self, limit: float) -> float:
        """Observations up to a limit."""
        if self.mean <= 0 or self.weight <= 0:
            return max(0.0, self.weight)
        centre = math.log(self.mean) - self.spread**2 / 2
        return self.weight * 0.5 * (1 + math.erf((math.log(limit) - centre) / (self.spread * math.sqrt(2))))


def buckets_125(most: int) -> tuple[int, ...]:
    """vLLM's buckets of token counts: 1, 2, 5, 10 ... up to the context length.

    >>> buckets_125(100)
    (1, 2, 5, 10, 20, 50, 100)
    """
    found: list[int] = []
    exponent = 0
    while True:
        for mantissa in (1, 2, 5):
            value = int(mantissa * 10**exponent)
            if value > most:
                return tuple(found)
            found.append(value)
        exponent += 1


def _number(value: float) -> str:
    return str(int(value)) + ".0" if value == int(value) and abs(value) < 1e15 else repr(value)


def _series(name: str, labels: str) -> str:
    return f"{name}{{{labels}}}" if labels else name


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def value(name: str, kind: str, text: str, *, labels: str, value: float) -> Iterator[str]:
    """One counter or gauge without further labels, with its head."""
    yield from _head(name, kind, text)
    yield f"{_series(name, labels)} {_number(value)}"


def histogram(name: str, text: str, limits: Sequence[float], *, labels: str, shapes: Sequence[Shape]) -> Iterator[str]:
    """A histogram in text format; bucket counts are whole and never fall from one bucket to the next."""
    yield from _head(name, "histogram", text)
    more = f",{labels}" if labels else ""
    for limit in limits:
        count = int(sum(shape.below(limit) for shape in shapes))
        yield f'{name}_bucket{{le="{_number(limit)}"{more}}} {_number(count)}'
    total = int(sum(shape.weight for shape in shapes))
    yield f'{name}_bucket{{le="+Inf"{more}}} {_number(total)}'
    yield f"{_series(name + '_count', labels)} {_number(total)}"
    yield f"{_series(name + '_sum', labels)} {_number(sum(shape.weight * shape.mean for shape in shapes))}"


def _pair(now: Now, calm: float, busy: float, spread: float, *, times: float = 1.0) -> tuple[Shape, Shape]:
    return Shape(calm, spread, now.calm * times), Shape(busy, spread, now.busy * times)


def _histograms(load: Load, now: Now, labels: str, context: int) -> Iterator[str]:
    first, busy_first = load.first_token, load.first_token * 6.6
    token, busy_token = load.per_token, load.per_token * 2.2
    decode, busy_decode = load.generated * token, load.generated * busy_token
    rows: tuple[tuple[str, str, Sequence[float], tuple[Shape, Shape]], ...] = (
        ("time_to_first_token_seconds", "Histogram of time to first token in seconds.", FIRST_TOKEN,
         _pair(now, first, busy_first, 0.55)),
        ("inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", PER_TOKEN,
         _pair(now, token, busy_token, 0.4, times=load.generated)),
        ("time_per_output_token_seconds", "DEPRECATED: use vllm:inter_token_latency_seconds.", PER_TOKEN,
         _pair(now, token, busy_token, 0.4, times=load.generated)),
        ("request_time_per_output_token_seconds", "Histogram of time per output token per request.", PER_TOKEN,
         _pair(now, token, busy_token, 0.3)),
        ("e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", LATENCY,
         _pair(now, first + decode, busy_first + busy_decode, 0.6)),
        ("request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.", LATENCY,
         _pair(now, 0.002, busy_first * 0.5, 0.8)),
        ("request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request.", LATENCY,
         _pair(now, first, busy_first * 0.5, 0.5)),
        ("request_decode_time_seconds", "Histogram of time spent in DECODE phase for request.", LATENCY,
         _pair(now, decode, busy_decode, 0.6)),
        ("request_inference_time_seconds", "Histogram of time spent in RUNNING phase for request.", LATENCY,
         _pair(now, first + decode, busy_first * 0.5 + busy_decode, 0.6)),
        ("request_prompt_tokens", "Number of prefill tokens processed.", buckets_125(context),
         _pair(now, load.prompt, load.prompt, 0.9)),
        ("request_generation_tokens", "Number of generation tokens processed.", buckets_125(context),
         _pair(now, load.generated, load.generated, 0.8)),
        ("iteration_tokens_total", "Histogram of number of tokens per engine_step.", ITERATION,
         _pair(now, 48.0, 480.0, 1.0, times=load.generated / 6)),
    )  # fmt: skip
    for name, text, limits, shapes in rows:
        yield from histogram(f"vllm:{name}", text, limits, labels=labels, shapes=shapes)


def _counters(now: Now, labels: str) -> Iterator[str]:
    cached = int(now.prompt_tokens * PREFIX_HITS)
    for name, text, found in (
        ("prompt_tokens_total", "Number of prefill tokens processed.", now.prompt_tokens),
        ("generation_tokens_total", "Number of generation tokens processed.", now.generation_tokens),
        ("prefix_cache_queries_total", "Prefix cache queries, in number of queried tokens.", now.prompt_tokens),
        ("prefix_cache_hits_total", "Prefix cache hits, in number of cached tokens.", cached),
        ("num_preemptions_total", "Cumulative number of preemption from the engine.", int(now.busy * 0.004)),
    ):
        yield from value(f"vllm:{name}", "counter", text, labels=labels, value=found)
    yield from _head("vllm:request_success_total", "counter", "Count of successfully processed requests.")
    for reason, share in FINISHED:
        count = int((now.calm + now.busy) * share)
        yield f'vllm:request_success_total{{finished_reason="{reason}",{labels}}} {_number(count)}'
    yield from _head("http_requests_total", "counter", "Total number of requests by method, status and handler.")
    handler = 'handler="/v1/chat/completions",method="POST"'
    failed = int(now.busy * 0.01)
    yield f'http_requests_total{{{handler},status="2xx"}} {_number(now.requests)}'
    yield f'http_requests_total{{{handler},status="5xx"}} {_number(failed)}'


def page(load: Load, when: float, *, model: str, context: int, utilization: float) -> str:
    """The whole page at a moment; ``model`` is the first served name."""
    now = load.at(when)
    labels = f'engine="0",model_name="{model}"'
    blocks = load.kv_tokens // 16
    lines: list[str] = []
    for name, text, found in (
        ("num_requests_running", "Number of requests in model execution batches.", float(now.running)),
        ("num_requests_waiting", "Number of requests waiting to be processed.", float(now.waiting)),
        ("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", now.kv_usage),
    ):
        lines += value(f"vllm:{name}", "gauge", text, labels=labels, value=found)
    config = (
        f'block_size="16",cache_dtype="auto",enable_prefix_caching="True",engine="0",'
        f'gpu_memory_utilization="{utilization}",num_gpu_blocks="{blocks}"'
    )
    info = "Information of the LLMEngine CacheConfig"
    lines += value("vllm:cache_config_info", "gauge", info, labels=config, value=1)
    lines += _counters(now, labels)
    lines += _histograms(load, now, labels, context)
    started = load.since - 60
    lines += value("process_start_time_seconds", "gauge", "Start time of the process.", labels="", value=started)
    return "\n".join(lines) + "\n"
