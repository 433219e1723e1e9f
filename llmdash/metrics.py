"""The counters of `deployments.metrics` as Prometheus reads them, and which of our loops are stuck.

The processes of a worker's pool count in files of one folder, by prometheus-client's multi-process mode, and whoever
is asked adds them up.
"""

import hmac
import os
import re
import time
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from llmdash.celery import TOGETHER

BEAT = "llmdash_loop_beat_timestamp_seconds"
QUIET_SECONDS = 60.0


def registry() -> CollectorRegistry:
    """All that this process and those of its pool counted."""
    if not os.environ.get(TOGETHER):
        return REGISTRY
    bury_the_dead(Path(os.environ[TOGETHER]))
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # it registers itself
    return together


def bury_the_dead(folder: Path) -> None:
    """Processes that were killed have no open streams and no loops any more."""
    for pid in {found[1] for path in folder.glob("gauge_live*.db") if (found := re.search(r"_(\d+)\.db$", path.name))}:
        if not Path(f"/proc/{pid}").exists():
            mark_process_dead(int(pid))  # type: ignore[no-untyped-call]


def exposition(*more: Collector) -> bytes:
    """The text of /metrics, with what these collectors find out now."""
    extra = CollectorRegistry()
    for collector in more:
        extra.register(collector)
    return generate_latest(registry()) + generate_latest(extra)


def stuck(now: float | None = None) -> list[str]:
    """The loops that did not come round in time. A round asks a cluster several things, each with a time-out."""
    limit = QUIET_SECONDS + 12 * settings.LLMDASH["REQUEST_SECONDS"] + settings.LLMDASH["SWEEP_SECONDS"]
    at = now or time.time()
    samples = [sample for metric in registry().collect() for sample in metric.samples if sample.name == BEAT]
    return sorted({sample.labels["loop"] for sample in samples if 0 < sample.value < at - limit})


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Of the web: for whoever is signed in, or holds the token."""
    if not (holds_token(request) or request.user.is_authenticated):
        headers = {"WWW-Authenticate": 'Bearer realm="llmdash metrics"'}
        return HttpResponse("Sign in, or send LLMDASH_METRICS_TOKEN.\n", "text/plain", 401, headers=headers)
    return HttpResponse(exposition(), CONTENT_TYPE_LATEST)


def holds_token(request: HttpRequest) -> bool:
    """Whether the request carries LLMDASH_METRICS_TOKEN."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    wanted: str = settings.METRICS_TOKEN
    return bool(wanted) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), wanted.encode())
