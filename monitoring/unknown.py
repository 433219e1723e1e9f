"""Deployments that a cluster has and the database does not, after it was restored: what they are, and adopting one."""

import uuid
from typing import TYPE_CHECKING, Any

from deployments import services
from deployments.models import Cluster, ClusterStatus, Deployment, Project
from monitoring.connections import running

if TYPE_CHECKING:
    from llmdash.accounts.models import User


def found(cluster: Cluster, deployment_id: uuid.UUID) -> dict[str, Any] | None:
    """What the watcher says of one, in the shape of `ClusterStatus.unknown`; None when it sees none of this id."""
    status = getattr(cluster, "status", None) or ClusterStatus()
    return next((row for row in status.unknown if row["id"] == str(deployment_id)), None)


def adopt(cluster: Cluster, deployment_id: uuid.UUID, by: "User") -> Deployment:
    """Take one into the database, as it runs. Raises Refused, ValidationError."""
    row = found(cluster, deployment_id)
    if row is None:
        raise services.NothingChanged("The cluster has no deployment of this id that the database does not know.")
    project = Project.objects.filter(cluster=cluster, namespace=row["namespace"]).select_related("cluster").first()
    if project is None:
        raise services.Refused(f"Make a project of namespace {row['namespace']} first.")
    made = Deployment(pk=uuid.UUID(row["id"]), project=project, name=row["name"])
    live = running(made, by)
    if live.deployment_id != row["id"]:
        raise services.Refused("Another object stands there now.")
    return services.adopt_unknown(deployment=made, spec=live.spec, live=live.revision, by=by)
