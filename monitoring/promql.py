"""The questions to Prometheus, as named templates with the namespace bound by us. Pure.

Metric names are vLLM's: https://docs.vllm.ai/en/latest/design/metrics.html. A rate's window is at least four scrape
intervals. Percentiles are taken over the summed buckets of all pods, never averaged.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One line of a chart. `template` has a place for the selector; `unit` is of the answer."""

    key: str
    title: str
    unit: str
    template: str
    says_traffic: bool = False

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
# Says whether the series exist at all, and whether anything was asked, over the chart's range.
PRESENCE = "count(vllm:generation_tokens_total{$S})"
TRAFFIC = "sum(increase(vllm:request_success_total{$S}[$R]))"


def selector(namespace: str, pods: Sequence[str], name: str) -> str:
    """Labels that choose the pods of one deployment: by name while they are known, by prefix for past ones."""
    regex = "|".join(re.escape(pod) for pod in pods) or f"{re.escape(name)}-[a-z0-9]+-[a-z0-9]+"
    prefix = f"{re.escape(name)}-[a-f0-9]{{6,10}}-[a-z0-9]{{5}}"
    return f"namespace={quoted(namespace)},pod=~{quoted(regex + '|' + prefix)}"


def quoted(text: str) -> str:
    """A PromQL string; names come from us, yet nothing may end it early."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
