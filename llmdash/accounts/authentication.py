"""Who asks the API: a program by its token, or a person by the browser's session."""

import re
from datetime import timedelta
from secrets import compare_digest
from typing import Any

import structlog
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone
from rest_framework import authentication, permissions
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from llmdash.accounts.choices import Scope, Standing
from llmdash.accounts.models import ApiToken, User
from llmdash.accounts.services import digest_of

log = structlog.get_logger(__name__)
TOKEN = re.compile(r"llmd_([A-Za-z0-9]{1,16})_([A-Za-z0-9]{1,100})")
NOBODY = digest_of("")
USED_EVERY = timedelta(minutes=1)


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer llmd_…`. Whoever sends one is judged by it, whatever session the browser has."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        given = bearer(request)
        if given is None:
            return None
        token = known(given)
        if token.standing is not Standing.GOOD:
            raise AuthenticationFailed(f"This token is {token.standing.value}.")
        if not token.user.is_active:
            raise AuthenticationFailed("The person of this token is not active.")
        note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """RFC 6750: with an error only for who sent a token."""
        error = "" if bearer(request) is None else ', error="invalid_token"'
        return f'Bearer realm="llmdash"{error}'


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, with the CSRF token on unsafe methods."""


class WithinScope(permissions.BasePermission):
    """A token that may read does nothing else."""

    message = "This token may read and nothing else."

    def has_permission(self, request: Request, view: Any) -> bool:
        token = request.auth
        may_only_read = isinstance(token, ApiToken) and token.scope != Scope.WRITE
        return request.method in permissions.SAFE_METHODS or not may_only_read


class BySession(permissions.BasePermission):
    """What a token may not do: a stolen one must not outlive itself."""

    message = "Sign in to do this: a token may not make tokens."

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in permissions.SAFE_METHODS or request.method == "DELETE" or request.auth is None


def bearer(request: Request) -> str | None:
    """The token as it was sent, None where none was."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def known(given: str) -> ApiToken:
    """The token of that text. Raises AuthenticationFailed, after the same work, when there is none."""
    prefix, secret = found.groups() if (found := TOKEN.fullmatch(given)) else ("", "")
    token = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    if not compare_digest(digest_of(secret), token.digest if token else NOBODY) or not token:
        raise AuthenticationFailed("There is no such token.")
    return token


def note_use(token: ApiToken) -> None:
    """Write when it was used, at most once a minute; a database that cannot be written to lets readers read."""
    now = timezone.now()
    if token.last_used_at and now - token.last_used_at < USED_EVERY:
        return
    long_ago = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USED_EVERY)
    try:
        ApiToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)
    except DatabaseError as error:
        log.warning("the use of a token could not be noted", token=token.prefix, exc_info=error)
