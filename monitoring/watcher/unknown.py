"""Deployments that stand in a cluster by our labels and that the database does not know: it was restored from an older
backup. They are told of and left alone."""

from typing import TYPE_CHECKING, Any

from deployments.manifests import labels
from deployments.models import Deployment
from monitoring.watcher.storable import storable

if TYPE_CHECKING:
    from monitoring.objects import Loose
    from monitoring.watcher.cluster import ClusterWatch

KEPT = 200


class Unknown:
    """What of one cluster the database does not know. Called by one thread only."""

    def __init__(self, watch: "ClusterWatch") -> None:
        self.watch = watch
        self.rows: list[dict[str, Any]] = []
        self.asked: tuple[object, ...] = ()

    def look(self, known: set[str]) -> list[dict[str, Any]]:
        """The rows, [{"id", "namespace", "name", "revision"}]; `known` are the ids of this cluster's deployments. The
        database is asked when these or the objects have changed, and tombstones are known, too."""
        shelf = self.watch.shelves["Deployment"]
        state = (shelf.generation, frozenset(known))
        if state == self.asked:
            return self.rows
        strangers = {pk: shelf.of(pk) for pk in shelf.owners() - known}
        rows = Deployment.objects.filter(pk__in=list(strangers)).values_list("pk", flat=True) if strangers else []
        found = [row(item) for pk in strangers.keys() - {str(pk) for pk in rows} for item in strangers[pk]]
        found.sort(key=lambda one: (one["namespace"], one["name"], one["id"]))
        self.rows, self.asked = found[:KEPT], state
        return self.rows


def row(item: "Loose") -> dict[str, Any]:
    """One of them."""
    meta = item.metadata
    return {
        "id": meta.label(labels.DEPLOYMENT_ID), "namespace": storable(meta.namespace), "name": storable(meta.name),
        "revision": labels.revision({"annotations": meta.annotations}),
    }  # fmt: skip
