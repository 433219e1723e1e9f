"""What the API answers about what is really happening, key by key; made in `api`."""

from datetime import datetime
from typing import Annotated, Any

from typing_extensions import TypedDict

from deployments.choices import Connection, Sign, Stage
from deployments.shapes import Count, HealthWord, PolicyWord, ProblemWord, about, words


class Seen(TypedDict):
    """How old the knowledge is."""

    stale: Annotated[bool, about("The cluster was last heard of too long ago; then the health is unknown.")]
    seen_at: datetime | None


class LastError(TypedDict):
    """What the worker was told when it last tried."""

    message: str | None
    reason: str | None
    status: int | None
    causes: list[Any] | None
    at: datetime | None
    objects_done: int | None
    objects_total: int | None


class Drift(TypedDict):
    """A field that somebody else changed."""

    object: str | None
    field: str | None
    wanted: Any
    live: Any
    rival: str | None
    rewritten: Any


class Status(Seen):
    """How a deployment is, how far the newest revision came, and what drifted."""

    health: HealthWord
    sentence: Annotated[str, about("The cause, for people.")]
    ready: Count
    wanted: Count
    gpus: Count
    revision: Annotated[Count, about("The newest that was asked for.")]
    applied: Annotated[Count, about("The newest that the cluster took.")]
    observed_revision: Annotated[Count, about("The one seen on the live object.")]
    settled: bool
    rollout: str
    problem: ProblemWord
    last_error: LastError | None
    next_attempt_at: datetime | None
    drift_policy: PolicyWord
    drift: list[Drift]
    endpoint: dict[str, Any]
    changed_at: datetime | None
    deleted_at: datetime | None


class Pod(TypedDict):
    """A pod with the stages that it went through."""

    name: str | None
    stage: Annotated[str, words(Stage)] | None
    node: str | None
    ready: bool | None
    restarts: int | None
    reason: str | None
    message: str | None
    ip: str | None
    gpus: int | None
    current: Annotated[bool | None, about("Of the newest revision.")]
    created_at: datetime | None
    stages: list[dict[str, Any]] | None


class Pods(Seen):
    """The pods of a deployment."""

    results: list[Pod]


class Event(TypedDict):
    """An event of the cluster."""

    at: datetime | None
    type: str | None
    reason: str | None
    message: str | None
    object: str | None
    count: int | None


class Events(Seen):
    """The events of a deployment's objects, newest first."""

    next: Annotated[str | None, about("The address of older ones.")]
    results: list[Event]


class Condition(TypedDict):
    """One thing that has to be well with a cluster."""

    name: str
    sign: Annotated[str, words(Sign)]
    sentence: str
    step: Annotated[str, about("What to do next, where there is something.")]
    at: Annotated[datetime | None, about("When it was found so; null for now.")]


class Conditions(TypedDict):
    """The conditions of a cluster, in the order in which they depend on each other."""

    results: list[Condition]


class Right(TypedDict):
    """A right that llmdash needs."""

    what: str
    why: str
    lacking: Annotated[str, about("What comes of lacking it.")]
    must: Annotated[bool, about("Without it nothing can be deployed.")]
    held: bool
    where: Annotated[str, about('"everywhere", "nowhere", or the namespaces in which it is held.')]
    refused: Annotated[list[str], about('Verbs and resources, "watch pods".')]


class Answered(TypedDict):
    """Whether Prometheus answers, and what of ours it measures."""

    ok: bool
    message: str


class Report(TypedDict):
    """What a connection test found."""

    at: datetime
    ok: Annotated[bool, about("The API server answers, and deployments can be made.")]
    connection: Annotated[str, words(Connection)]
    message: Annotated[str, about("Why it does not answer; empty when it does.")]
    version: str
    identity: Annotated[str, about("The uid of the kube-system namespace.")]
    rights: list[Right]
    prometheus: Answered | None
