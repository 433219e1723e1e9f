"""Which watcher watches which cluster: a lease on ClusterStatus, on the database's clock."""

import os
import socket
import uuid
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from deployments.models import Cluster, ClusterStatus

ME = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def seconds() -> float:
    """How long a watcher that died keeps the others waiting: twice as long as a worker does."""
    return 2 * float(settings.LLMDASH["LEASE_SECONDS"])


def hold(cluster: Cluster) -> bool:
    """Take or renew the lease; False while another watcher has it."""
    ClusterStatus.objects.get_or_create(cluster=cluster)
    free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=Now()) | Q(lease_owner=ME)
    rows = ClusterStatus.objects.filter(free, cluster=cluster)
    return bool(rows.update(lease_owner=ME, lease_expires_at=Now() + timedelta(seconds=seconds())))


def still(cluster: Cluster) -> bool:
    """Whether the lease is ours now; asked in the transaction of a write, it stays so until the commit."""
    mine = ClusterStatus.objects.select_for_update().filter(cluster=cluster, lease_owner=ME, lease_expires_at__gt=Now())
    return mine.values_list("pk", flat=True).first() is not None


def drop() -> None:
    """Give every lease back, so that another watcher need not wait for its end."""
    ClusterStatus.objects.filter(lease_owner=ME).update(lease_owner="", lease_expires_at=None)
