"""What every page and API answer passes through: a request id, the content security policy, size limit, sign-in."""

import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse

GetResponse = Callable[[HttpRequest], HttpResponseBase]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
OPEN_PREFIXES = ("/accounts/", "/static/", "/healthz", "/readyz", "/api/")


class RequestIdMiddleware:
    """Takes X-Request-ID from the caller when it is harmless, else makes one; logs and answers carry it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.META["llmdash.request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class ContentSecurityPolicyMiddleware:
    """Sends settings.SECURE_CSP, a dict of directive -> sources in the shape that Django 6 uses."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in settings.SECURE_CSP.items())

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", self.policy)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response


class DialogMiddleware:
    """Tells the script of a dialog where its form leads, in X-Location: fetch would follow a redirect, and the page
    that it gets would use up the messages meant for the person."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "X-Dialog" not in request.headers or not response.has_header("Location"):
            return response
        told = HttpResponse(status=204, headers={"X-Location": response["Location"]})
        told.cookies = response.cookies
        return told


class BodyLimitMiddleware:
    """Refuses a body over DATA_UPLOAD_MAX_MEMORY_SIZE before anything reads it; the API answers in its own form."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if not length.isdigit() or int(length) <= limit or request.path.startswith("/api/"):
            return self.get_response(request)
        return TemplateResponse(request, "413.html", {"limit": limit}, status=413).render()


class SignInRequiredMiddleware:
    """No anonymous page: whoever is not signed in goes to sign-in and comes back. The API answers 401 by itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(OPEN_PREFIXES) or request.user.is_authenticated:
            return self.get_response(request)
        if request.headers.get("HX-Request") or request.path.startswith("/stream/"):
            target = redirect_to_login(request.headers.get("HX-Current-URL", "/"), resolve_url(settings.LOGIN_URL))
            return HttpResponse(status=401, headers={"HX-Redirect": target.url})
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
