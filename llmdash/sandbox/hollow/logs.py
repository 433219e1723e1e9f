"""The log of one run of a container: what ``kubectl logs`` prints. Pure.

A log is a function of the plan, the run's start and the clock, so nothing is stored: a follower asks for the lines
between two moments, and a restarted process prints the same log again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from llmdash.sandbox.hollow import times, traffic, vllmlog
from llmdash.sandbox.hollow.plan import ContainerPlan
from llmdash.sandbox.hollow.states import Exit, Run, Stage
from llmdash.sandbox.hollow.vllmlog import Line

SERVING_KEPT = 3600.0
"""Seconds of periodic lines that are kept; older ones have been rotated away."""

PERIOD = 10.0
TOLD_LINES, TOLD_BYTES = 80, 2048


@dataclass(frozen=True, slots=True)
class Source:
    """One run whose log is asked for; ``ended`` None means that it still runs."""

    plan: ContainerPlan
    started: float
    warm: bool
    ended: Exit | None = None
    load: traffic.Load | None = None


def source(plan: ContainerPlan, run: Run, load: traffic.Load | None, *, previous: bool) -> Source | None:
    """The run that ``kubectl logs [--previous]`` means: the present one, or the one in ``state``/``lastState``."""
    shows_exit = run.stage in (Stage.EXITED, Stage.DONE)
    last = run.last if run.alive or shows_exit else run.ended or run.last
    if run.alive and not previous:
        return Source(plan, run.started, run.warm, load=load)
    ended = run.ended if shows_exit and not previous else last
    return Source(plan, ended.started, ended.warm, ended) if ended else None


def _plain(plan: ContainerPlan, started: float) -> Iterator[Line]:
    yield Line(started, f"{times.text(started)} starting {plan.name}")
    if plan.llm:
        yield Line(started, f"{times.text(started)} loading {plan.llm.repo_id} ({plan.llm.weight_bytes / 1e9:.1f} GB)")
    after = plan.serving_after(warm=False)
    if after != float("inf"):
        text = "model loaded" if plan.llm else "ready"
        yield Line(started + after, f"{times.text(started + after)} {text}")
    if plan.ends_after is not None:
        yield Line(started + plan.ends_after, f"{times.text(started + plan.ends_after)} done")


def _serving(at: Source, since: float, until: float) -> Iterator[Line]:
    """vLLM's periodic statistics; it prints none while nothing happens."""
    ready = at.started + at.plan.serving_after(warm=at.warm)
    if at.load is None or at.plan.runtime != "vllm" or ready > until:
        return
    first = int(max(ready, since, until - SERVING_KEPT) / PERIOD) + 1
    for tick in range(first, int(until / PERIOD) + 1):
        when = tick * PERIOD
        now, before = at.load.at(when), at.load.at(when - PERIOD)
        if now.requests == before.requests:
            continue
        prompt = (now.prompt_tokens - before.prompt_tokens) / PERIOD
        made = (now.generation_tokens - before.generation_tokens) / PERIOD
        text = (
            f"Engine 000: Avg prompt throughput: {prompt:.1f} tokens/s, "
            f"Avg generation throughput: {made:.1f} tokens/s, "
            f"Running: {now.running} reqs, Waiting: {now.waiting} reqs, GPU KV cache usage: {now.kv_usage:.1%}, "
            f"Prefix cache hit rate: {traffic.PREFIX_HITS:.1%}"
        )
        yield vllmlog.info(vllmlog.API, when, "loggers.py:259", text)


def lines(at: Source, since: float, until: float) -> list[Line]:
    """The lines with ``since`` < time <= ``until``, in order."""
    end = at.ended.finished if at.ended else until
    early = at.ended is not None and at.ended.finished < at.started + at.plan.serving_after(warm=at.warm)
    if at.plan.runtime == "vllm" and at.plan.llm and not (early and at.ended and at.ended.kind == "crash"):
        start: Iterator[Line] = vllmlog.startup(at.plan, at.plan.llm, at.started, warm=at.warm)
    else:
        start = _plain(at.plan, at.started)
    found = [line for line in start if since < line.when <= min(end, until)]
    found += [line for line in _serving(at, since, min(end, until)) if since < line.when]
    if at.ended and since < at.ended.finished <= until:
        kind = at.ended.kind if early or at.ended.kind in ("probe", "stopped") else "died"
        found += vllmlog.failure(at.plan, kind, at.ended.finished)
    return found


@lru_cache(1024)
def last_words(plan: ContainerPlan, ended: Exit) -> str:
    """The end of the log of a run that failed, as the kubelet keeps it: 80 lines and 2048 bytes at most."""
    found = lines(Source(plan, ended.started, ended.warm, ended), 0.0, ended.finished)[-TOLD_LINES:]
    return render(found, timestamps=False)[-TOLD_BYTES:].decode(errors="ignore")


def render(found: list[Line], *, timestamps: bool) -> bytes:
    """Lines as the kubelet sends them, each with its RFC 3339 time when asked for."""
    if timestamps:
        return "".join(f"{times.micro(line.when)[:-1]}000Z {line.text}\n" for line in found).encode()
    return "".join(f"{line.text}\n" for line in found).encode()
