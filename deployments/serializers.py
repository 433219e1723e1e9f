"""The API's bodies: what comes in, as strict models, and what goes out, as plain dicts of chosen keys.

No rule about a spec stands here: `spec.py` judges it. Unknown keys are refused and values do not change type.
"""

from typing import Annotated, Any, Self, cast

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from deployments import glance, shapes
from deployments import spec as specs
from deployments.choices import DriftPolicy, Role
from deployments.models import (
    AuditEntry,
    Cluster,
    ClusterStatus,
    Deployment,
    Membership,
    Project,
    Revision,
    SecretValue,
)
from deployments.shapes import SpecObject, about, words
from deployments.spec import Strict, Text

MAX_SECRET_CHARS = 64 * 1024


def a_drift_policy(text: str) -> str:
    """One of the words of `choices.DriftPolicy`."""
    if text not in list(DriftPolicy):
        raise ValueError(f"must be one of {', '.join(DriftPolicy)}")
    return text


def no_nul(text: str) -> str:
    """Neither an environment variable nor PostgreSQL can hold a NUL."""
    if "\0" in text:
        raise ValueError("contains a NUL")
    return text


# What `Text` refuses, for readers of the schema.
SHOWN = {"pattern": r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"}
Reason = Annotated[Text, StringConstraints(max_length=500), Field(json_schema_extra=SHOWN)]
Policy = Annotated[str, AfterValidator(a_drift_policy), words(DriftPolicy)]


# ---- in


class Act(Strict):
    """Any act, with why it was done."""

    reason: Reason = ""


class Create(Act):
    """POST deployments. `project` is the project's name or id."""

    project: Annotated[Text, StringConstraints(min_length=1, max_length=63)]
    name: Text
    spec: SpecObject
    drift_policy: Policy = DriftPolicy.HEAL.value


class Revise(Act):
    """PUT takes the whole spec; PATCH takes some of its parameters, each replaced as a whole."""

    spec: SpecObject


class Scale(Act):
    """How many replicas."""

    replicas: int


class RollBack(Act):
    """Which revision to go back to."""

    revision: int


class SetPolicy(Strict):
    """What happens when others change the objects."""

    drift_policy: Policy


class Nothing(Strict):
    """An act that takes no parameters."""


class StoreSecret(Strict):
    """A value that nobody reads again."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9_])?$")]
    value: Annotated[str, AfterValidator(no_nul), Field(min_length=1, max_length=MAX_SECRET_CHARS, repr=False)]


def a_role(text: str) -> str:
    """One of the words of `choices.Role`."""
    if text not in list(Role):
        raise ValueError(f"must be one of {', '.join(Role)}")
    return text


Held = Annotated[str, AfterValidator(a_role), words(Role)]
Named = Annotated[Text, StringConstraints(min_length=1, max_length=63)]


class CreateProject(Strict):
    """POST projects: one namespace of a cluster, which is given by name or id."""

    name: Named
    cluster: Named
    namespace: Named
    create_namespace: Annotated[bool, about("Make the namespace when it does not exist.")] = False


class RenameProject(Strict):
    """PATCH a project; nothing in the cluster restarts for it."""

    name: Named


class AddMember(Strict):
    """Who joins: either a user, by user name or e-mail address, or a group by its name."""

    user: Annotated[Text, StringConstraints(min_length=1, max_length=254)] | None = None
    group: Annotated[Text, StringConstraints(min_length=1, max_length=150)] | None = None
    role: Held

    @model_validator(mode="after")
    def one_holder(self) -> Self:
        if (self.user is None) == (self.group is None):
            raise ValueError("give either a user or a group")
        return self


class ChangeRole(Strict):
    """Another role."""

    role: Held


# ---- out


def place(project: Project) -> shapes.Place:
    """Where a deployment stands; `project.cluster` must be fetched."""
    return {
        "project": project.name,
        "project_id": project.pk,
        "namespace": project.namespace,
        "cluster": project.cluster.name,
        "cluster_id": project.cluster_id,
    }


def deployment(row: Deployment, newest: Revision) -> shapes.Deployment:
    """The intent alone: what was asked for, by whom. How it is stands under `status`."""
    return {
        "id": row.pk,
        "name": row.name,
        **place(row.project),
        "revision": newest.number,
        "spec": specs.dump(newest.spec),
        "author": newest.author_name,
        "reason": newest.reason,
        "drift_policy": row.drift_policy,
        "created_at": row.created_at,
        "changed_at": newest.created_at,
        "deleted_at": row.deleted_at,
    }


def listed(row: Deployment) -> shapes.DeploymentLine:
    """A row of the list, with how it is. Made from a row that `glance.listed` fetched, with no further query."""
    seen = glance.of(row)
    return {
        "id": row.pk,
        "name": row.name,
        **place(row.project),
        "llm": seen.llm,
        "runtime": seen.runtime,
        "revision": row.desired,
        "applied": row.applied,
        "drift_policy": row.drift_policy,
        "problem": row.problem,
        "health": seen.health.value,
        "sentence": seen.sentence,
        "ready": seen.ready,
        "wanted": seen.wanted,
        "gpus": seen.gpus,
        "stale": seen.stale,
        "seen_at": seen.seen_at,
        "changed_at": seen.changed_at,
        "created_at": row.created_at,
        "deleted_at": row.deleted_at,
    }


def revision_line(row: Revision) -> shapes.RevisionLine:
    """A revision without its spec."""
    return {
        "revision": row.number,
        "action": row.action,
        "author": row.author_name,
        "reason": row.reason,
        "created_at": row.created_at,
        "outcome": row.outcome,
        "outcome_at": row.outcome_at,
        "outcome_detail": row.outcome_detail,
    }


def revision(row: Revision, changes: list[dict[str, Any]]) -> shapes.Revision:
    """A revision with its spec and what it changed."""
    return {**revision_line(row), "spec": specs.dump(row.spec), "changes": cast(list[shapes.Change], changes)}


def audit_entry(row: AuditEntry) -> shapes.AuditEntry:
    """Who did what, when."""
    return {
        "id": row.pk,
        "at": row.at,
        "actor": row.actor_name,
        "action": row.action,
        "target_kind": row.target_kind,
        "target_id": row.target_id,
        "target": row.target_name,
        "project": row.project.name if row.project else None,
        "detail": row.detail,
        "request_id": row.request_id,
    }


def secret(row: SecretValue) -> shapes.Secret:
    """A secret without its value; `id` is what an `env` entry names."""
    return {"id": row.pk, "name": row.name, "version": row.version, "created_at": row.created_at}


def project(row: Project, role: str, actions: list[str]) -> shapes.Project:
    """A project, and what the caller may do there."""
    return {
        "id": row.pk,
        "name": row.name,
        "namespace": row.namespace,
        "cluster": row.cluster.name,
        "cluster_id": row.cluster_id,
        "created_at": row.created_at,
        "role": role,
        "may": actions,
    }


def member(row: Membership) -> shapes.Member:
    """Who holds a role; `user` and `group` must be fetched."""
    return {
        "id": row.pk,
        "user": row.user.get_username() if row.user else None,
        "group": row.group.name if row.group else None,
        "role": row.role,
    }


def cluster(row: Cluster) -> shapes.Cluster:
    """A cluster and its connection. Credentials and the Prometheus address stay here."""
    status = glance.related(row, "status", ClusterStatus) or ClusterStatus(cluster=row)
    return {
        "id": row.pk,
        "name": row.name,
        "api_url": row.api_url,
        "is_simulated": row.is_simulated,
        "created_at": row.created_at,
        "connection": status.connection,
        "message": status.message,
        "stale": status.is_stale,
        "seen_at": status.seen_at,
        "kubernetes_version": status.kubernetes_version,
        "nodes_known": status.nodes_known,
        "capacity": status.capacity,
        "notes": status.notes,
    }
