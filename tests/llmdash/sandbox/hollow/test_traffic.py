"""Traffic and the metrics that tell of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdash.sandbox.hollow import enginemetrics, traffic, vllmmetrics
from llmdash.sandbox.hollow.traffic import Load

START = 1_700_000_000.0


def load(uid: str = "a", *, wanted: bool = True) -> Load:
    return traffic.load(uid, START, billions=8, gpus=1, kv_tokens=400_000, wanted=wanted)


def samples(page: str) -> dict[str, float]:
    """Series and value of every line of a page."""
    rows = (line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, value in rows}


def page(at: Load, when: float) -> dict[str, float]:
    return samples(vllmmetrics.page(at, when, model="m", context=32768, utilization=0.9))


@given(st.text(min_size=1, max_size=8), st.floats(0, 1e6), st.floats(0.01, 1e5))
def test_counters_only_grow(uid: str, first: float, later: float) -> None:
    found = load(uid)
    before, after = page(found, START + first), page(found, START + first + later)
    gauges = ("num_requests", "kv_cache_usage")
    falling = [name for name in before if after[name] < before[name] and not any(gauge in name for gauge in gauges)]
    assert not falling


@given(st.floats(0, 1e6))
def test_buckets_only_grow_towards_infinity(seconds: float) -> None:
    found = page(load(), START + seconds)
    for name in ("time_to_first_token_seconds", "e2e_request_latency_seconds", "request_prompt_tokens"):
        counts = [value for series, value in found.items() if series.startswith(f"vllm:{name}_bucket")]
        assert counts == sorted(counts)
        count = next(value for series, value in found.items() if series.startswith(f"vllm:{name}_count"))
        assert counts[-1] == count


def test_another_process_tells_the_same() -> None:
    assert load().at(START + 1234.5) == load().at(START + 1234.5)
    assert load("a").at(START + 1234.5) != load("b").at(START + 1234.5)


def test_nothing_happens_before_the_first_request_or_without_traffic() -> None:
    early, idle = load().at(START + traffic.WARM_UP), load(wanted=False).at(START + 9999)
    assert early.requests == idle.requests == idle.running == idle.waiting == 0
    assert idle.kv_usage == 0


def test_the_integral_is_that_of_the_rate() -> None:
    found = load()
    middle = START + 5000
    counted = found.counts(middle + 1)[0] - found.counts(middle)[0]
    assert counted == pytest.approx(found.rate_at(middle + 0.5), rel=0.01)


def test_latency_rises_on_the_crest_of_the_wave() -> None:
    found = load()
    means = []
    for step in range(0, 1260, 60):
        before, after = page(found, START + 2000 + step), page(found, START + 2060 + step)
        name = 'vllm:time_to_first_token_seconds_{}{{engine="0",model_name="m"}}'
        spent, count = (after[name.format(part)] - before[name.format(part)] for part in ("sum", "count"))
        means.append(spent / count)
    assert max(means) > 1.5 * min(means)


def test_the_page_names_what_dashboards_ask_for() -> None:
    text = vllmmetrics.page(load(), START + 600, model="m", context=32768, utilization=0.9)
    for name in (
        "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc", "prompt_tokens_total",
        "generation_tokens_total", "prefix_cache_hits_total", "inter_token_latency_seconds_bucket",
        "e2e_request_latency_seconds_bucket", "request_queue_time_seconds_bucket", "num_preemptions_total",
    ):  # fmt: skip
        assert re.search(rf'^vllm:{name}{{.*engine="0",model_name="m"}} ', text, re.MULTILINE), name
    assert 'vllm:request_success_total{finished_reason="stop",engine="0",model_name="m"}' in text
    assert 'le="2560.0"' in text


@pytest.mark.parametrize(
    ("runtime", "names"),
    [
        ("sglang", ["sglang:num_running_reqs", "sglang:token_usage", "sglang:time_to_first_token_seconds_bucket"]),
        ("tgi", ["tgi_queue_size", "tgi_request_duration_sum", "tgi_request_generated_tokens_sum"]),
        ("llamacpp", ["llamacpp:requests_processing", "llamacpp:tokens_predicted_total"]),
    ],
)
def test_other_runtimes_have_pages_of_their_own(runtime: str, names: list[str]) -> None:
    found = enginemetrics.page(runtime, load(), START + 600, model="m")
    for name in names:
        assert re.search(rf"^{name}[ {{]", found, re.MULTILINE), name
    before, after = (samples(enginemetrics.page(runtime, load(), START + at, model="m")) for at in (600, 900))
    falling = [name for name in before if "total" in name and after[name] < before[name]]
    assert not falling
    assert enginemetrics.page("llm", load(), START, model="m") == ""
