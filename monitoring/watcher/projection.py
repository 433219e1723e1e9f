"""From what the feeds brought to the observed rows, in rounds."""

from typing import TYPE_CHECKING

from deployments.models import Project
from monitoring.watcher.deployments import DeploymentRows
from monitoring.watcher.nodes import ClusterRows

if TYPE_CHECKING:
    from monitoring.watcher.cluster import ClusterWatch


class Projection:
    """One cluster's rows. Called by one thread only; `in_hand` are the deployments of the round under way."""

    def __init__(self, watch: "ClusterWatch") -> None:
        self.watch = watch
        self.in_hand: set[str] = set()
        self.deployments = DeploymentRows(watch)
        self.cluster = ClusterRows(watch, lambda: self.deployments.seen)

    def namespaces(self) -> set[str]:
        """The namespaces of the cluster's projects."""
        return set(Project.objects.filter(cluster=self.watch.cluster).values_list("namespace", flat=True))

    def write(self) -> None:
        """One round: our rows that moved, deployments that were touched, nodes, and the cluster itself."""
        self.watch.follow_namespaces(self.namespaces())
        self.in_hand = self.watch.take_dirty() | self.deployments.moved_rows()
        if self.in_hand:
            self.deployments.write(self.in_hand)
            self.in_hand = set()
        self.cluster.write_nodes()
        self.cluster.write_cluster()
