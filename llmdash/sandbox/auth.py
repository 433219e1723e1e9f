"""Who is asking: the admin's token, tokens of ServiceAccounts, and impersonation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from llmdash.sandbox import errors, rbac
from llmdash.sandbox.paths import Request
from llmdash.sandbox.rbac import Ask, User
from llmdash.sandbox.store import Store

Json = dict[str, Any]
ADMIN = User("admin", "admin", (rbac.MASTERS, "system:authenticated"))
ANONYMOUS = User("system:anonymous", "", ("system:unauthenticated",))
ISSUER = "https://kubernetes.default.svc.cluster.local"
EXTRA = "impersonate-extra-"


class Tokens:
    """The admin's token, and signed ones for ServiceAccounts that need no keeping."""

    def __init__(self, admin: str, key: bytes, store: Store, clock: Callable[[], float]) -> None:
        self.admin = admin
        self._key = key
        self._store = store
        self._clock = clock

    def issue(self, account: Json, seconds: int, audiences: list[str]) -> tuple[str, float]:
        """A token of a ServiceAccount and when it expires."""
        meta, now = account["metadata"], int(self._clock())
        claims = {
            "aud": audiences or [ISSUER], "exp": now + seconds, "iat": now, "nbf": now, "iss": ISSUER,
            "jti": str(uuid.uuid4()), "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
            "kubernetes.io": {
                "namespace": meta["namespace"], "serviceaccount": {"name": meta["name"], "uid": meta["uid"]}
            },
        }  # fmt: skip
        head = _encode(json.dumps({"alg": "HS256", "kid": "sandbox"}).encode())
        signed = f"{head}.{_encode(json.dumps(claims).encode())}"
        return f"{signed}.{self._sign(signed)}", now + seconds

    def _sign(self, signed: str) -> str:
        return _encode(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())

    def user(self, header: str) -> User:
        """Who sent an Authorization header; nobody in particular without a token. Raises a 401 for a wrong one."""
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return ANONYMOUS
        if secrets.compare_digest(token.encode(), self.admin.encode()):
            return ADMIN
        return self._account(token)

    def _account(self, token: str) -> User:
        signed, _, signature = token.rpartition(".")
        if not signed or not secrets.compare_digest(signature.encode(), self._sign(signed).encode()):
            raise errors.unauthorized()
        claims = json.loads(_decode(signed.partition(".")[2]))
        _, _, namespace, name = claims["sub"].split(":")
        found = self._store.get("/serviceaccounts", namespace, name)
        same = found and found["metadata"]["uid"] == claims["kubernetes.io"]["serviceaccount"]["uid"]
        if not same or claims["exp"] < self._clock():
            raise errors.unauthorized()
        uid = claims["kubernetes.io"]["serviceaccount"]["uid"]
        extra = (("authentication.kubernetes.io/credential-id", (f"JTI={claims['jti']}",)),)
        return User(claims["sub"], uid, rbac.account_groups(namespace), extra)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(written: str) -> bytes:
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


def impersonate(store: Store, user: User, headers: Mapping[str, str], request: Request) -> User:
    """Whom the request is made as. Raises a 403 for what the user may not, a 400 for groups without a user."""
    name = headers.get("impersonate-user", "")
    groups = tuple(filter(None, headers.get("impersonate-group", "").split(",")))
    extra = {
        unquote(key.removeprefix(EXTRA)).lower(): tuple(value.split(","))
        for key, value in headers.items()
        if key.startswith(EXTRA)
    }
    if not name:
        if groups or extra or headers.get("impersonate-uid"):
            raise errors.internal("requested impersonation without impersonating a user")
        return user
    for ask in _asks(name, groups, extra, uid=headers.get("impersonate-uid", "")):
        if not rbac.allowed(store, user, ask):
            raise _denied(user, ask, request)
    account = rbac.account_of(name)
    if account and not groups:
        groups = rbac.account_groups(account[0])
    elif "system:unauthenticated" not in groups and "system:authenticated" not in groups:
        groups = (*groups, "system:authenticated" if name != "system:anonymous" else "system:unauthenticated")
    return User(name, headers.get("impersonate-uid", ""), groups, tuple(sorted(extra.items())))


def _asks(name: str, groups: tuple[str, ...], extra: Mapping[str, tuple[str, ...]], *, uid: str) -> list[Ask]:
    account = rbac.account_of(name)
    if account:
        asks = [Ask("impersonate", "", "serviceaccounts", "", account[0], account[1])]
    else:
        asks = [Ask("impersonate", "", "users", "", "", name)]
    asks += [Ask("impersonate", "", "groups", "", "", one) for one in groups]
    special = "authentication.k8s.io"
    for key, values in extra.items():
        asks += [Ask("impersonate", special, "userextras", key, "", one) for one in values]
    if uid:
        asks.append(Ask("impersonate", special, "uids", "", "", uid))
    return asks


def _denied(user: User, ask: Ask, request: Request) -> errors.Refusal:
    """The real one asks first for the right to impersonate for this one kind of request, and tells of that."""
    if request.resource is None:
        return errors.forbidden(None, "", rbac.denial(user, Ask(ask.verb, path=request.path)))
    mode = "serviceaccount" if ask.resource == "serviceaccounts" else "user-info"
    asked = Ask(
        f"impersonate-on:{mode}:{request.verb}", request.resource.group, request.resource.plural, request.subresource,
        request.namespace, request.name,
    )  # fmt: skip
    return errors.forbidden(request.resource, request.name, rbac.denial(user, asked))


def ask_of(request: Request) -> Ask:
    """What a request wants to do."""
    if request.resource is None:
        return Ask(request.verb, path=request.path)
    return Ask(
        request.verb, request.resource.group, request.resource.plural, request.subresource,
        request.namespace, request.name,
    )  # fmt: skip
