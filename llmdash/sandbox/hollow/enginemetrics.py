"""The ``/metrics`` pages of runtimes other than vLLM, from the same traffic. Pure.

Names: SGLang, docs/references/production_metrics.md; TGI, docs/source/reference/metrics.md; llama.cpp, llama-server
``--metrics``. Only the families that dashboards read are given, and the bucket limits are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from llmdash.sandbox.hollow.traffic import PREFIX_HITS, Load, Now
from llmdash.sandbox.hollow.vllmmetrics import FIRST_TOKEN, LATENCY, PER_TOKEN, Shape, histogram, value

Lines = Iterator[str]
TOKENS = (16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0)


def _shapes(now: Now, mean: float, *, times: float = 1.0, slower: float = 2.2) -> tuple[Shape, Shape]:
    return Shape(mean, 0.55, now.calm * times), Shape(mean * slower, 0.55, now.busy * times)


def _sglang(load: Load, now: Now, model: str) -> Lines:
    labels = f'engine_type="unified",model_name="{model}"'
    speed = now.rate * load.generated
    for name, kind, found in (
        ("num_running_reqs", "gauge", float(now.running)),
        ("num_queue_reqs", "gauge", float(now.waiting)),
        ("token_usage", "gauge", now.kv_usage),
        ("cache_hit_rate", "gauge", PREFIX_HITS if now.requests else 0.0),
        ("gen_throughput", "gauge", speed),
        ("prompt_tokens_total", "counter", float(now.prompt_tokens)),
        ("generation_tokens_total", "counter", float(now.generation_tokens)),
        ("num_requests_total", "counter", float(now.requests)),
    ):
        yield from value(f"sglang:{name}", kind, name, labels=labels, value=found)
    whole = load.first_token + load.generated * load.per_token
    for name, limits, shapes in (
        ("time_to_first_token_seconds", FIRST_TOKEN, _shapes(now, load.first_token, slower=6.6)),
        ("inter_token_latency_seconds", PER_TOKEN, _shapes(now, load.per_token, times=load.generated)),
        ("e2e_request_latency_seconds", LATENCY, _shapes(now, whole)),
        ("queue_time_seconds", LATENCY, _shapes(now, 0.002, slower=40)),
    ):
        yield from histogram(f"sglang:{name}", name, limits, labels=labels, shapes=shapes)


def _tgi(load: Load, now: Now, model: str) -> Lines:
    for name, kind, found in (
        ("queue_size", "gauge", float(now.waiting)),
        ("batch_current_size", "gauge", float(now.running)),
        ("request_count", "counter", float(now.requests)),
    ):
        yield from value(f"tgi_{name}", kind, name, labels="", value=found)
    yield from value("tgi_request_success", "counter", "success", labels='kind="ok"', value=float(now.requests))
    whole = load.first_token + load.generated * load.per_token
    for name, limits, shapes in (
        ("request_duration", LATENCY, _shapes(now, whole)),
        ("request_queue_duration", LATENCY, _shapes(now, 0.002, slower=40)),
        ("request_inference_duration", LATENCY, _shapes(now, whole)),
        ("request_mean_time_per_token_duration", PER_TOKEN, _shapes(now, load.per_token)),
    ):
        yield from histogram(f"tgi_{name}", name, limits, labels="", shapes=shapes)
    for name, mean in (("request_generated_tokens", load.generated), ("request_input_length", load.prompt)):
        yield from histogram(f"tgi_{name}", name, TOKENS, labels="", shapes=_shapes(now, mean, slower=1.0))


def _llamacpp(load: Load, now: Now, model: str) -> Lines:
    prompt_seconds = now.requests * load.first_token
    made_seconds = now.generation_tokens * load.per_token
    for name, kind, found in (
        ("requests_processing", "gauge", float(now.running)),
        ("requests_deferred", "gauge", float(now.waiting)),
        ("prompt_tokens_total", "counter", float(now.prompt_tokens)),
        ("prompt_seconds_total", "counter", prompt_seconds),
        ("tokens_predicted_total", "counter", float(now.generation_tokens)),
        ("tokens_predicted_seconds_total", "counter", made_seconds),
        ("prompt_tokens_seconds", "gauge", now.prompt_tokens / prompt_seconds if prompt_seconds else 0.0),
        ("predicted_tokens_seconds", "gauge", now.generation_tokens / made_seconds if made_seconds else 0.0),
    ):
        yield from value(f"llamacpp:{name}", kind, name, labels="", value=found)


PAGES: Mapping[str, Callable[[Load, Now, str], Lines]] = {"sglang": _sglang, "tgi": _tgi, "llamacpp": _llamacpp}


def page(runtime: str, load: Load, when: float, *, model: str) -> str:
    """The page of ``sglang``, ``tgi`` or ``llamacpp``; empty for a runtime that tells nothing."""
    write = PAGES.get(runtime)
    if write is None:
        return ""
    return "".join(f"{line}\n" for line in write(load, load.at(when), model))
