"""How the kubelet asks the container how it is.

Startup and liveness ask whether the process lives, readiness whether the LLM can be used: vLLM's /health may answer
before that (https://github.com/vllm-project/vllm/issues/15313).
"""

from typing import Any

from deployments import sizing
from deployments.manifests.workload import Workload

STARTUP_PERIOD = 10  # seconds


def build(workload: Workload) -> dict[str, Any]:
    """The three probes; none for a custom image that names no path."""
    health = health_path(workload)
    ready = workload.spec.health_path or workload.runtime.ready_path
    if not health:
        return {}
    failures = -(-startup_budget(workload) // STARTUP_PERIOD)
    return {
        "startupProbe": http(workload, health, every=STARTUP_PERIOD, failures=failures),
        "livenessProbe": http(workload, health, every=10, failures=3),
        "readinessProbe": http(workload, ready, every=5, failures=3),
    }


def health_path(workload: Workload) -> str:
    """What is asked for life; empty when nothing is."""
    return workload.spec.health_path or workload.runtime.health_path


def startup_budget(workload: Workload) -> int:
    """Seconds that a start may take; 0 when nobody asks and nobody said (a custom image without a health path)."""
    if workload.spec.startup_seconds:
        return workload.spec.startup_seconds
    return sizing.startup_seconds(workload.spec.llm) if health_path(workload) else 0


def http(workload: Workload, path: str, *, every: int, failures: int) -> dict[str, Any]:
    """A GET every `every` seconds; that many failures in a row count."""
    return {
        "httpGet": {"path": path, "port": workload.port},
        "periodSeconds": every,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
