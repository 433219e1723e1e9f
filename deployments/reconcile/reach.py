"""The way to a row's cluster."""

from deployments import kube
from deployments.models import Cluster, ClusterStatus


def reach(cluster: Cluster) -> kube.Connection:
    """The connection to a cluster that is the one we know. Raises KubeError, CannotOpen.

    Another cluster at the same address would get every object, and would know none of those that were made.
    """
    connection = kube.connect(cluster)
    kube.recognise(connection, ClusterStatus.identity_of(cluster))
    return connection
