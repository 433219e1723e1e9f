"""Signing in and out, and what nobody may do."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from llmdash.accounts.models import User
from tests import stage

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def no_attempts_yet() -> None:
    cache.clear()


@pytest.fixture
def ada() -> User:
    return stage.user("ada", email="ada@example.org")


@pytest.mark.parametrize("page", ["/", "/deployments/", "/admin/", "/deployments/?health=failing"])
def test_a_page_sends_the_anonymous_to_sign_in_and_back(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{LOGIN}?next={page.replace('?', '%3F').replace('=', '%3D')}")


@pytest.mark.parametrize("login", ["ada", "ada@example.org"])
def test_the_right_password_opens_the_page_that_was_asked_for(client: Client, ada: User, login: str) -> None:
    answer = client.post(LOGIN, {"login": login, "password": stage.PASSWORD, "next": "/clusters/"})
    assert (answer.status_code, answer["Location"]) == (302, "/clusters/")
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_a_wrong_password_says_so_and_keeps_the_name(client: Client, ada: User) -> None:
    answer = client.post(LOGIN, {"login": "ada", "password": "wrong"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "The user name, the e-mail or the password is not correct." in text
    assert 'value="ada"' in text
    assert "wrong" not in text
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(("host", "offered"), [(None, False), ("mail.example.org", True)])
def test_a_letter_is_offered_only_where_mail_can_be_sent(
    client: Client, settings: Any, host: str | None, offered: bool
) -> None:
    if host:
        settings.EMAIL_HOST = host
    text = client.get(LOGIN).content.decode()
    assert "User name or e-mail" in text
    assert "Stay signed in" in text
    assert ("Forgot your password?" in text, "llmdash admin-password" in text) == (offered, not offered)


def test_an_unknown_name_is_answered_like_a_wrong_password(client: Client, ada: User) -> None:
    wrong = client.post(LOGIN, {"login": "ada", "password": "wrong"}).context["form"].errors
    unknown = client.post(LOGIN, {"login": "eve", "password": "wrong"}).context["form"].errors
    assert wrong == unknown


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_sign_in_never_sends_to_another_host(client: Client, ada: User, target: str) -> None:
    answer = client.post(LOGIN, {"login": "ada", "password": stage.PASSWORD, "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_somebody_who_was_deactivated_does_not_get_in(client: Client, ada: User) -> None:
    ada.is_active = False
    ada.save()
    client.post(LOGIN, {"login": "ada", "password": stage.PASSWORD})
    assert "_auth_user_id" not in client.session


def test_many_wrong_passwords_are_stopped_and_the_right_one_too(client: Client, ada: User) -> None:
    for _ in range(12):
        last = client.post(LOGIN, {"login": "ada", "password": "wrong"})
    assert b"Too many failed login attempts" in last.content or last.status_code == 429
    client.post(LOGIN, {"login": "ada", "password": stage.PASSWORD})
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up(client: Client) -> None:
    address = reverse("account_signup")
    assert b"password1" not in client.get(address).content
    client.post(address, {"username": "eve", "password1": stage.PASSWORD, "password2": stage.PASSWORD})
    assert not User.objects.filter(username="eve").exists()


def test_signing_out_asks_first_and_ends_the_session(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.get("/accounts/logout/").status_code == 200
    assert "_auth_user_id" in client.session
    answer = client.post("/accounts/logout/")
    assert (answer.status_code, answer["Location"]) == (302, LOGIN)
    assert "_auth_user_id" not in client.session
    assert client.get("/clusters/").status_code == 302
