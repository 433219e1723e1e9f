"""Pages of clusters, and the charts of a deployment."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from deployments.choices import Connection
from deployments.models import Cluster, ClusterStatus, Deployment, NodeStatus
from deployments.views.common import Request, is_fragment
from monitoring import services

CELLS_A_KIND = 128


@dataclass(frozen=True)
class ClusterView:
    """A cluster as pages show it: never better than its age allows."""

    connection: Connection
    message: str
    stale: bool
    seen_at: datetime | None
    version: str
    nodes: int
    gpus_total: int
    gpus_used: int
    nodes_known: bool
    notes: list[str] = field(default_factory=list)


def seen(cluster: Cluster, nodes: int) -> ClusterView:
    """What is known of a cluster now."""
    status = getattr(cluster, "status", None) or ClusterStatus()
    gpus = status.capacity.get("gpus", [])
    return ClusterView(
        connection=Connection(status.connection),
        message=status.message,
        stale=status.is_stale,
        seen_at=status.seen_at,
        version=status.kubernetes_version,
        nodes=nodes,
        gpus_total=sum(row["total"] for row in gpus),
        gpus_used=sum(row["used"] for row in gpus),
        nodes_known=status.nodes_known,
        notes=status.notes,
    )


def visible(request: Request) -> QuerySet[Cluster]:
    """The clusters that the person may see."""
    return Cluster.objects.visible_to(request.user).select_related("status")


def clusters(request: Request) -> HttpResponse:
    """Where is room?"""
    rows = list(visible(request).prefetch_related("nodes"))
    for row in rows:
        row.view = seen(row, len(row.nodes.all()))  # type: ignore[attr-defined]  # for the template
    template = "monitoring/_clusters.html" if is_fragment(request) else "monitoring/clusters.html"
    return render(request, template, {"clusters": rows})


def cluster(request: Request, pk: uuid.UUID) -> HttpResponse:
    """One cluster: its nodes, its GPUs and who holds them."""
    row = get_object_or_404(visible(request), pk=pk)
    nodes = list(row.nodes.all())
    names = dict(Deployment.objects.visible_to(request.user).filter(project__cluster=row).values_list("pk", "name"))
    by_id = {str(key): name for key, name in names.items()}
    for node in nodes:
        node.cells = cells(node, by_id)  # type: ignore[attr-defined]  # for the template
        node.cells_label = f"GPUs of {node.name}"  # type: ignore[attr-defined]  # as above
    status = getattr(row, "status", None) or ClusterStatus()
    context = {
        "cluster": row,
        "view": seen(row, len(nodes)),
        "nodes": nodes,
        "capacity": status.capacity.get("gpus", []),
        "pending": [waiting(pod, by_id, request) for pod in status.pending if may_see(pod, by_id, request)],
    }
    template = "monitoring/_cluster.html" if is_fragment(request) else "monitoring/cluster.html"
    return render(request, template, context)


def cells(node: NodeStatus, names: dict[str, str]) -> list[dict[str, str]]:
    """One cell for each GPU of a node: who holds it. Allocations only; which card it is nobody says."""
    found: list[dict[str, str]] = []
    for kind in node.gpus:
        total = min(kind["allocatable"], CELLS_A_KIND)
        held: list[dict[str, str]] = []
        for owner in kind["owners"]:  # a pod may claim any number, whatever the node has
            held += [cell(owner, names)] * min(owner["count"], total - len(held))
        free = {"owner": "", "url": "", "kind": "free", "label": f"free {kind['product']}"}
        found += held + [free] * (total - len(held))
    return found


def cell(owner: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """A held GPU: by name when the person may see its holder."""
    if name := names.get(owner["deployment"]):
        url = reverse("deployments:detail", args=[owner["deployment"]])
        return {"owner": name, "url": url, "kind": "ours", "label": f"{name}: {owner['pod']}"}
    return {"owner": "other", "url": "", "kind": "other", "label": "held by a workload that you may not see"}


def may_see(pod: dict[str, Any], names: dict[str, str], request: Request) -> bool:
    """A platform admin sees every waiting pod, others those of their deployments."""
    return request.user.is_superuser or pod["deployment"] in names


def waiting(pod: dict[str, Any], names: dict[str, str], request: Request) -> dict[str, Any]:
    """A waiting pod with the page of its deployment."""
    known = pod["deployment"] in names
    return pod | {"url": reverse("deployments:detail", args=[pod["deployment"]]) if known else ""}


def charts(request: Request, pk: uuid.UUID) -> HttpResponse:
    """The charts of a deployment, or why there are none. Asked by the page after it is shown."""
    deployment = get_object_or_404(
        Deployment.objects.visible_to(request.user).select_related("project__cluster"), pk=pk
    )
    minutes = int(request.GET["minutes"]) if request.GET.get("minutes") in services.RANGES else 30
    return render(request, "monitoring/_charts.html", services.charts(deployment, minutes) | {"deployment": deployment})
