"""Pages of clusters: where is room?"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from deployments.choices import Connection, Shown
from deployments.models import Cluster, ClusterStatus, Deployment, NodeStatus
from deployments.sorting import in_order
from deployments.views.common import Request, clean, is_fragment
from monitoring import conditions
from monitoring import overview as parts
from monitoring.nodes import PAGE_SIZE, listed

SORTS = {
    "name": ["name"],
    "nodes": ["node_count", "name"],
    "version": ["status__kubernetes_version", "name"],
    "heard": ["status__seen_at", "name"],
}


class Answers(Shown):
    """Whether a cluster answers: it is connected, and was heard of lately."""

    YES = "connected", "Connected", "green", "check"
    NO = "silent", "Not connected", "red", "plug"


@dataclass(frozen=True)
class ClusterView:
    """A cluster as pages show it: never better than its age allows."""

    connection: Connection
    message: str
    stale: bool
    seen_at: datetime | None
    version: str
    gpus_total: int
    gpus_used: int
    nodes_known: bool
    notes: list[str] = field(default_factory=list)


def seen(cluster: Cluster) -> ClusterView:
    """What is known of a cluster now."""
    status = getattr(cluster, "status", None) or ClusterStatus()
    gpus = status.capacity.get("gpus", [])
    return ClusterView(
        connection=Connection(status.connection),
        message=status.message,
        stale=status.is_stale,
        seen_at=status.seen_at,
        version=status.kubernetes_version,
        gpus_total=sum(row["total"] for row in gpus if not parts.is_slice(row)),
        gpus_used=sum(row["used"] for row in gpus if not parts.is_slice(row)),
        nodes_known=status.nodes_known,
        notes=status.notes,
    )


def visible(request: Request) -> QuerySet[Cluster]:
    """The clusters that the person may see."""
    return Cluster.objects.visible_to(request.user).select_related("status")


def clusters(request: Request) -> HttpResponse:
    """Where is room, and which clusters answer?"""
    filters, rows = read_filters(request), counted(visible(request))
    states = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    page: Page[Any] = Paginator(chosen(rows, filters), PAGE_SIZE).get_page(request.GET.get("page"))
    for row in page.object_list:
        row.view = seen(row)
    context = {
        "page": page,
        "filters": filters,
        "states": [{"look": state, "count": states.get(state.value, 0)} for state in Answers],
        "total": sum(states.values()),
        "is_boss": request.user.is_superuser,
    }
    template = "monitoring/_clusters.html" if is_fragment(request) else "monitoring/clusters.html"
    return render(request, template, context)


def counted(rows: QuerySet[Cluster]) -> QuerySet[Any]:
    """With the number of nodes, and whether the cluster answers."""
    limit = timezone.now() - timedelta(seconds=settings.LLMDASH["STALE_SECONDS"])
    heard = Q(status__connection=Connection.CONNECTED, status__seen_at__gt=limit)
    nodes = NodeStatus.objects.filter(cluster=OuterRef("pk")).order_by().values("cluster").annotate(count=Count("pk"))
    return rows.annotate(
        node_count=Coalesce(Subquery(nodes.values("count")), 0),
        state=Case(When(heard, then=Value(Answers.YES.value)), default=Value(Answers.NO.value)),
    )


def read_filters(request: Request) -> dict[str, str]:
    """The state of the list from its address; what is not known there is ignored."""
    given = {key: clean(request.GET.get(key, "")) for key in ("q", "state", "sort")}
    if given["sort"].removeprefix("-") not in SORTS:
        given["sort"] = "name"
    if given["state"] not in list(Answers):
        given["state"] = ""
    return given


def chosen(rows: QuerySet[Any], filters: dict[str, str]) -> QuerySet[Any]:
    """The clusters that the filters leave, in order."""
    if text := filters["q"]:
        rows = rows.filter(Q(name__icontains=text) | Q(api_url__icontains=text))
    if filters["state"]:
        rows = rows.filter(state=filters["state"])
    return in_order(rows, filters["sort"], SORTS)


def cluster(request: Request, pk: uuid.UUID) -> HttpResponse:
    """One cluster: where is room and what waits for it; below stand its nodes, which are a live part of their own."""
    row, status, names = fetch(request, pk)
    context = {
        "cluster": row,
        "view": seen(row),
        "capacity": status.capacity.get("gpus", []),
        "conditions": conditions.of(row, status),
        "is_boss": request.user.is_superuser,
        "unknown": status.unknown if request.user.is_superuser else [],
        "pending": [waiting(pod, names) for pod in status.pending if may_see(pod, names, request)],
    }
    if is_fragment(request):
        return render(request, "monitoring/_cluster.html", context)
    return render(request, "monitoring/cluster.html", context | listed(request, row, status, names))


def nodes(request: Request, pk: uuid.UUID) -> HttpResponse:
    """The nodes of a cluster's page, for a live update of them."""
    return render(request, "monitoring/_nodes.html", listed(request, *fetch(request, pk)))


def fetch(request: Request, pk: uuid.UUID) -> tuple[Cluster, ClusterStatus, dict[str, str]]:
    """A cluster, how it is, and the names of the deployments on it that the person may see, by id."""
    row = get_object_or_404(visible(request), pk=pk)
    found = Deployment.objects.visible_to(request.user).filter(project__cluster=row).values_list("pk", "name")
    return row, getattr(row, "status", None) or ClusterStatus(), {str(key): name for key, name in found}


def may_see(pod: dict[str, Any], names: dict[str, str], request: Request) -> bool:
    """A platform admin sees every waiting pod, others those of their deployments."""
    return request.user.is_superuser or pod["deployment"] in names


def waiting(pod: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A waiting pod with the page of its deployment."""
    known = pod["deployment"] in names
    return pod | {"url": reverse("deployments:detail", args=[pod["deployment"]]) if known else ""}
