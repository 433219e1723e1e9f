"""What the watcher saw. Written by the watcher only; all of it can be rebuilt from the cluster."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Value
from django.utils import timezone

from deployments.choices import Connection, Health
from deployments.models.cluster import Cluster
from deployments.models.deployment import Deployment


def too_old(seen_at: datetime | None) -> bool:
    """Whether what was heard of a cluster then may not be told as how it is."""
    limit = timedelta(seconds=settings.LLMDASH["STALE_SECONDS"])
    return seen_at is None or timezone.now() - seen_at > limit


class ClusterStatus(models.Model):
    """How the connection to a cluster is, and who watches it.

    `seen_at` is when the slowest watch last proved that it lives; `capacity` is GPUs by type as
    `monitoring.capacity` counts them; `notes` are conditions in words, such as "not allowed to list nodes".
    `unknown` are deployments that stand there by our labels and that the database does not know, [{"id", "namespace",
    "name", "revision"}]: it was restored from an older backup. Nothing is done to them.
    `identity` is the uid of the kube-system namespace of the cluster that answered first, `answering` of the one that
    answers now; "" when it may not be read.
    """

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, primary_key=True, related_name="status")
    connection = models.CharField(max_length=20, choices=Connection.pairs(), default=Connection.NEVER)
    message = models.TextField(blank=True)
    since = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    kubernetes_version = models.CharField(max_length=60, blank=True)
    identity = models.CharField(max_length=64, blank=True, default="", db_default="")
    answering = models.CharField(max_length=64, blank=True, default="", db_default="")
    nodes_known = models.BooleanField(default=False)
    capacity = models.JSONField(default=dict, blank=True)
    pending = models.JSONField(default=list, blank=True)
    notes = models.JSONField(default=list, blank=True)
    unknown = models.JSONField(default=list, db_default=Value([], models.JSONField()), blank=True)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    seq = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "cluster statuses"

    def __str__(self) -> str:
        return f"{self.cluster_id}: {self.connection}"

    @property
    def is_stale(self) -> bool:
        """True when nothing was heard for LLMDASH_STALE_SECONDS."""
        return too_old(self.seen_at)

    @staticmethod
    def identity_of(cluster: Cluster) -> str:
        """The identity that a cluster must have; "" while any will do."""
        if cluster.identity:
            return cluster.identity
        return ClusterStatus.objects.filter(cluster=cluster).values_list("identity", flat=True).first() or ""

    @property
    def connection_look(self) -> Connection:
        return Connection(self.connection)


class ServedRevision(models.Model):
    """A revision that was seen to serve on all of its replicas."""

    id = models.BigAutoField(primary_key=True)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="served")
    number = models.PositiveIntegerField()
    first_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["deployment", "number"], name="served_once")]

    def __str__(self) -> str:
        return f"revision {self.number} of {self.deployment_id}"


class NodeStatus(models.Model):
    """A node: what GPUs it has and who holds them.

    `gpus` is [{"resource", "product", "memory_mib", "allocatable", "used", "owners": [{"pod", "namespace",
    "count", "deployment"}]}].
    """

    id = models.BigAutoField(primary_key=True)
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="nodes")
    name = models.CharField(max_length=253)
    ready = models.BooleanField(default=False)
    schedulable = models.BooleanField(default=True)
    message = models.TextField(blank=True)
    gpus = models.JSONField(default=list, blank=True)
    cpu_millis = models.BigIntegerField(default=0)
    cpu_millis_used = models.BigIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0)
    memory_bytes_used = models.BigIntegerField(default=0)
    pods = models.PositiveIntegerField(default=0)
    taints = models.JSONField(default=list, blank=True)
    kubelet_version = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    seq = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "node statuses"
        constraints = [models.UniqueConstraint(fields=["cluster", "name"], name="node_once")]

    def __str__(self) -> str:
        return self.name


class DeploymentStatus(models.Model):
    """How a Deployment is, in one row with its pods, so that lists sort and filter by it in one query.

    `pods`, `events`, `stages` and `drift` are lists of dicts whose shapes stand in `monitoring.status`.
    `observed_revision` is the revision annotation seen on the live Deployment object.
    """

    deployment = models.OneToOneField(Deployment, on_delete=models.CASCADE, primary_key=True, related_name="status")
    health = models.CharField(max_length=20, choices=Health.pairs(), default=Health.UNKNOWN)
    health_rank = models.PositiveSmallIntegerField(default=0)
    sentence = models.TextField(blank=True)
    ready = models.PositiveIntegerField(default=0)
    wanted = models.PositiveIntegerField(default=0)
    gpus = models.PositiveIntegerField(default=0)
    observed_revision = models.PositiveIntegerField(default=0)
    rollout = models.CharField(max_length=20, blank=True)
    pods = models.JSONField(default=list, blank=True)
    events = models.JSONField(default=list, blank=True)
    drift = models.JSONField(default=list, blank=True)
    endpoint = models.JSONField(default=dict, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    seq = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "deployment statuses"

    def __str__(self) -> str:
        return f"{self.deployment_id}: {self.health}"
