"""Where containers and pods of hollow nodes are: the values that lifecycle.py moves and status.py shows. Pure.

Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from llmdash.sandbox.hollow import images

MAX_BACKOFF = 300.0
FIRST_BACKOFF = 10.0


class Stage(StrEnum):
    """Where a container is; the first four wait, DONE is for good."""

    WAITING = "waiting"
    PULLING = "pulling"
    PULL_ERROR = "pull-error"
    PULL_BACKOFF = "pull-backoff"
    RUNNING = "running"
    READY = "ready"
    EXITED = "exited"
    BACKOFF = "backoff"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Exit:
    """One ended run of a container; ``kind`` says which log it left."""

    code: int
    reason: str
    started: float
    finished: float
    container_id: str
    kind: str = ""
    warm: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One container now. ``up``: its startup probe has passed. ``ended``: the exit it shows; ``last``: one before."""

    stage: Stage = Stage.WAITING
    since: float = 0.0
    started: float = 0.0
    warm: bool = False
    up: bool = False
    refused: bool = False
    restarts: int = 0
    pulls: int = 0
    ended: Exit | None = None
    last: Exit | None = None

    @property
    def alive(self) -> bool:
        return self.stage in (Stage.RUNNING, Stage.READY)


@dataclass(frozen=True, slots=True)
class Note:
    """One event to report about a container; ``count`` is how often it happened so far."""

    container: str
    reason: str
    message: str
    warning: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """The present, as far as a container needs it: the clock, its pod, and what its node holds."""

    now: float
    uid: str
    title: str  # name_namespace(uid), as the kubelet prints pods
    ip: str
    images: frozenset[str] | set[str] = frozenset()
    llms: frozenset[str] | set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Life:
    """One pod: when it was first seen, its containers by name, and when it began to stop."""

    seen: float
    runs: Mapping[str, Run] = field(default_factory=dict)
    stopping: float | None = None

    def run(self, name: str) -> Run:
        return self.runs.get(name, Run())


def container_id(uid: str, name: str, restarts: int) -> str:
    return f"containerd://{images.digest(f'{uid}/{name}/{restarts}')}"


def go_duration(seconds: float) -> str:
    """Whole seconds as Go prints a duration.

    >>> go_duration(10), go_duration(80), go_duration(300)
    ('10s', '1m20s', '5m0s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def backoff_seconds(failures: int) -> float:
    """Nominal pause after the n-th failure in a row: 10 s, doubled up to 5 minutes."""
    return min(MAX_BACKOFF, FIRST_BACKOFF * 2.0 ** min(max(0, failures - 1), 10))
