"""What every answer passes through."""

import pytest
from django.http import HttpResponse, HttpResponseRedirect
from django.test import Client, RequestFactory

from llmdash.middleware import DialogMiddleware


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
