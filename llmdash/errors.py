"""What is answered when a request fails: a page, or problem details (RFC 9457) under /api/."""

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.html import escape

from deployments import database

PROBLEM = "application/problem+json"
AWAY = "llmdash cannot reach its database right now."
RETRY_SECONDS = "5"
PLAIN = """<!DOCTYPE html>
<title>Server error · llmdash</title>
<h1>Something broke on our side</h1>
<p>What was saved stays saved. Request <code>{request_id}</code></p>
"""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request could not be understood. What was wrong is not repeated: it may hold markup or secrets."""
    return answer(request, HTTPStatus.BAD_REQUEST, "The server could not read this request.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: seen but not allowed; the exception's own text says what is missing."""
    return answer(request, HTTPStatus.FORBIDDEN, str(exception) or "You may see this, but not do that.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: not there, or not for this person; both look the same."""
    return answer(request, HTTPStatus.NOT_FOUND, "There is nothing here that you may see.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours; 503 when the database is away or takes nothing. The page needs neither database nor
    session."""
    error = sys.exception()
    if database.is_away(error):
        return unavailable(request, AWAY)
    if sentence := database.note(error):
        return unavailable(request, sentence)
    if is_api(request):
        return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something broke on our side.")
    try:
        page: str = render_to_string("500.html", {"request_id": request_id(request)})
    except Exception:  # the static files were not collected, or what broke is what every page needs
        page = PLAIN.format(request_id=escape(request_id(request)))
    return HttpResponse(page, status=HTTPStatus.INTERNAL_SERVER_ERROR)


def unavailable(request: HttpRequest, text: str) -> HttpResponse:
    """503 with Retry-After: the database is away, or takes nothing. Needs neither of them."""
    if is_api(request):
        response: HttpResponse = problem(request, HTTPStatus.SERVICE_UNAVAILABLE, text)
    else:
        page = render_to_string("503.html", {"request_id": request_id(request), "text": text})
        response = HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = RETRY_SECONDS
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token: its page was open for too long, or the form came from another site."""
    return answer(request, HTTPStatus.FORBIDDEN, "The form had expired or came from another site. Load its page again.")


def answer(request: HttpRequest, status: HTTPStatus, text: str) -> HttpResponse:
    """The template named after the status, or problem details."""
    if is_api(request):
        return problem(request, status, text)
    context = {"exception": text, "request_id": request_id(request)}
    return HttpResponse(render_to_string(f"{status.value}.html", context, request), status=status)


def problem(request: HttpRequest, status: HTTPStatus, text: str) -> HttpResponse:
    """Problem details with the request's id."""
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": text,
        "request_id": request_id(request),
    }
    return JsonResponse(body, status=status, content_type=PROBLEM)


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def request_id(request: HttpRequest) -> str:
    """The id that logs and answers carry; empty when the request never reached the middleware that gives it."""
    return str(request.META.get("llmdash.request_id", ""))
