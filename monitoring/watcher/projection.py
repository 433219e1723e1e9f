"""From what the feeds brought to the observed rows, in rounds."""

import time
from typing import TYPE_CHECKING

from deployments.models import Project
from monitoring.watcher.deployments import DeploymentRows
from monitoring.watcher.nodes import ClusterRows

if TYPE_CHECKING:
    from monitoring.watcher.cluster import ClusterWatch

ROWS_EVERY_SECONDS = 1.0


class Projection:
    """One cluster's rows. Called by one thread only; `in_hand` are the deployments of the round under way."""

    def __init__(self, watch: "ClusterWatch") -> None:
        self.watch = watch
        self.in_hand: set[str] = set()
        self.looked_at = 0.0
        self.deployments = DeploymentRows(watch)
        self.cluster = ClusterRows(watch, self.deployments)

    def namespaces(self) -> set[str]:
        """The namespaces of the cluster's projects."""
        return set(Project.objects.filter(cluster=self.watch.cluster).values_list("namespace", flat=True))

    def rows(self) -> set[str]:
        """Once a second, however often the feeds wake us: new namespaces to follow, and deployments whose own
        rows moved."""
        now = time.monotonic()
        if now - self.looked_at < ROWS_EVERY_SECONDS:
            return set()
        self.looked_at = now
        self.watch.follow_namespaces(self.namespaces())
        return self.deployments.moved_rows()

    def write(self) -> None:
        """One round: our rows that moved, deployments that were touched, nodes, and the cluster itself."""
        self.in_hand = self.watch.take_dirty() | self.rows()
        if self.in_hand:
            self.deployments.write(self.in_hand)
            self.in_hand = set()
        self.cluster.write_nodes()
        self.cluster.write_cluster()
