"""Failed requests are answered by a page, and by problem details under /api/."""

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from llmdash import errors

ANSWERS = {
    400: lambda request: errors.bad_request(request, ValueError("<script>")),
    403: lambda request: errors.forbidden(request, PermissionDenied("Only operators may scale.")),
    404: lambda request: errors.not_found(request, Http404("secret-name")),
    500: errors.server_error,
}


def answer(status: int, path: str) -> HttpResponse:
    request = RequestFactory().get(path)
    request.user = AnonymousUser()
    request.META["llmdash.request_id"] = "abcd1234"
    return ANSWERS[status](request)


@pytest.mark.parametrize("status", sorted(ANSWERS))
def test_a_page_answers_with_its_status(status: int) -> None:
    response = answer(status, "/deployments/")
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert b"</html>" in response.content


@pytest.mark.parametrize("status", sorted(ANSWERS))
def test_the_api_answers_problem_details_with_the_request_id(status: int) -> None:
    response = answer(status, "/api/v1/deployments/")
    body = json.loads(response.content)
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, body["status"], body["request_id"]) == (status, status, "abcd1234")
    assert body["title"]
    assert body["detail"]


def test_what_was_sent_is_not_repeated() -> None:
    assert b"<script>" not in answer(400, "/api/v1/x").content
    assert b"secret-name" not in answer(404, "/api/v1/x").content + answer(404, "/x").content


def test_the_refusal_says_what_is_missing() -> None:
    assert b"Only operators may scale." in answer(403, "/x").content
    assert b"Only operators may scale." in answer(403, "/api/v1/x").content


def test_the_server_error_page_names_the_request() -> None:
    assert b"abcd1234" in answer(500, "/x").content


def test_the_server_error_page_needs_no_static_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise ValueError("Missing staticfiles manifest entry")

    monkeypatch.setattr("django.contrib.staticfiles.storage.staticfiles_storage.url", missing)
    said = answer(500, "/x")
    assert said.status_code == 500
    assert b"Something broke on our side" in said.content
    assert b"abcd1234" in said.content


def test_an_expired_form_is_refused_with_the_way_out() -> None:
    request = RequestFactory().post("/x")
    request.user = AnonymousUser()
    response = errors.csrf_failure(request, "no token")
    assert response.status_code == 403
    assert b"Load its page again" in response.content
