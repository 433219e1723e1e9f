"""Every route of llmdash, called by everybody: who is sent to sign-in, who finds nothing, who may not, who may.

A route that is missing from the table fails, and so does an entry of the table without a route.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from deployments import services
from deployments.choices import Role
from deployments.models import AppliedObject, AuditEntry, ClusterStatus, Deployment, DeploymentStatus, NodeStatus
from llmdash import stream as streams
from llmdash.accounts.choices import Scope
from llmdash.accounts.services import make_token
from tests import stage
from tests.access_table import ADMIN, JSON, PAGES, REST, TABLE, WHO, Case

# ---- the routes


def routes(patterns: Any = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route with its pattern; the addresses of the API with a slash at their end are the same routes."""
    for pattern in patterns or get_resolver().url_patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, address)
        elif not (address.startswith("api/v1/") and pattern.name is None):
            yield address, pattern


def test_the_table_holds_every_route_and_no_other() -> None:
    known = {("admin/(?P<url>.*)$" if address == "admin/^(?P<url>.*)$" else address) for address, _ in routes()}
    assert known - TABLE.keys() == set(), "routes without an entry: who may call them?"
    assert TABLE.keys() - known == set(), "entries without a route"


def test_the_table_holds_every_method_of_the_api() -> None:
    methods = ("get", "post", "put", "patch", "delete")
    for address, pattern in routes():
        view = getattr(pattern.callback, "cls", None)
        if address in REST and pattern.name != "unknown" and view:
            offered = {name.upper() for name in methods if hasattr(view, name)}
            assert offered == {case.method for case in TABLE[address]}, address


# ---- the people and what stands there


class World(NamedTuple):
    """The browsers of everybody by name, and what the parts of a route stand for."""

    cookies: dict[str, str]
    parts: dict[str, str]
    rows: dict[str, Any]


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    team = stage.project("team", cluster=stage.cluster("east"))
    other = stage.project("other", cluster=stage.cluster("west"))
    people = {role.value: stage.member(team, role.value, role) for role in Role}
    people["stranger"] = stage.member(other, "stranger", Role.ADMIN)
    people["boss"] = stage.user("boss", is_superuser=True)
    made = stage.deployment(team, people["operator"], "team-llm")
    cookies = {"anonymous": ""}
    for name, person in people.items():
        client = Client()
        client.force_login(person)
        cookies[name] = client.cookies[django_session()].value
    parts = {"pk": str(made.pk), "number": "1", "pod": "team-llm-7d9f8b6c54-x2k9p", "id": str(people["viewer"].pk)}
    parts["secret"] = "none"
    parts["member"] = str(team.memberships.get(user=people["viewer"]).pk)
    rows = observed(made, people["operator"])
    token, _ = make_token(user=people["viewer"], name="ci", scope=Scope.READ)
    return World(cookies, parts, rows | {"accounts/apitoken": token.pk})


def observed(made: Deployment, operator: Any) -> dict[str, Any]:
    """A row of every model that the admin site shows, by its address there."""
    from allauth.mfa.models import Authenticator

    cluster, now = made.project.cluster, timezone.now()
    services.store_secret(project=made.project, name="T", value="v", by=operator)
    status = ClusterStatus.objects.create(cluster=cluster, seen_at=now)
    return {
        "deployments/cluster": cluster.pk,
        "deployments/project": made.project.pk,
        "accounts/user": operator.pk,
        "auth/group": Group.objects.create(name="group").pk,
        "deployments/auditentry": AuditEntry.objects.latest("id").pk,
        "deployments/deployment": made.pk,
        "deployments/revision": made.revisions.get().pk,
        "deployments/appliedobject": AppliedObject.objects.create(
            deployment=made, api_version="v1", kind="Service", namespace="team", name="x", uid="u",
            resource_version="1", revision=1, applied_at=now,
        ).pk,
        "deployments/secretvalue": made.project.secrets.get().pk,
        "deployments/clusterstatus": status.pk,
        "deployments/nodestatus": NodeStatus.objects.create(cluster=cluster, name="node-1").pk,
        "deployments/deploymentstatus": DeploymentStatus.objects.create(deployment=made).pk,
        "mfa/authenticator": Authenticator.objects.create(user=stage.user("careful"), type="totp", data={}).pk,
    }  # fmt: skip


def django_session() -> str:
    """The name of the session's cookie."""
    return str(settings.SESSION_COOKIE_NAME)


def address_of(route: str, world: World) -> str:
    """An address that the route matches and whose rows are there."""
    special = {
        "api/v1/^$": "api/v1/",
        "api/v1/": "api/v1/nothing/here",
        r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": "accounts/confirm-email/key/",
        r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "accounts/password/reset/key/1-key/",
        "admin/^(?P<app_label>deployments|accounts|auth|mfa)/$": "admin/deployments/",
        "admin/(?P<url>.*)$": "admin/nothing/here/",
        "admin/r/<path:content_type_id>/<path:object_id>/": "admin/r/0/1/",
    }
    address = special.get(route, route)
    parts = dict(world.parts)
    if "tokens/<uuid:pk>" in route:
        parts["pk"] = str(world.rows["accounts/apitoken"])
    if "clusters/<uuid:pk>" in route or "projects/<uuid:pk>" in route:
        parts["pk"] = str(world.rows["deployments/cluster" if "clusters/" in route else "deployments/project"])
    address = address.replace("<uuid:deployment>", parts["pk"])  # none that is unknown
    for model, pk in world.rows.items():
        if route.startswith(f"admin/{model}/"):
            parts["object_id"] = str(pk)
    for name, value in parts.items():
        for kind in ("uuid:", "int:", "slug:", "kept:", "path:", ""):
            address = address.replace(f"<{kind}{name}>", value)
    assert "<" not in address, route
    return "/" + address


def call(case: Case, address: str, cookie: str, *, csrf: bool = False) -> int:
    """The status of one call, whose effects are taken back; `csrf` asks for the token, which is not sent."""
    client = Client(raise_request_exception=False, enforce_csrf_checks=csrf)
    if cookie:
        client.cookies[django_session()] = cookie
    more: dict[str, Any] = {}
    if address.startswith("/api/"):
        more = {"content_type": JSON, "headers": {"If-Match": '"1"'}}
    with transaction.atomic():
        answer = getattr(client, case.method.lower())(address, **({"data": case.body} if case.body else {}), **more)
        transaction.set_rollback(True)
    return int(answer.status_code)


@pytest.mark.parametrize("who", WHO)
def test_everybody_is_answered_as_the_table_says(world: World, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "hang_up", lambda: None)  # the connection holds the test's own transaction
    wrong = []
    for route, cases in TABLE.items():
        for case in cases:
            status = call(case, address_of(route, world), world.cookies[who])
            if status != getattr(case.says, who):
                wrong.append(f"{case.method} {route}: {status}, not {getattr(case.says, who)}")
    assert wrong == [], "\n".join(wrong)


def test_nothing_is_done_for_another_site_in_somebodys_name(world: World) -> None:
    for route, cases in TABLE.items():
        for case in cases:
            if case.method != "GET":
                assert call(case, address_of(route, world), world.cookies["boss"], csrf=True) == 403, route


def test_an_anonymous_visitor_of_any_page_is_sent_to_sign_in(world: World) -> None:
    for route, cases in (PAGES | ADMIN).items():
        if route in ("stream/", "metrics", "healthz", "readyz"):
            continue
        for case in cases:
            answer = getattr(Client(), case.method.lower())(address_of(route, world))
            assert answer["Location"].startswith("/accounts/login/?next=/"), route
