"""The charts of a deployment."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from deployments.models import Deployment
from deployments.views.common import Request
from monitoring import services


def charts(request: Request, pk: uuid.UUID) -> HttpResponse:
    """The charts of a deployment, or why there are none. Asked by the page after it is shown."""
    deployment = get_object_or_404(
        Deployment.objects.visible_to(request.user).select_related("project__cluster"), pk=pk
    )
    minutes = int(request.GET["minutes"]) if request.GET.get("minutes") in services.RANGES else 30
    return render(request, "monitoring/_charts.html", services.charts(deployment, minutes) | {"deployment": deployment})
