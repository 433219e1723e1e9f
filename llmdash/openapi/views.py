"""The OpenAPI document, and the same as a page. Both need a session or a token."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api.base import Endpoint
from llmdash.openapi import document, reading


class Schema(Endpoint):
    """The document."""

    def get(self, request: Request) -> Response:
        return Response(document.make())


class Anything(DefaultContentNegotiation):
    """For a page, whose client need not ask for JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class Docs(Endpoint):
    """The page. Somebody who is not signed in is sent there, as from every page."""

    parameters = ("q",)
    content_negotiation_class = Anything

    def get(self, request: Request) -> HttpResponse:
        text = " ".join(request.query_params.get("q", "")[:200].split())
        context = {
            "groups": reading.found(text),
            "q": text,
            "spec": [field for field in reading.spec() if not text or text.lower() in field.name],
            "server": request.build_absolute_uri(reverse("home")).rstrip("/"),
        }
        return render(request._request, "api/docs.html", context)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, NotAuthenticated):
            return redirect_to_login(self.request.get_full_path(), resolve_url(settings.LOGIN_URL))
        return super().handle_exception(exc)
