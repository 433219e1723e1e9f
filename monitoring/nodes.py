"""The nodes of a cluster as its page lists them: search, filters and pages, all kept in the address."""

import json
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse

from deployments.models import Cluster, ClusterStatus, NodeStatus
from deployments.views.common import clean

PAGE_SIZE = 50
CELLS_A_KIND = 128
GPU_TYPES = 20  # more are no help to choose from
NOT_READY = "not-ready"


def listed(request: HttpRequest, cluster: Cluster, status: ClusterStatus, names: dict[str, str]) -> dict[str, Any]:
    """The page of nodes that the address asks for, and what may be chosen. Counts are of all nodes."""
    filters = read_filters(request)
    types = gpu_types(status, filters["gpu"])
    rows = cluster.nodes.annotate(gpus_text=Cast("gpus", TextField()))
    counts = counted(rows, types)
    page: Page[Any] = Paginator(chosen(rows, filters), PAGE_SIZE).get_page(request.GET.get("page"))
    unknown = any(row.get("free") is None for row in status.capacity.get("gpus", []))
    for node in page.object_list:
        node.cells = cells(node, names, rest="unknown" if unknown else "free")
        node.cells_label = f"GPUs of {node.name}"
    return {
        "cluster": cluster,
        "page": page,
        "filters": filters,
        "total": counts["total"],
        "not_ready": counts["not_ready"],
        "gpu_counts": [{"name": name, "count": counts[f"type{n}"]} for n, name in enumerate(types)],
        "any_cells": any(node.cells for node in page.object_list),
    }


def read_filters(request: HttpRequest) -> dict[str, str]:
    """The state of the list from the address; what is not known there is ignored."""
    given = {key: clean(request.GET.get(key, "")) for key in ("q", "gpu", "state")}
    return given | {"state": NOT_READY if given["state"] == NOT_READY else ""}


def gpu_types(status: ClusterStatus, chosen: str) -> list[str]:
    """The types that the cluster has, the most first; and the one that was asked for, should it have none of it."""
    found = [row["product"] for row in status.capacity.get("gpus", [])][:GPU_TYPES]
    return list(dict.fromkeys([*found, *([chosen] if chosen else [])]))


def counted(rows: QuerySet[NodeStatus], types: list[str]) -> dict[str, int]:
    """How many nodes there are in all, not ready, and with each type of GPU ("type0" and on). One query."""
    of_type = {f"type{n}": Count("pk", filter=has(name)) for n, name in enumerate(types)}
    counts: dict[str, int] = rows.order_by().aggregate(
        total=Count("pk"), not_ready=Count("pk", filter=Q(ready=False)), **of_type
    )
    return counts


def has(gpu: str) -> Q:
    """Nodes with this type. SQLite finds nothing inside JSON; both databases write a key and its value like this."""
    return Q(gpus_text__contains=f'"product": {json.dumps(gpu)}')


def chosen(rows: QuerySet[NodeStatus], filters: dict[str, str]) -> QuerySet[NodeStatus]:
    """The nodes that the filters leave, by name."""
    if filters["q"]:
        rows = rows.filter(name__icontains=filters["q"])
    if filters["gpu"]:
        rows = rows.filter(has(filters["gpu"]))
    if filters["state"]:
        rows = rows.filter(ready=False)
    return rows.order_by("name", "pk")


def cells(node: NodeStatus, names: dict[str, str], *, rest: str = "free") -> list[dict[str, str]]:
    """One cell for each GPU of a node: who holds it. Allocations only; which card it is nobody says.

    `rest` is what the others are: "free", or "unknown" where not all pods may be listed.
    """
    found: list[dict[str, str]] = []
    for kind in node.gpus:
        total = min(kind["allocatable"], CELLS_A_KIND)
        held: list[dict[str, str]] = []
        for owner in kind["owners"]:  # a pod may claim any number, whatever the node has
            held += [cell(owner, names)] * min(owner["count"], total - len(held))
        left = {"owner": "", "url": "", "kind": rest, "label": f"{rest} {kind['product']}", "slice": mig(kind)}
        found += held + [left] * (total - len(held))
    return found


def mig(kind: dict[str, Any]) -> str:
    """The profile of a MIG device such as "1g.10gb", "" for a whole GPU. A node may have several."""
    return str(kind["resource"]).partition("/mig-")[2]


def cell(owner: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """A held GPU: by name when the person may see its holder."""
    if name := names.get(owner["deployment"]):
        url = reverse("deployments:detail", args=[owner["deployment"]])
        return {"owner": name, "url": url, "kind": "ours", "label": f"{name}: {owner['pod']}"}
    return {"owner": "other", "url": "", "kind": "other", "label": "held by a workload that you may not see"}
