"""The list of deployments: search, filters, sort and pages, all kept in the address."""

from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from deployments import glance, lines
from deployments.access import Can
from deployments.choices import Health
from deployments.http import sight
from deployments.lines import Line
from deployments.models import Cluster, Project
from deployments.sorting import in_order
from deployments.views.common import Request, clean, is_fragment, why_nobody_creates

PAGE_SIZE = 50


def index(request: Request) -> HttpResponse:
    """The page, or its table for a live update, which all who see the same may share."""
    return sight.shared(request, request.user, partial(drawn, request)) if is_fragment(request) else drawn(request)


def drawn(request: Request) -> HttpResponse:
    """The page, or its table."""
    rows = glance.listed().visible_to(request.user)
    filters = read_filters(request)
    counts = dict(rows.order_by().values_list("health_now").annotate(n=Count("pk")))
    wanted = lines.values(chosen(rows, filters))
    page = Counted(wanted, PAGE_SIZE, known=known_count(filters, counts)).get_page(request.GET.get("page"))
    found = lines.read(page.object_list)
    context = {
        "page": page,
        "lines": found,
        "filters": filters,
        "health_counts": [
            {"choice": health, "count": counts.get(health.value, 0), "active": filters["health"] == health}
            for health in Health
        ],
        "total": sum(counts.values()),
        "stale_clusters": stale_clusters(found),
        "heard": {line.cluster_id: line.seen_at for line in found},
        "may_create": Project.objects.where(request.user, Can.DEPLOY).exists(),
    }
    if is_fragment(request) and context["total"]:
        return render(request, "deployments/_table.html", context)
    template = "deployments/_table.html" if is_fragment(request) else "deployments/list.html"
    return render(request, template, context | choices(request, may_create=bool(context["may_create"])))


class Counted(Paginator):  # type: ignore[type-arg]  # it takes no parameter when it runs
    """A paginator that need not count what is known."""

    def __init__(self, rows: QuerySet[Any], size: int, *, known: int | None) -> None:
        super().__init__(rows, size)
        if known is not None:
            self.count = known


def known_count(filters: dict[str, str], counts: dict[str, int]) -> int | None:
    """How many rows the filters leave, when the counts by health tell."""
    if filters["q"] or filters["project"] or filters["cluster"]:
        return None
    return counts.get(filters["health"], 0) if filters["health"] else sum(counts.values())


def read_filters(request: Request) -> dict[str, str]:
    """The state of the list from the address; what is not known there is ignored."""
    given = {key: clean(request.GET.get(key, "")) for key in ("q", "health", "project", "cluster", "sort")}
    if given["sort"].removeprefix("-") not in glance.SORTS:
        given["sort"] = "name"
    if given["health"] not in list(Health):
        given["health"] = ""
    return given


def chosen(rows: QuerySet[Any], filters: dict[str, str]) -> QuerySet[Any]:
    """The rows that the filters leave, in order."""
    if filters["q"]:
        by_name = rows.filter(name__icontains=filters["q"])
        rows = by_name | rows.filter(llm__icontains=filters["q"])
    for key, column in (("health", "health_now"), ("project", "project__name"), ("cluster", "project__cluster__name")):
        if filters[key]:
            rows = rows.filter(**{column: filters[key]})
    return in_order(rows, filters["sort"], glance.SORTS)


def stale_clusters(found: list[Line]) -> list[Cluster]:
    """The clusters of these lines that are not heard of."""
    silent = {line.cluster_id for line in found if line.stale}
    return list(Cluster.objects.filter(pk__in=silent).select_related("status")) if silent else []


def choices(request: Request, *, may_create: bool) -> dict[str, Any]:
    """What the filters offer, and why the person may not create."""
    projects = list(Project.objects.visible_to(request.user).values_list("name", flat=True))
    why_not = why_nobody_creates(in_a_project=bool(projects))
    return {
        "projects": projects,
        "clusters": list(Cluster.objects.visible_to(request.user).values_list("name", flat=True)),
        "why_not": "" if may_create else why_not,
    }
