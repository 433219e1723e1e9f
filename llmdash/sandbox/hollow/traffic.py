"""Made-up traffic of one runtime as a closed formula of time. Pure.

The request rate is a sum of sines that never reaches zero, so its integral is known exactly: every counter is a
function of the clock that only grows, whichever process computes it. Two kinds of requests, calm and busy ones, make
latencies rise with the load without any memory of the past.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

PREFIX_HITS = 0.34
"""Share of prompt tokens found in the prefix cache."""

WARM_UP = 5.0
"""Seconds between the moment a runtime answers and its first request."""

_WAVES = ((86400.0, 0.30), (1260.0, 0.28), (187.0, 0.12), (41.0, 0.06))
"""Period in seconds and amplitude relative to the mean rate; together below 1."""

_BUSY_PERIOD, _BUSY_SHARE = 1260.0, 0.06


def _hash(uid: str, what: str) -> float:
    """A stable number in [0, 1)."""
    return int.from_bytes(hashlib.sha256(f"{what}/{uid}".encode()).digest()[:6], "big") / 2**48


@dataclass(frozen=True, slots=True)
class Now:
    """The traffic up to a moment: totals since the runtime's start, and gauges."""

    calm: float
    busy: float
    requests: int
    prompt_tokens: int
    generation_tokens: int
    running: int
    waiting: int
    kv_usage: float
    rate: float  # requests a second
    share: float  # of the possible load, 0 to 1


@dataclass(frozen=True, slots=True)
class Load:
    """The traffic of one pod that answers from ``since`` (epoch seconds) on; ``rate`` in requests a second."""

    uid: str
    since: float
    rate: float
    prompt: float
    generated: float
    first_token: float
    per_token: float
    kv_tokens: int
    most_running: int = 256

    def _phase(self, period: float) -> float:
        return 2 * math.pi * _hash(self.uid, f"phase-{period}") if period < 80000 else -math.pi * 0.75

    def rate_at(self, when: float) -> float:
        """Requests a second at a moment; 0 before the first request."""
        if when < self.since:
            return 0.0
        total = 1 + sum(a * math.sin(2 * math.pi * when / p + self._phase(p)) for p, a in _WAVES)
        return self.rate * total

    def _integral(self, when: float) -> float:
        total = when
        for period, amplitude in _WAVES:
            w = 2 * math.pi / period
            total -= amplitude / w * math.cos(w * when + self._phase(period))
        return total * self.rate

    def _busy_integral(self, when: float) -> float:
        """Of rate x share x (1 + sin)^2, which is zero in the valley and four times its mean rate on the crest."""
        w, phase = 2 * math.pi / _BUSY_PERIOD, self._phase(_BUSY_PERIOD)
        x = w * when + phase
        return self.rate * _BUSY_SHARE * (1.5 * when - 2 / w * math.cos(x) - math.sin(2 * x) / (4 * w))

    def counts(self, when: float) -> tuple[float, float]:
        """Calm and busy requests finished until a moment, as real numbers."""
        if when <= self.since:
            return 0.0, 0.0
        calm = self._integral(when) - self._integral(self.since)
        return calm, self._busy_integral(when) - self._busy_integral(self.since)

    def latency(self, *, busy: bool) -> float:
        """Mean seconds of a whole request."""
        slow = 2.2 if busy else 1.0
        return self.first_token * slow * (3 if busy else 1) + self.generated * self.per_token * slow

    def at(self, when: float) -> Now:
        calm, busy = self.counts(when)
        rate = self.rate_at(when)
        crest = (1 + math.sin(2 * math.pi * when / _BUSY_PERIOD + self._phase(_BUSY_PERIOD))) ** 2 / 4
        wanted = rate * (self.latency(busy=False) * (1 - 0.2 * crest) + self.latency(busy=True) * 0.2 * crest)
        running = min(self.most_running, wanted)
        waiting = max(0.0, wanted - self.most_running) + max(0.0, crest - 0.85) * 6 * rate
        usage = running * (self.prompt + self.generated / 2) / max(1, self.kv_tokens)
        total = calm + busy
        return Now(
            calm=calm,
            busy=busy,
            requests=int(total),
            prompt_tokens=int(total * self.prompt),
            generation_tokens=int(total * self.generated),
            running=round(running),
            waiting=int(waiting),
            kv_usage=min(0.985, usage),
            rate=rate,
            share=min(1.0, rate / (self.rate * 1.7)) if rate else 0.0,
        )


def load(uid: str, since: float, *, billions: float, gpus: int, kv_tokens: int, wanted: bool = True) -> Load:
    """The traffic that a pod gets: as many requests as fill 10 to 45 % of its KV cache on average, 40 at most."""
    size = max(0.5, billions / max(1, gpus))
    found = Load(
        uid=uid,
        since=since + WARM_UP,
        rate=0.0,
        prompt=1200.0 + 3000 * _hash(uid, "prompt"),
        generated=250.0 + 500 * _hash(uid, "generated"),
        first_token=0.035 + 0.011 * size,
        per_token=0.006 + 0.0011 * size,
        kv_tokens=kv_tokens,
    )
    share = 0.10 + 0.35 * _hash(uid, "rate")
    running = min(40.0, max(1.0, share * kv_tokens / (found.prompt + found.generated / 2)))
    return replace(found, rate=running / found.latency(busy=False) if wanted else 0.0)
