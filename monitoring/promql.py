"""The questions to Prometheus, as named templates with the namespace bound by us. Pure.

Metric names are vLLM's: https://docs.vllm.ai/en/latest/design/metrics.html. Percentiles are taken over the summed
buckets of all pods, never averaged.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deployments.manifests import labels


@dataclass(frozen=True)
class Question:
    """One line of a chart. `template` has a place for the selector; `unit` is of the answer."""

    key: str
    title: str
    unit: str
    template: str

    def query(self, selector: str) -> str:
        """The PromQL for these pods."""
        return self.template.replace("$S", selector)


@dataclass(frozen=True)
class Meter:
    """What a runtime tells of each pod: the tokens that it makes a second, and of the time to the first token what each
    bucket gains a second."""

    tokens: str
    buckets: str


def rate(metric: str) -> str:
    """A second, over the last minute; over the last five where that holds no two samples of a series."""
    return f"(rate({metric}{{$S}}[1m]) or rate({metric}{{$S}}[5m]))"


def total(inner: str, *by: str) -> str:
    """All series together, or apart by these labels."""
    return f"sum by ({', '.join(by)}) ({inner})" if by else f"sum({inner})"


def p95(buckets: str, *by: str) -> str:
    """The 95th percentile over the summed buckets."""
    return f"histogram_quantile(0.95, {total(buckets, *by, 'le')})"


def owned(inner: str) -> str:
    """With the label OWNER, which the pod's name tells."""
    return f"label_replace({inner}, $OWNER)"


METERS = {
    "vllm": Meter(rate("vllm:generation_tokens_total"), rate("vllm:time_to_first_token_seconds_bucket")),
}
ALL = Meter(
    tokens=" or ".join(meter.tokens for meter in METERS.values()),
    buckets=" or ".join(meter.buckets for meter in METERS.values()),
)
OWNER = "llmdash_deployment"
# The charts of one deployment, by its runtime.
QUESTIONS: dict[str, tuple[Question, ...]] = {
    runtime: (
        Question("tokens", "Generated tokens", "tokens/s", total(meter.tokens)),
        Question("ttft", "Time to first token, p95", "s", p95(meter.buckets)),
    )
    for runtime, meter in METERS.items()
}
# What whole namespaces do now, and what each of several deployments does.
NOW = {"tokens": total(ALL.tokens), "ttft": p95(ALL.buckets), "waiting": "sum(vllm:num_requests_waiting{$S})"}
EACH = {
    "tokens": total(owned(ALL.tokens), "namespace", OWNER),
    "ttft": p95(owned(ALL.buckets), "namespace", OWNER),
}
# What a Prometheus that serves llmdash measures: the runtimes, and the GPUs by NVIDIA's DCGM exporter.
EXPECTED = {"vLLM": "vllm:num_requests_running", "GPUs (DCGM)": "DCGM_FI_DEV_GPU_UTIL"}
# PRESENCE and TRAFFIC say whether the series exist at all, and whether anything was asked, over the chart's range.
PRESENCE = "count(last_over_time(vllm:generation_tokens_total{$S}[$R]))"
TRAFFIC = "sum(increase(vllm:request_success_total{$S}[$R]))"


def selector(namespace: str, pods: Sequence[str], name: str, more: str = "") -> str:
    """Labels that choose the pods of one deployment: by name while they are known, by what they are called by the
    Deployment controller for past ones. Prometheus anchors the expression at both ends. `more` are the cluster's own
    matchers, for a Prometheus that measures several clusters."""
    chosen = [*map(re.escape, pods), labels.pod_names(name)]
    return joined(f"namespace={quoted(namespace)}", f"pod=~{quoted('|'.join(chosen))}", more)


def of_namespaces(namespaces: Iterable[str], more: str = "") -> str:
    """Labels that choose everything of these namespaces and of no other; `more` as above."""
    return joined(f"namespace=~{quoted('|'.join(re.escape(name) for name in sorted(namespaces)))}", more)


def of_each(template: str, owners: Iterable[tuple[str, str]], more: str = "") -> str:
    """The PromQL of one of EACH for deployments given as (namespace, name); `more` as above. The answer may hold others
    of the same names in those namespaces, and names its deployments by the labels `namespace` and OWNER."""
    namespaces, names = (set(part) for part in zip(*owners, strict=True))
    pods = joined(f"pod=~{quoted(labels.pod_names_of(names))}", of_namespaces(namespaces, more))
    owner = f'"{OWNER}", "$1$2", "pod", {quoted(labels.POD_OF)}'
    return template.replace("$S", pods).replace("$OWNER", owner)


def count(metric: str, more: str = "") -> str:
    """How many series of a metric there are."""
    return f"count({metric}{{{more}}})"


def joined(*matchers: str) -> str:
    """The matchers that are given."""
    return ",".join(matcher for matcher in matchers if matcher)


def quoted(text: str) -> str:
    """A PromQL string; names come from us, yet nothing may end it early."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
