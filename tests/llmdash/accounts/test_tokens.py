"""API tokens: how they are made, what they open, and when they stop."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from deployments.choices import Role
from deployments.models import AuditEntry, Project
from llmdash.accounts import services
from llmdash.accounts.choices import Scope
from llmdash.accounts.models import ApiToken, User
from tests import stage
from tests.deployments.api.caller import problem

pytestmark = pytest.mark.django_db
PROJECTS = "/api/v1/projects"


@pytest.fixture
def team() -> Project:
    return stage.project("team")


@pytest.fixture
def maria(team: Project) -> User:
    return stage.member(team, "maria", Role.OPERATOR)


def made(user: User, scope: Scope = Scope.WRITE, **more: Any) -> tuple[ApiToken, str]:
    return services.make_token(user=user, name="pipeline", scope=scope, **more)


def call(method: str, path: str, token: str, body: Any = None, client: Client | None = None) -> Any:
    """A request of a program, whose client refuses unsafe requests without a CSRF token where they need one."""
    client = client or Client(enforce_csrf_checks=True)
    data = b"" if body is None else json.dumps(body)
    headers = {"Authorization": f"Bearer {token}"}
    return client.generic(method, path, data, content_type="application/json", headers=headers)


def test_a_token_opens_what_its_person_may_see(maria: User) -> None:
    _, text = made(maria, Scope.READ)
    assert [row["name"] for row in call("GET", PROJECTS, text).json()["results"]] == ["team"]


def test_nothing_of_the_secret_is_kept_but_its_digest(maria: User) -> None:
    token, text = made(maria)
    secret = text.rsplit("_", 1)[1]
    row = ApiToken.objects.values().get()
    assert secret not in str(row)
    assert secret not in str(list(AuditEntry.objects.values()))
    assert row["digest"] == services.digest_of(secret)
    assert text.startswith(f"llmd_{token.prefix}_")


def test_a_writing_token_needs_no_csrf_token(maria: User, team: Project) -> None:
    _, text = made(maria)
    body = {"project": "team", "name": "qwen", "spec": {"llm": "Qwen/Qwen3-8B"}}
    assert call("POST", "/api/v1/deployments", text, body).status_code == 202
    assert AuditEntry.objects.get(action="create").actor == maria


def test_a_reading_token_may_not_write(maria: User, team: Project) -> None:
    _, text = made(maria, Scope.READ)
    body = {"name": "T", "value": "v"}
    said = problem(call("POST", f"{PROJECTS}/{team.pk}/secrets", text, body), 403)
    assert said["detail"] == "This token may read and nothing else."


@pytest.mark.parametrize("text", ["", "llmd_", "llmd_a_b", "nonsense", "llmd_a_b_c", "x" * 5000, "llmd_ä_b"])
def test_what_is_no_token_is_refused(maria: User, text: str) -> None:
    answer = call("GET", PROJECTS, text)
    assert problem(answer, 401)["detail"] == "There is no such token."
    assert answer["WWW-Authenticate"] == 'Bearer realm="llmdash", error="invalid_token"'


def test_the_right_prefix_with_another_secret_is_refused(maria: User) -> None:
    token, text = made(maria)
    problem(call("GET", PROJECTS, f"llmd_{token.prefix}_{'x' * 40}"), 401)
    problem(call("GET", PROJECTS, text[:-1]), 401)


def test_expired_revoked_and_orphaned_tokens_are_refused(maria: User) -> None:
    token, text = made(maria)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert problem(call("GET", PROJECTS, text), 401)["detail"] == "This token is expired."
    services.revoke_token(token=token, by=maria)
    assert problem(call("GET", PROJECTS, text), 401)["detail"] == "This token is revoked."
    _, other = made(maria)
    User.objects.update(is_active=False)
    assert problem(call("GET", PROJECTS, other), 401)["detail"] == "The person of this token is not active."


def test_a_bad_token_is_not_forgiven_for_a_good_session(maria: User) -> None:
    client = Client()
    client.force_login(maria)
    problem(call("GET", PROJECTS, "llmd_a_b", client=client), 401)


def test_the_use_is_noted_at_most_once_a_minute(maria: User) -> None:
    _, text = made(maria)
    call("GET", PROJECTS, text)
    first = ApiToken.objects.get().last_used_at
    assert first
    call("GET", PROJECTS, text)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    call("GET", PROJECTS, text)
    assert ApiToken.objects.get().last_used_at >= first  # type: ignore[operator]


def test_a_token_is_good_for_ninety_days_and_never_for_more_than_the_setting_says(maria: User, settings: Any) -> None:
    token, _ = made(maria)
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    settings.LLMDASH = settings.LLMDASH | {"TOKEN_MAX_DAYS": 7}
    assert made(maria)[0].expires_at - timezone.now() <= timedelta(days=7)
    with pytest.raises(ValidationError, match="1 to 7 days"):
        made(maria, days=8)


def test_a_person_has_a_hundred_tokens_at_most(maria: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_TOKENS", 1)
    token, _ = made(maria)
    with pytest.raises(services.TooMany):
        made(maria)
    services.revoke_token(token=token, by=maria)
    made(maria)


# ---- by REST


def test_a_session_makes_lists_and_revokes_tokens(maria: User) -> None:
    client = Client()
    client.force_login(maria)
    answer = client.post("/api/v1/tokens", {"name": "ci", "scope": "write", "days": 3}, content_type="application/json")
    assert answer.status_code == 201
    text = answer.json()["token"]
    assert call("GET", PROJECTS, text).status_code == 200
    (row,) = client.get("/api/v1/tokens").json()["results"]
    assert (row["name"], row["scope"], row["standing"]) == ("ci", "write", "good")
    assert "token" not in row
    assert "digest" not in row
    assert client.delete(f"/api/v1/tokens/{row['id']}").status_code == 204
    assert client.delete(f"/api/v1/tokens/{row['id']}").status_code == 204
    assert [entry.action for entry in AuditEntry.objects.all()] == ["revoke token", "make token"]
    problem(call("GET", PROJECTS, text), 401)


def test_a_token_makes_no_token_and_may_revoke_one(maria: User) -> None:
    token, text = made(maria)
    said = problem(call("POST", "/api/v1/tokens", text, {"name": "more"}), 403)
    assert said["detail"] == "Sign in to do this: a token may not make tokens."
    assert call("DELETE", f"/api/v1/tokens/{token.pk}", text).status_code == 204


def test_tokens_of_others_are_not_there(maria: User) -> None:
    token, _ = made(stage.user("other"))
    client = Client()
    client.force_login(maria)
    assert client.get("/api/v1/tokens").json()["count"] == 0
    problem(client.delete(f"/api/v1/tokens/{token.pk}"), 404)
    assert client.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/name"), ({"name": ""}, "/name"), ({"name": "a", "scope": "all"}, "/scope"),
     ({"name": "a", "days": 0}, "/days"), ({"name": "a", "days": 366}, "/days"), ({"name": "a", "user": 1}, "/user")],
)  # fmt: skip
def test_bad_bodies_are_refused_where_they_are_bad(maria: User, body: dict[str, Any], pointer: str) -> None:
    client = Client()
    client.force_login(maria)
    said = problem(client.post("/api/v1/tokens", body, content_type="application/json"), 400)
    assert [error["pointer"] for error in said["errors"]] == [pointer]


# ---- on the page


def test_the_page_shows_a_new_secret_once(maria: User) -> None:
    client = Client()
    client.force_login(maria)
    answer = client.post("/accounts/tokens/", {"name": "laptop", "scope": "read", "days": 30})
    _, text = answer.context["made"]
    assert text in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert text not in client.get("/accounts/tokens/").content.decode()
    assert call("GET", PROJECTS, text).status_code == 200


def test_the_page_says_beside_the_field_what_is_wrong(maria: User) -> None:
    client = Client()
    client.force_login(maria)
    answer = client.post("/accounts/tokens/", {"name": "laptop", "scope": "read", "days": 4000})
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"days": ["A token is good for 1 to 365 days."]}


def test_a_token_is_revoked_on_the_page_after_asking(maria: User) -> None:
    token, text = made(maria)
    client = Client()
    client.force_login(maria)
    assert client.get(f"/accounts/tokens/{token.pk}/revoke/").status_code == 200
    assert call("GET", PROJECTS, text).status_code == 200
    assert client.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 302
    problem(call("GET", PROJECTS, text), 401)
    assert "Revoked" in client.get("/accounts/tokens/").content.decode()


def test_the_page_lists_tokens_in_a_fixed_number_of_queries(
    maria: User, django_assert_num_queries: Any
) -> None:  # fmt: skip
    client = Client()
    client.force_login(maria)
    for _ in range(5):
        made(maria)
    with django_assert_num_queries(3):  # session, user, tokens
        client.get("/accounts/tokens/")


# ---- in the admin site


def test_a_platform_admin_sees_tokens_without_their_digest_and_revokes_them(office: Client, maria: User) -> None:
    token, text = made(maria)
    page = office.get(f"/admin/accounts/apitoken/{token.pk}/change/").content.decode()
    assert token.prefix in page
    assert token.digest not in page
    office.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": [str(token.pk)]})
    problem(call("GET", PROJECTS, text), 401)
    entry = AuditEntry.objects.first()
    assert entry
    assert (entry.action, entry.actor_name, entry.detail) == ("revoke token", "boss", {"owner": "maria"})
