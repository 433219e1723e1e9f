"""Asking a cluster while a person waits: Kubernetes by `deployments.reads`, Prometheus beside it."""

from typing import TYPE_CHECKING, cast

from deployments import reads, services
from deployments.models import Cluster, Deployment
from monitoring.services import test_prometheus
from monitoring.shapes import Report

if TYPE_CHECKING:
    from llmdash.accounts.models import User

MOST_NAMESPACES = 10


def report(cluster: Cluster) -> Report:
    """What a test finds of a cluster, stored or not yet. Nothing is written."""
    namespaces = [name for name in cluster.allowed_namespaces if "*" not in name]
    if not cluster._state.adding:
        namespaces += cluster.projects.order_by("name").values_list("namespace", flat=True)[:MOST_NAMESPACES]
    found = cast(Report, reads.test_connection(cluster, namespaces))
    found["prometheus"] = None
    if cluster.prometheus_url:
        works, sentence = test_prometheus(cluster)
        found["prometheus"] = {"ok": works, "message": sentence}
    return found


def report_of_new(cluster: Cluster) -> Report:
    """What a test finds of a cluster that is to be registered. Raises Refused for one that is known by another name."""
    found = report(cluster)
    if twin := cluster.twins(found["identity"]).first():
        raise services.Refused(f"This cluster is registered already, as {twin}: their kube-system has the same uid.")
    return found


def test_and_keep(cluster: Cluster) -> Report:
    """Test a stored cluster and keep what was found."""
    found = report(cluster)
    services.keep_report(cluster=cluster, report=dict(found))
    return found


def running(deployment: Deployment, by: "User") -> reads.Running:
    """What runs under the name of a deployment, saved or not. Raises Refused when the cluster does not say."""
    live, unread = reads.running(deployment, actor=by.get_username())
    if live is None:
        raise services.Refused(f"{unread.title}: {unread.detail} {unread.next}" if unread else "")
    return live
