"""What is served now, asked for by pages after they are shown."""

from functools import partial

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from deployments import glance
from deployments.http import sight
from deployments.models import Project
from deployments.views.common import Request, as_uuid
from monitoring import traffic

MOST_ROWS = 100


def of_projects(request: Request) -> HttpResponse:
    """The overview's part, cluster by cluster."""
    projects = Project.objects.visible_to(request.user).select_related("cluster")
    return render(request, "monitoring/_traffic.html", {"rows": traffic.of_projects(projects)})


def of_deployments(request: Request) -> HttpResponse:
    """The cells of a list, as JSON: a `traffic.Measured` for each id of `?pk`, in their order; null for what is none or
    may not be seen. All who look at the same list may share an answer."""
    return sight.shared(request, request.user, partial(measured, request))


def measured(request: Request) -> HttpResponse:
    """The answer for one person."""
    asked = [as_uuid(text) for text in request.GET.getlist("pk")[:MOST_ROWS]]
    rows = glance.described().visible_to(request.user).filter(pk__in=[pk for pk in asked if pk])
    found = traffic.of_deployments(rows)
    return JsonResponse([found.get(str(pk)) for pk in asked], safe=False, headers={"Cache-Control": "no-store"})
