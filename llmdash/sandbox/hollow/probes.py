"""What a container's probes will meet, from its spec. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KNOWN_PATHS = ("/health", "/ping", "/v1/", "/metrics", "/version", "/docs", "/load", "/ready", "/info", "/get_")
"""Beginnings of the paths that inference servers answer with 200."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe in wall-clock seconds; ``answers`` says whether the right port and path are asked."""

    title: str
    delay: float
    period: float
    failures: int
    refusal: str
    answers: bool = True

    @property
    def budget(self) -> float:
        """Seconds from the start (or from the end of the startup probe) until the kubelet gives up."""
        return self.delay + self.period * self.failures

    def first_success(self, serving_after: float) -> float:
        """Seconds after the start at which a probe first finds a server that answers from ``serving_after`` on."""
        if not self.answers or math.isinf(serving_after):
            return math.inf
        ticks = math.ceil(max(0.0, serving_after - self.delay) / self.period)
        return self.delay + ticks * self.period

    def refused(self, seconds: float) -> int:
        """Probes that failed in the first ``seconds`` after the start."""
        return max(0, int((seconds - self.delay) / self.period) + 1) if seconds > self.delay else 0


def _port(probe: Mapping[str, Any], container: Mapping[str, Any]) -> int:
    wanted = probe.get("port", 0)
    for port in container.get("ports") or []:
        if port.get("name") == wanted:
            return int(port["containerPort"])
    return int(wanted) if str(wanted).isdigit() else 0


def read(title: str, container: Mapping[str, Any], speed: float, *, listens: int | None) -> Probe | None:
    """The ``title`` (Startup, Liveness, Readiness) probe of a container; ``listens`` is the server's port if known.

    The refusal holds ``{ip}`` where the pod's address belongs; the wording is Go's.
    """
    spec = container.get(f"{title.lower()}Probe")
    if not spec:
        return None
    http, tcp = spec.get("httpGet"), spec.get("tcpSocket")
    answers, refusal = True, "command timed out"
    if http or tcp:
        port = _port(http or tcp, container)
        answers = listens is None or port == listens
        refusal = f"dial tcp {{ip}}:{port}: connect: connection refused"
        if http:
            path = str(http.get("path") or "/")
            refusal = f'Get "http://{{ip}}:{port}{path}": {refusal}'
            if answers and listens is not None and path != "/" and not path.startswith(KNOWN_PATHS):
                answers, refusal = False, "HTTP probe failed with statuscode: 404"
    return Probe(
        title=title,
        delay=float(spec.get("initialDelaySeconds") or 0) / speed,
        period=float(spec.get("periodSeconds") or 10) / speed,
        failures=int(spec.get("failureThreshold") or 3),
        refusal=refusal,
        answers=answers,
    )
