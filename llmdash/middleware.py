"""What every page and API answer passes through: a request id, the content security policy, limits of size and
encoding, sign-in."""

import codecs
import re
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote_to_bytes, urlsplit

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

from deployments import database, metrics
from llmdash import errors

GetResponse = Callable[[HttpRequest], HttpResponseBase]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
LOST = "\ufffd"
OPEN_PREFIXES = ("/accounts/", "/static/", "/healthz", "/readyz", "/metrics", "/api/")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


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


class MeasureMiddleware:
    """Counts requests by route, which are few, not by address. Of an event stream only its beginning is timed."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in METHODS else "other"
        metrics.REQUESTS.labels(route, method, f"{response.status_code // 100}xx").inc()
        metrics.REQUEST_SECONDS.labels(route, method).observe(time.perf_counter() - began)
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
        if not length.isdigit() or int(length) <= limit or request.path_info.startswith("/api/"):
            return self.get_response(request)
        return TemplateResponse(request, "413.html", {"limit": limit}, status=413).render()


class Utf8Middleware:
    """Refuses a query or a form that is not UTF-8: Django reads U+FFFD for what it cannot read, and a secret that was
    damaged so would be stored. The API takes JSON only, whose parser judges its encoding."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not query_is_utf8(request):
            return errors.answer(request, HTTPStatus.BAD_REQUEST, "The address holds text that is not UTF-8.")
        if not errors.is_api(request) and not form_is_utf8(request):
            text = "The form holds text that is not UTF-8, so nothing was saved. Check what sent it, and send it again."
            return errors.answer(request, HTTPStatus.BAD_REQUEST, text)
        return self.get_response(request)


def query_is_utf8(request: HttpRequest) -> bool:
    """Whether the query string is UTF-8; WSGI hands over its bytes as Latin-1, ASGI what it has decoded."""
    query = request.META.get("QUERY_STRING", "")
    return is_utf8(unquote_to_bytes(query.encode("latin-1") if isinstance(request, WSGIRequest) else query))


def form_is_utf8(request: HttpRequest) -> bool:
    """Whether a form, if the body is one, is UTF-8 and says nothing else of itself."""
    if request.content_type == "application/x-www-form-urlencoded":
        return is_utf8(unquote_to_bytes(request.body))
    if request.content_type != "multipart/form-data":
        return True
    if not is_utf8(request.body) or codecs.lookup(request.encoding or "utf-8").name != "utf-8":
        return False
    # A part may be wrapped in base64: then what was lost shows by more U+FFFD read than sent.
    read = "".join(text for name, values in request.POST.lists() for text in (name, *values))
    return read.count(LOST) <= request.body.decode().count(LOST)


def is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class SignInRequiredMiddleware:
    """No anonymous page: whoever is not signed in goes to sign-in and comes back. The API answers 401 by itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(OPEN_PREFIXES) or request.user.is_authenticated:
            return self.get_response(request)
        if request.headers.get("HX-Request") or request.path_info.startswith("/stream/"):
            target = redirect_to_login(
                request.headers.get("HX-Current-URL", resolve_url("home")), resolve_url(settings.LOGIN_URL)
            )
            return HttpResponse(status=401, headers={"HX-Redirect": target.url})
        return redirect_to_login(page_of(request), resolve_url(settings.LOGIN_URL))


def page_of(request: HttpRequest) -> str:
    """Where a person was: the page asked for, or the one whose form they sent, since many acts have no page."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return resolve_url("home")
    page = urlsplit(referer)
    return f"{page.path}?{page.query}" if page.query else page.path


class ReadOnlyMiddleware:
    """While the database takes nothing, nothing is tried that would write; signing in is, since it helps to read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        writes = request.method not in ("GET", "HEAD", "OPTIONS") and not request.path_info.startswith("/accounts/")
        if writes and (sentence := database.read_only()):
            return errors.unavailable(request, sentence)
        return self.get_response(request)
