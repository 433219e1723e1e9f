"""What every answer passes through."""

from base64 import b64encode
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client, RequestFactory

from deployments.models import SecretValue
from llmdash.middleware import DialogMiddleware, Utf8Middleware
from tests import stage


def redirect(_: object) -> HttpResponse:
    response = HttpResponseRedirect("/there/")
    response.set_cookie("messages", "kept")
    return response


def test_a_dialog_is_told_where_its_form_leads_and_keeps_the_cookies() -> None:
    request = RequestFactory().post("/x/", headers={"X-Dialog": "true"})
    answer = DialogMiddleware(redirect)(request)
    assert (answer.status_code, answer["X-Location"]) == (204, "/there/")
    assert answer.cookies["messages"].value == "kept"
    assert not answer.has_header("Location")


def test_others_are_redirected_as_ever() -> None:
    answer = DialogMiddleware(redirect)(RequestFactory().post("/x/"))
    assert (answer.status_code, answer["Location"]) == (302, "/there/")


@pytest.mark.django_db
def test_a_dialog_whose_session_has_ended_leads_to_sign_in() -> None:
    answer = Client().post("/deployments/", headers={"X-Dialog": "true"})
    assert answer.status_code == 204
    assert answer["X-Location"].startswith("/accounts/login/")


# ---- UTF-8

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def part(value: bytes, headers: bytes = b"") -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="a"\r\n' + headers + b"\r\n" + value + b"\r\n--x--\r\n"


BROKEN = [
    (b"a=\xff", FORM),
    (b"a=%FF", FORM),
    (b"a=%C3&b=%A4", FORM),
    (b"a=%ED%A0%80", FORM),
    (b"\xe4=1", FORM),
    (b"%E4=1", FORM),
    (part(b"\xff"), MULTIPART),
    (part("ä".encode("latin-1")), MULTIPART),
    (part("ä".encode()), MULTIPART + "; charset=latin-1"),
    (part(b64encode(b"\xff"), b"Content-Transfer-Encoding: base64\r\n"), MULTIPART),
]
WHOLE = [
    (b"a=\xc3\xa4", FORM, "ä"),
    (b"a=%C3%A4", FORM, "ä"),
    (b"a=%EF%BF%BD", FORM, "\ufffd"),
    ("a=\ufffd".encode(), FORM, "\ufffd"),
    (b"a=1", FORM + "; charset=UTF-8", "1"),
    (part("ä\ufffd".encode()), MULTIPART, "ä\ufffd"),
    (part("ä".encode()), MULTIPART + "; charset=UTF8", "ä"),
    (part(b"Content-Transfer-Encoding: base64"), MULTIPART, "Content-Transfer-Encoding: base64"),
]


def passed(request: HttpRequest) -> Any:
    request.user = AnonymousUser()
    return Utf8Middleware(lambda request: HttpResponse(request.POST.get("a", "")))(request)


@pytest.mark.parametrize(("body", "kind"), BROKEN)
def test_a_form_that_is_not_utf8_is_refused_with_the_reason(body: bytes, kind: str) -> None:
    answer = passed(RequestFactory().generic("POST", "/x/", body, kind))
    assert answer.status_code == 400
    assert b"The form holds text that is not UTF-8, so nothing was saved." in answer.content


@pytest.mark.parametrize(("body", "kind", "read"), WHOLE)
def test_a_form_in_utf8_passes_as_it_is(body: bytes, kind: str, read: str) -> None:
    answer = passed(RequestFactory().generic("POST", "/x/", body, kind))
    assert (answer.status_code, answer.content.decode()) == (200, read)


@pytest.mark.parametrize("query", ["q=%FF", "q=%C3", "%E4=1", b"q=\xe4".decode("latin-1")])
@pytest.mark.parametrize("path", ["/deployments/", "/api/v1/deployments/"])
def test_a_query_that_is_not_utf8_is_refused(path: str, query: str) -> None:
    answer = passed(RequestFactory().get(path, QUERY_STRING=query))
    assert answer.status_code == 400
    assert b"The address holds text that is not UTF-8." in answer.content


@pytest.mark.parametrize("query", ["", "q=%C3%A4", "q=%EF%BF%BD", "q=ä".encode().decode("latin-1")])
def test_a_query_in_utf8_passes_by_wsgi(query: str) -> None:
    assert passed(RequestFactory().get("/x/", QUERY_STRING=query)).status_code == 200


@pytest.mark.parametrize(("query", "status"), [(b"q=%C3%A4", 200), ("q=ä".encode(), 200), (b"q=%FF", 400)])
def test_a_query_is_judged_alike_by_asgi(query: bytes, status: int) -> None:
    scope = {"type": "http", "method": "GET", "path": "/x/", "query_string": query, "headers": []}
    assert passed(ASGIRequest(scope, BytesIO())).status_code == status


def test_what_is_no_form_is_left_to_whoever_reads_it() -> None:
    assert passed(RequestFactory().generic("POST", "/x/", b"\xff", "application/octet-stream")).status_code == 200
    assert passed(RequestFactory().generic("POST", "/api/v1/x/", b"a=%FF", FORM)).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"name=qwen&secret_env=T%3D%FFhush", "name=qwen&secret_env=T=hüsh".encode("latin-1")])
def test_a_secret_that_is_not_utf8_is_never_stored_damaged(body: bytes) -> None:
    browser = Client()
    browser.force_login(stage.user("root", is_superuser=True))
    stage.project()
    answer = browser.post("/deployments/new/", body, content_type=FORM)
    assert answer.status_code == 400
    assert b"not UTF-8" in answer.content
    assert b"Sign in" not in answer.content
    assert b"hush" not in answer.content
    assert SecretValue.objects.count() == 0


@pytest.mark.parametrize(
    ("referer", "leads_to"),
    [
        ("http://testserver/clusters/new/?from=x", "/clusters/new/?from=x"),
        ("http://evil.example/clusters/new/", "/"),
        ("//evil.example/", "/"),
        ("", "/"),
    ],
)
@pytest.mark.django_db
def test_who_sent_a_form_when_the_session_had_ended_comes_back_to_its_page(referer: str, leads_to: str) -> None:
    answer = Client().post("/clusters/test/", headers={"Referer": referer} if referer else {})
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [leads_to]
