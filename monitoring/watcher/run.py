"""The watcher's loop: which clusters are there, which do we hold, are they watched."""

import gc
import threading
from uuid import UUID

import structlog
from django.db import Error, close_old_connections

from deployments import metrics
from deployments.models import Cluster
from monitoring.watcher import lease, measured
from monitoring.watcher.cluster import ClusterWatch, stamp

log = structlog.get_logger(__name__)
EVERY_SECONDS = 2.0
# Tens of thousands of objects live long here: with the usual (700, 10, 10) the collector looks at them all the time,
# which is a fifth of a cold sync.
COLLECT_AFTER = (50_000, 20, 50)


def run(stop: threading.Event) -> None:
    """Watch every cluster whose lease we get, until `stop`."""
    gc.set_threshold(*COLLECT_AFTER)
    watched: dict[UUID, ClusterWatch] = {}
    while not stop.is_set():
        metrics.beat("clusters")
        close_old_connections()
        try:
            step(watched)
        except Error:
            log.exception("the database does not answer; the watches go on")
        measured.measure(watched.values())
        stop.wait(EVERY_SECONDS)
    for watch in watched.values():
        watch.end()
    try:
        lease.drop()
    except Error:
        log.exception("the leases could not be given back; they end by themselves")


def step(watched: dict[UUID, ClusterWatch]) -> None:
    """Begin, end and renew watches so that they match the clusters that there are."""
    held = {cluster.pk: cluster for cluster in Cluster.objects.all() if lease.hold(cluster)}
    for pk in [pk for pk, watch in watched.items() if pk not in held or stamp(held[pk]) != watch.stamp]:
        watched.pop(pk).end()
    for pk, cluster in held.items():
        if pk not in watched:
            log.info("watching", cluster=cluster.name)
            watched[pk] = ClusterWatch(cluster)
            watched[pk].begin()
