"""The API's bodies: what comes in, as strict models, and what goes out, as plain dicts of chosen keys.

No rule about a spec stands here: `spec.py` judges it. Unknown keys are refused and values do not change type.
"""

import uuid
from typing import Annotated, Any, Self, cast

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from deployments import glance, lines, shapes
from deployments import spec as specs
from deployments.choices import DriftPolicy, Newer, PrometheusAuth, Role
from deployments.kubeconfig import MAX_CHARS
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
from deployments.models.secret import MAX_SECRET_CHARS
from deployments.rules import Text, Written
from deployments.shapes import SpecObject, about, words
from deployments.spec import Strict

KEPT_AS = r"^[A-Za-z0-9_]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9_])?$"
KEPT_AS_RULE = (
    "must have letters, digits, dashes, dots and underscores, the first and last none of dash and dot, such as hf_token"
)


def a_drift_policy(text: str) -> str:
    """One of the words of `choices.DriftPolicy`."""
    if text not in list(DriftPolicy):
        raise ValueError(f"must be one of {', '.join(DriftPolicy)}")
    return text


def a_choice(text: str) -> str:
    """One of the words of `choices.Newer`."""
    if text not in list(Newer):
        raise ValueError(f"must be one of {', '.join(Newer)}")
    return text


def no_nul(text: str) -> str:
    """Neither an environment variable nor PostgreSQL can hold a NUL."""
    if "\0" in text:
        raise ValueError("contains a NUL")
    return text


Reason = Annotated[Text, StringConstraints(max_length=500)]
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


class Choose(Strict):
    """What holds where the cluster is newer than the database."""

    choice: Annotated[str, AfterValidator(a_choice), words(Newer)]


class AdoptUnknown(Strict):
    """Which of the deployments that a cluster has and the database does not know."""

    deployment: Annotated[uuid.UUID, Field(strict=False)]


class Nothing(Strict):
    """An act that takes no parameters."""


class StoreSecret(Strict):
    """A value that nobody reads again."""

    name: Annotated[str, Written(KEPT_AS, KEPT_AS_RULE)]
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


Line = Annotated[Text, StringConstraints(max_length=500)] | None
Pem = Annotated[Text, StringConstraints(max_length=MAX_SECRET_CHARS)] | None
Kubeconfig = Annotated[str | None, Field(max_length=MAX_CHARS, repr=False, description="Written, never read.")]
Hidden = Annotated[str | None, Field(max_length=16 * 1024, repr=False, description="Written, never read.")]


def a_sign_in(text: str) -> str:
    """One of the words of `choices.PrometheusAuth`."""
    if text not in list(PrometheusAuth):
        raise ValueError(f"must be one of {', '.join(PrometheusAuth)}")
    return text


class ChangeCluster(Strict):
    """What to change of a cluster; what is left out, or null, stays. A kubeconfig brings address, CA, credentials."""

    name: Named | None = None
    kubeconfig: Kubeconfig = None
    api_url: Line = None
    token: Hidden = None
    ca_pem: Pem = None
    tls_server_name: Line = None
    prometheus_url: Line = None
    prometheus_auth: Annotated[str, AfterValidator(a_sign_in), words(PrometheusAuth)] | None = None
    prometheus_user: Line = None
    prometheus_secret: Hidden = None
    prometheus_ca_pem: Pem = None
    prometheus_tenant_header: Line = None
    prometheus_tenant: Line = None
    prometheus_matchers: Line = None
    allowed_namespaces: Annotated[list[Named], Field(max_length=50)] | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=64)] | None = None


class RegisterCluster(ChangeCluster):
    """A new cluster: a kubeconfig, or an address with a token."""

    name: Named


class AcceptIdentity(Strict):
    """The identity that the caller saw answering."""

    identity: Annotated[Text, StringConstraints(min_length=1, max_length=64)]


class ForgetCluster(Strict):
    """Its name, against mistakes."""

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


def listed(line: lines.Line) -> shapes.DeploymentLine:
    """A row of the list, with how it is."""
    return {
        "id": line.pk,
        "name": line.name,
        "project": line.project,
        "project_id": line.project_id,
        "namespace": line.namespace,
        "cluster": line.cluster,
        "cluster_id": line.cluster_id,
        "llm": line.llm,
        "runtime": line.runtime_label,
        "revision": line.desired,
        "applied": line.applied,
        "drift_policy": line.drift_policy,
        "problem": line.problem,
        "health": line.health,
        "sentence": line.sentence,
        "ready": line.ready,
        "wanted": line.wanted,
        "gpus": line.gpus,
        "stale": line.stale,
        "seen_at": line.seen_at,
        "changed_at": line.changed_at,
        "created_at": line.created_at,
        "deleted_at": line.deleted_at,
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


def use(row: Any) -> shapes.Use:
    """What a project holds, as `projects.counted` gives it."""
    status = glance.related(row.cluster, "status", ClusterStatus) or ClusterStatus()
    return {
        "deployments": row.deployment_count,
        "gpus": row.gpus,
        "members": row.member_count,
        "stale": status.is_stale,
        "seen_at": status.seen_at,
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


def cluster_settings(row: Cluster) -> shapes.ClusterSettings:
    """How a cluster is reached. No credential is among it."""
    return {
        "id": row.pk,
        "name": row.name,
        "api_url": row.api_url,
        "ca_pem": row.ca_pem,
        "tls_server_name": row.tls_server_name,
        "credentials_changed_at": row.credentials_changed_at,
        "credentials_expire_at": row.credentials_expire_at,
        "prometheus_url": row.prometheus_url,
        "prometheus_auth": row.prometheus_auth,
        "prometheus_user": row.prometheus_user,
        "prometheus_ca_pem": row.prometheus_ca_pem,
        "prometheus_tenant_header": row.prometheus_tenant_header,
        "prometheus_tenant": row.prometheus_tenant,
        "prometheus_matchers": row.prometheus_matchers,
        "allowed_namespaces": row.allowed_namespaces,
        "max_in_flight": row.max_in_flight,
        "identity": row.identity,
    }
