"""What the API answers, as plain dicts of chosen keys; `shapes` tells each."""

from typing import Any, cast

from deployments import glance, lines, shapes
from deployments import spec as specs
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


def revision_line(row: Any) -> shapes.RevisionLine:
    """A revision without its spec, as `Revision.objects.with_served` gives it."""
    return {
        "revision": row.number,
        "action": row.action,
        "author": row.author_name,
        "reason": row.reason,
        "created_at": row.created_at,
        "outcome": row.outcome,
        "outcome_at": row.outcome_at,
        "served_at": row.served_at,
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
