"""The rows of deployments: what was asked for, what was applied, and what the watcher saw."""

from deployments.models.audit import AuditEntry
from deployments.models.cluster import Cluster
from deployments.models.deployment import AppliedObject, Deployment
from deployments.models.idempotency import IdempotencyKey
from deployments.models.observed import ClusterStatus, DeploymentStatus, NodeStatus, ServedRevision
from deployments.models.probe import WriteProbe
from deployments.models.project import Membership, Project
from deployments.models.revision import Revision
from deployments.models.secret import SecretValue
from deployments.models.signal import Signal

__all__ = [
    "AppliedObject",
    "AuditEntry",
    "Cluster",
    "ClusterStatus",
    "Deployment",
    "DeploymentStatus",
    "IdempotencyKey",
    "Membership",
    "NodeStatus",
    "Project",
    "Revision",
    "SecretValue",
    "ServedRevision",
    "Signal",
    "WriteProbe",
]
