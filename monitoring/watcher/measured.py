"""Counts of the clusters that this watcher holds, renewed with each step of its loop."""

from collections import Counter
from collections.abc import Iterable

from deployments import metrics
from deployments.choices import Connection
from monitoring.watcher.cluster import ClusterWatch

NEVER = float("nan")
_told: set[str] = set()


def measure(watches: Iterable[ClusterWatch]) -> None:
    """What is measured of each cluster; one that is no longer ours is forgotten."""
    held = list(watches)
    words = Counter(watch.connection()[0] for watch in held)
    for word in Connection:
        metrics.CLUSTERS.labels(word.value).set(words[word])
    for watch in held:
        age = watch.age()
        metrics.PROOF_AGE.labels(watch.cluster.name).set(NEVER if age is None else age)
        metrics.QUEUE.labels(watch.cluster.name).set(len(watch.dirty))
    names = {watch.cluster.name for watch in held}
    for name in _told - names:
        metrics.PROOF_AGE.remove(name)
        metrics.QUEUE.remove(name)
    _told.clear()
    _told.update(names)
