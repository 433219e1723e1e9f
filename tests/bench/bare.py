"""The barest list of deployments that Django can give, to compare with."""

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from deployments.models import Deployment

MOST = 1000


def bare(request: HttpRequest) -> HttpResponse:
    """A thousand rows, encoded at once."""
    rows = Deployment.objects.values("id", "name", "project__name", "desired", "applied", "problem", "status__health",
                                     "status__sentence", "status__ready", "status__wanted", "created_at")  # fmt: skip
    return HttpResponse(msgspec.json.encode(list(rows[:MOST])), content_type="application/json")


urlpatterns = [path("bare", bare), path("", include("llmdash.urls"))]
