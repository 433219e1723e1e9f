"""What the API answers, key by key: `serializers` makes it, mypy compares, the OpenAPI document tells it."""

from datetime import datetime
from enum import StrEnum
from typing import (
    Annotated,
    Any,
    NotRequired,  # pydantic takes only these before Python 3.12
)
from uuid import UUID

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from deployments.access import Can
from deployments.choices import Action, Connection, DriftPolicy, Health, Outcome, Problem, PrometheusAuth, Role

SPEC = "x-spec"
FOUND = ("deployment", "project", "cluster", "member")


def words(kind: type[StrEnum], *more: str) -> Any:
    """Marks a text that is one of the kind's values."""
    return WithJsonSchema({"type": "string", "enum": [*more, *(member.value for member in kind)]})


def about(text: str) -> Any:
    """What a key means, where its name does not say it."""
    return Field(description=text)


# Judged by spec.py; the document names the schema of a spec in its place.
SpecObject = Annotated[dict[str, Any], WithJsonSchema({SPEC: True})]
HealthWord = Annotated[str, words(Health)]
PolicyWord = Annotated[str, words(DriftPolicy)]
ProblemWord = Annotated[str, words(Problem, ""), about("Why it is not applied yet; empty when it is.")]
RoleWord = Annotated[str, words(Role)]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]


class Place(TypedDict):
    """Where a deployment stands."""

    project: str
    project_id: UUID
    namespace: str
    cluster: str
    cluster_id: UUID


class Deployment(Place):
    """The intent alone: what was asked for, by whom. How it is stands under `status`."""

    id: UUID
    name: str
    revision: Number
    spec: SpecObject
    author: str
    reason: str
    drift_policy: PolicyWord
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None


class DeploymentLine(Place):
    """A deployment in a list, with how it is."""

    id: UUID
    name: str
    llm: str
    runtime: str
    revision: Number
    applied: Annotated[Count, about("The newest revision that the cluster took; 0 for none.")]
    drift_policy: PolicyWord
    problem: ProblemWord
    health: HealthWord
    sentence: Annotated[str, about("The cause, for people.")]
    ready: Count
    wanted: Count
    gpus: Count
    stale: Annotated[bool, about("The cluster was last heard of too long ago.")]
    seen_at: datetime | None
    changed_at: datetime | None
    created_at: datetime
    deleted_at: datetime | None


class Change(TypedDict):
    """One leaf that differs."""

    field: str
    before: Any
    after: Any


class RevisionLine(TypedDict):
    """A revision without its spec."""

    revision: Number
    action: Annotated[str, words(Action)]
    author: str
    reason: str
    created_at: datetime
    outcome: Annotated[str, words(Outcome)]
    outcome_at: datetime | None
    served_at: Annotated[datetime | None, about("When it was first seen to serve on all of its replicas.")]
    outcome_detail: dict[str, Any]


class Revision(RevisionLine):
    """A revision with its spec and what it changed."""

    spec: SpecObject
    changes: list[Change]


class AuditEntry(TypedDict):
    """Who did what, when."""

    id: Number
    at: datetime
    actor: str
    action: str
    target_kind: str
    target_id: str
    target: str
    project: str | None
    detail: dict[str, Any]
    request_id: str


class Secret(TypedDict):
    """A secret without its value; `id` is what an `env` entry of a spec names."""

    id: UUID
    name: str
    version: Number
    created_at: datetime


class Project(TypedDict):
    """A project, and what the caller may do there."""

    id: UUID
    name: str
    namespace: str
    cluster: str
    cluster_id: UUID
    created_at: datetime
    role: Annotated[str, words(Role, "")]
    may: list[Annotated[str, words(Can)]]


class Use(TypedDict):
    """What a project holds."""

    deployments: Count
    gpus: Annotated[Count, about("Held by its pods, slices counted as one each.")]
    members: Count
    stale: Annotated[bool, about("The cluster was last heard of too long ago; then `gpus` is the last known number.")]
    seen_at: datetime | None


class ProjectLine(Project, Use):
    """A project in a list, with what it holds."""


class Member(TypedDict):
    """A person or a group with a role in a project; one of `user` and `group` is null."""

    id: UUID
    user: Annotated[str | None, about("The user name.")]
    group: str | None
    role: RoleWord


class Found(TypedDict):
    """Something that a search found."""

    kind: Annotated[str, WithJsonSchema({"type": "string", "enum": list(FOUND)})]
    id: UUID
    name: str
    where: Annotated[str, about("The project of a deployment or a member, the cluster of a project.")]
    url: Annotated[str, about("Its address in this API.")]


class Search(TypedDict):
    """What was found: those whose name begins with the words first, then by kind and name."""

    results: list[Found]


class Cluster(TypedDict):
    """A cluster and the state of its connection."""

    id: UUID
    name: str
    api_url: str
    is_simulated: bool
    created_at: datetime
    connection: Annotated[str, words(Connection)]
    message: str
    stale: bool
    seen_at: datetime | None
    kubernetes_version: str
    nodes_known: bool
    capacity: dict[str, Any]
    notes: list[str]


class ClusterSettings(TypedDict):
    """How a cluster is reached, what measures it and what it is open to. No credential is among it."""

    id: UUID
    name: str
    api_url: str
    ca_pem: str
    tls_server_name: str
    credentials_changed_at: datetime | None
    credentials_expire_at: Annotated[datetime | None, about("As told in them; null when no end is told.")]
    prometheus_url: str
    prometheus_auth: Annotated[str, words(PrometheusAuth)]
    prometheus_user: str
    prometheus_ca_pem: str
    prometheus_tenant_header: str
    prometheus_tenant: str
    prometheus_matchers: Annotated[str, about("PromQL label matchers that stand in every question.")]
    allowed_namespaces: Annotated[list[str], about("Names or patterns; none allows all.")]
    max_in_flight: Annotated[int, about("Deployments applied at a time.")]
    identity: Annotated[str, about("The uid of kube-system that a platform admin accepted; empty for the first seen.")]


class Log(TypedDict):
    """Lines of a pod's log, without the codes that move and colour a terminal."""

    pod: str
    text: str


class DryRun(TypedDict):
    """What a request would do that is only tried."""

    spec: SpecObject
    changes: Annotated[list[Change], about("What differs from what stands now; empty when nothing would change.")]


class Left(TypedDict):
    """What stays in a cluster that is forgotten."""

    left: Annotated[list[str], about("Objects: kind, namespace and name.")]


class Fault(TypedDict):
    """One thing that is wrong with a request."""

    pointer: Annotated[str, about("Where in the body, as a JSON pointer (RFC 6901).")]
    detail: str


class NewestRevision(TypedDict):
    """Who made the revision that stands now."""

    revision: Number
    author: str
    created_at: datetime


class ProblemDetails(TypedDict):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: Annotated[str, about("For people.")]
    request_id: Annotated[str, about("Finds the lines of the log.")]
    code: NotRequired[Annotated[str, about("For programs, where the status does not say it all.")]]
    errors: NotRequired[list[Fault]]
    newest: NotRequired[Annotated[NewestRevision, about("Of a 412.")]]
    changes: NotRequired[Annotated[list[Change], about("What changed since the revision that If-Match named.")]]
