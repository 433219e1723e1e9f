"""The API of the first page: what needs a person, how deployments are, and which GPUs are free."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from deployments import glance
from deployments.api.base import Endpoint
from deployments.api.described import operation
from deployments.http import answer
from deployments.models import Cluster
from monitoring import overview, shapes


class Overview(Endpoint):
    """What needs a person first, with cause and next step; how many deployments are how; GPUs by type and cluster.
    What was done lately stands under `audit`."""

    @operation("Read the overview", returns=shapes.Overview)
    def get(self, request: Request) -> Response:
        rows = glance.listed().visible_to(self.user)
        clusters = list(Cluster.objects.visible_to(self.user).select_related("status").order_by("name"))
        found, total = overview.matters(rows, clusters)
        healths, drifting = overview.by_health(rows)
        body: shapes.Overview = {
            "matters": [matter(one) for one in found],
            "matters_total": total,
            "health": {row["choice"].value: row["count"] for row in healths},
            "drifting": drifting,
            "gpus": [gpus(row) for row in overview.gpus(clusters)],
        }
        return answer(request, body)


def matter(one: overview.Matter) -> shapes.Matter:
    """One thing that needs a person."""
    return {
        "kind": one.kind,
        "id": one.id,
        "name": one.name,
        "where": one.where,
        "state": one.look.value,
        "sentence": one.sentence,
        "step": one.step,
        "since": one.since,
    }


def gpus(row: dict[str, Any]) -> shapes.GpusOfCluster:
    """GPUs of one type of one cluster."""
    return {
        "cluster": row["cluster"].name,
        "resource": row["resource"],
        "product": row["product"],
        "total": row["total"],
        "used": row["used"],
        "free": None if row["stale"] else row["free"],
        "stale": row["stale"],
    }
