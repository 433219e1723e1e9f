"""What the API answers about what is really happening, key by key; made in `api`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

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


class UnknownOne(TypedDict):
    """A deployment that stands in a cluster and that the database does not know."""

    id: Annotated[str, about("The id that its objects carry.")]
    namespace: str
    name: str
    revision: Annotated[int, about("The revision that runs.")]


class Unknown(TypedDict):
    """All of them, 200 at most."""

    results: list[UnknownOne]


class HolderFacts(TypedDict):
    """Who holds GPUs of a node."""

    deployment: Annotated[str, about("Its id.")]
    pod: str
    count: Count


class Holder(HolderFacts):
    """A deployment of the caller that holds GPUs of a node."""

    name: str


class GpuFacts(TypedDict):
    """GPUs of one kind on a node."""

    resource: Annotated[str, about("Such as nvidia.com/gpu.")]
    product: Annotated[str, about("The label of the node, such as NVIDIA-H100-80GB-HBM3.")]
    memory_mib: int | None
    allocatable: Count
    used: Annotated[Count, about("By pods that may be listed.")]


class Gpus(GpuFacts):
    """GPUs of one kind on a node, and who holds them."""

    free: Annotated[int | None, about("null where other namespaces' pods may not be listed.")]
    holders: Annotated[list[Holder], about("Those that the caller may see.")]


class NodeFacts(TypedDict):
    """A node."""

    name: str
    ready: bool
    schedulable: bool
    message: Annotated[str, about("Why it is not ready.")]
    kubelet_version: str
    pods: Count
    cpu_millis: int
    cpu_millis_used: Annotated[int, about("Requested by pods that may be listed.")]
    memory_bytes: int
    memory_bytes_used: Annotated[int, about("Requested by pods that may be listed.")]


class Node(NodeFacts):
    """A node with its GPUs."""

    gpus: list[Gpus]


class Matter(TypedDict):
    """Something that needs a person: what, why, and what to do."""

    kind: Annotated[str, about('"deployment" or "cluster".')]
    id: UUID
    name: str
    where: Annotated[str, about("Project and cluster of a deployment.")]
    state: Annotated[str, about("The health, the problem, the connection, or the sign of a condition.")]
    sentence: str
    step: Annotated[str, about("What to do next.")]
    since: datetime | None


class GpusOfCluster(TypedDict):
    """GPUs of one type of one cluster."""

    cluster: str
    resource: str
    product: str
    total: Count
    used: Count
    free: Annotated[int | None, about("null where other namespaces' pods may not be listed, or the cluster is stale.")]
    stale: bool


class Overview(TypedDict):
    """What the first page says."""

    matters: Annotated[list[Matter], about("The worst first, 12 at most.")]
    matters_total: Count
    health: Annotated[dict[str, Count], about("How many deployments are how.")]
    drifting: Annotated[Count, about("How many differ from what was applied and are left so on purpose.")]
    gpus: list[GpusOfCluster]


class Point(TypedDict):
    """A measurement."""

    at: Annotated[float, about("Seconds since 1970.")]
    value: Annotated[float | None, about("null is a gap.")]


class SeriesFacts(TypedDict):
    """What one chart shows."""

    id: str
    title: str
    unit: str
    summary: Annotated[str, about("The series in a sentence.")]


class Series(SeriesFacts):
    """A series of measurements."""

    points: list[Point]


class MetricsFacts(TypedDict):
    """Whether there are measurements."""

    state: Annotated[str, about('"ok", "no-prometheus", "unreachable", "no-series" or "no-traffic".')]
    message: Annotated[str, about("Why there are none.")]
    next_step: str
    minutes: int


class Metrics(MetricsFacts):
    """What Prometheus measured of a deployment."""

    series: list[Series]


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
