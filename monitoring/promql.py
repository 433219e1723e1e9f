"""The questions to Prometheus, as named templates with the namespace bound by us. Pure.

Metric names are vLLM's: https://docs.vllm.ai/en/latest/design/metrics.html. A rate's window is at least four scrape
intervals. Percentiles are taken over the summed buckets of all pods, never averaged.
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


QUESTIONS: dict[str, tuple[Question, ...]] = {
    "vllm": (
        Question("tokens", "Generated tokens", "tokens/s", "sum(rate(vllm:generation_tokens_total{$S}[1m]))"),
        Question(
            "ttft",
            "Time to first token, p95",
            "s",
            "histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket{$S}[1m])))",
        ),
    ),
}
# What whole namespaces do now; the selector names them.
NOW = {
    "tokens": "sum(rate(vllm:generation_tokens_total{$S}[1m]))",
    "ttft": "histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket{$S}[1m])))",
    "waiting": "sum(vllm:num_requests_waiting{$S})",
}
# What each of several deployments does now; the pod's name tells whose it is.
OWNER = "llmdash_deployment"
EACH = {
    "tokens": f"sum by (namespace, {OWNER}) (label_replace(rate(vllm:generation_tokens_total{{$S}}[1m]), $OWNER))",
    "ttft": f"histogram_quantile(0.95, sum by (namespace, {OWNER}, le) "
    "(label_replace(rate(vllm:time_to_first_token_seconds_bucket{$S}[1m]), $OWNER)))",
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
