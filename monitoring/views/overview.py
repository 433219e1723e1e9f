"""The first page."""

from django.http import HttpResponse
from django.shortcuts import render

from deployments import glance
from deployments.access import Can
from deployments.models import AuditEntry, Project
from deployments.views.common import Request, is_fragment, why_nobody_creates
from monitoring import overview as parts
from monitoring.views.clusters import visible

AUDIT_ROWS = 10


def overview(request: Request) -> HttpResponse:
    """Is everything serving, and what needs me?"""
    deployments = glance.listed().visible_to(request.user)
    known = list(visible(request))
    needed, total = parts.matters(deployments, known)
    gpus = parts.gpus(known)
    healths, drifting = parts.by_health(deployments)
    may_create = Project.objects.where(request.user, Can.DEPLOY).exists()
    context = {
        "matters": needed,
        "more": total - len(needed),
        "healths": healths,
        "gpus": gpus,
        "gpu_totals": parts.totals(gpus),
        "drifting": drifting,
        "clusters": known,
        "any_deployment": any(row["count"] for row in healths),
        "audit": AuditEntry.objects.visible_to(request.user).select_related("project")[:AUDIT_ROWS],
        "any_project": Project.objects.visible_to(request.user).exists,  # asked where nothing is deployed yet
        "may_create": may_create,
        "why_not": "" if may_create else why_nobody_creates(in_a_project=bool(known)),
    }
    template = "monitoring/_overview.html" if is_fragment(request) else "monitoring/overview.html"
    return render(request, template, context)
