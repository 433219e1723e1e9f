"""The REST API, version 1: every endpoint of the apps, and problem details for what is none."""

from django.http import Http404
from django.urls import re_path, reverse
from rest_framework.request import Request
from rest_framework.response import Response

import deployments.api
import llmdash.accounts.api
import monitoring.api
from deployments.api.base import Endpoint
from deployments.api.described import operation

app_name = "api"
NAMES = ("overview", "deployments", "projects", "clusters", "search", "tokens")


class Index(Endpoint):
    """Where things are."""

    @operation("Find your way", returns=dict[str, str])
    def get(self, request: Request) -> Response:
        places = {name: reverse(f"api:{name}") for name in NAMES}
        return Response(places | {"audit": reverse("api:all-audit")})


class Unknown(Endpoint):
    """No endpoint has this address."""

    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super(Endpoint, self).initial(request, *args, **kwargs)
        raise Http404


unknown = Unknown.as_view()
urlpatterns = [
    re_path(r"^$", Index.as_view(), name="index"),
    *deployments.api.urlpatterns,
    *monitoring.api.urlpatterns,
    *llmdash.accounts.api.urlpatterns,
    re_path(r"", unknown, name="unknown"),
]
