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

WHO = ("anonymous", "viewer", "operator", "admin", "stranger", "boss")


class Says(NamedTuple):
    """The status for each of WHO: the stranger is admin of another project, the boss platform admin."""

    anonymous: int
    viewer: int
    operator: int
    admin: int
    stranger: int
    boss: int


EVERYBODY = Says(200, 200, 200, 200, 200, 200)
SIGNED_IN = Says(302, 200, 200, 200, 200, 200)
ELSEWHERE = Says(302, 302, 302, 302, 302, 302)

PAGE = Says(302, 200, 200, 200, 404, 200)  # read in a project
ASK = Says(302, 403, 200, 200, 404, 200)  # the page of an act
DO = Says(302, 403, 302, 302, 404, 302)  # the act

MANAGE = Says(302, 403, 403, 200, 404, 200)  # members, by the project's admins
MANAGE_REFUSED = Says(302, 403, 403, 422, 404, 422)
MANAGE_DOES = Says(302, 403, 403, 302, 404, 302)
BOSS = Says(302, 403, 403, 403, 403, 200)  # platform admins only, whether the row is there or not
BOSS_REFUSED = Says(302, 403, 403, 403, 403, 422)
BOSS_DOES = Says(302, 403, 403, 403, 403, 302)

LIST = Says(401, 200, 200, 200, 200, 200)
READ = Says(401, 200, 200, 200, 404, 200)
ACT = Says(401, 403, 202, 202, 404, 202)
SET = Says(401, 403, 200, 200, 404, 200)
STORE = Says(401, 403, 201, 201, 404, 201)
CREATE = Says(401, 403, 202, 202, 400, 202)  # the project stands in the body, so an unseen one is a bad value
UNCHANGED = Says(401, 403, 409, 409, 404, 409)
UNKNOWN = Says(401, 404, 404, 404, 404, 404)

OFFICE = Says(302, 403, 403, 403, 403, 200)
OFFICE_DONE = Says(302, 403, 403, 403, 403, 302)
OFFICE_CLOSED = Says(302, 403, 403, 403, 403, 403)
OFFICE_NOTHING = Says(302, 403, 403, 403, 403, 404)


class Case(NamedTuple):
    """One way of calling a route, and what each person is answered."""

    method: str
    says: Says
    body: dict[str, Any] | None = None


Table = dict[str, list[Case]]
JSON = "application/json"
ONE = "deployments/<uuid:pk>/"
API = "api/v1/deployments/<uuid:pk>"
SPEC = {"llm": "Qwen/Qwen3-8B", "replicas": 2}


def gets(says: Says, *routes: str) -> Table:
    return {route: [Case("GET", says)] for route in routes}


def asks_and_does(route: str, body: dict[str, Any] | None = None) -> Table:
    return {ONE + route: [Case("GET", ASK), Case("POST", DO, {"idempotency_key": "k"} | (body or {}))]}


PAGES: Table = {
    **gets(
        SIGNED_IN, "", "overview/traffic/", "deployments/", "clusters/", "projects/", "activity/", "activity/export/"
    ),
    **gets(PAGE, ONE, f"{ONE}revisions/<int:number>/", f"{ONE}pods/<slug:pod>/logs/", f"{ONE}charts/"),
    **gets(PAGE, "clusters/<uuid:pk>/", "clusters/<uuid:pk>/nodes/", "projects/<uuid:pk>/"),
    "projects/new/": [Case("GET", BOSS), Case("POST", BOSS_REFUSED, {"name": "Not A Name"})],
    "projects/<uuid:pk>/rename/": [Case("GET", BOSS), Case("POST", BOSS_DOES, {"name": "renamed"})],
    "projects/<uuid:pk>/remove/": [Case("GET", BOSS), Case("POST", BOSS_REFUSED, {"confirm": "no"})],
    "projects/<uuid:pk>/members/add/": [
        Case("GET", MANAGE),
        Case("POST", MANAGE_REFUSED, {"kind": "user", "name": "nobody", "role": "viewer"}),
    ],
    "projects/<uuid:pk>/members/<uuid:member>/role/": [
        Case("GET", MANAGE),
        Case("POST", MANAGE_DOES, {"role": "operator"}),
    ],
    "projects/<uuid:pk>/members/<uuid:member>/remove/": [Case("GET", MANAGE), Case("POST", MANAGE_DOES)],
    "deployments/new/": [
        Case("GET", Says(302, 403, 200, 200, 200, 200)),
        Case("POST", Says(302, 403, 422, 422, 422, 422), {"name": "Not A Name"}),
    ],
    f"{ONE}edit/": [Case("GET", ASK), Case("POST", Says(302, 403, 422, 422, 404, 422), {"llm": "no slash"})],
    **asks_and_does("scale/", {"replicas": "3"}),
    **asks_and_does("stop/"),
    **asks_and_does("start/"),
    **asks_and_does("restart/"),
    **asks_and_does("delete/", {"confirm": "team-llm"}),
    **asks_and_does("take-over/"),
    **asks_and_does("try-again/"),
    **asks_and_does("drift-policy/", {"policy": "leave"}),
    **asks_and_does("revisions/<int:number>/roll-back/"),
    **gets(Says(401, 200, 200, 200, 200, 200), "stream/", "metrics"),
    **gets(EVERYBODY, "healthz", "readyz"),
}

REST: Table = {
    "api/v1/^$": [Case("GET", LIST)],
    "api/v1/": [Case("GET", UNKNOWN), Case("POST", UNKNOWN, {})],
    "api/v1/deployments": [
        Case("GET", LIST),
        Case("POST", CREATE, {"project": "team", "name": "new", "spec": SPEC}),
    ],
    API: [
        Case("GET", READ),
        Case("PUT", ACT, {"spec": SPEC}),
        Case("PATCH", ACT, {"spec": SPEC}),
        Case("DELETE", ACT),
    ],
    f"{API}/scale": [Case("POST", ACT, {"replicas": 3})],
    f"{API}/stop": [Case("POST", ACT)],
    f"{API}/start": [Case("POST", UNCHANGED)],
    f"{API}/restart": [Case("POST", ACT)],
    f"{API}/rollback": [Case("POST", UNCHANGED, {"revision": 1})],
    f"{API}/take-over": [Case("POST", ACT)],
    f"{API}/try-again": [Case("POST", UNCHANGED)],
    f"{API}/drift-policy": [Case("POST", SET, {"drift_policy": "leave"})],
    **gets(READ, f"{API}/revisions", f"{API}/revisions/<int:number>", f"{API}/audit"),
    **gets(READ, f"{API}/status", f"{API}/pods", f"{API}/events"),
    **gets(LIST, "api/v1/projects", "api/v1/clusters"),
    **gets(READ, "api/v1/projects/<uuid:pk>", "api/v1/clusters/<uuid:pk>"),
    "api/v1/projects/<uuid:pk>/secrets": [Case("GET", READ), Case("POST", STORE, {"name": "T", "value": "v"})],
}

REST |= {
    "api/v1/tokens": [Case("GET", LIST), Case("POST", Says(401, 201, 201, 201, 201, 201), {"name": "ci"})],
    "api/v1/tokens/<uuid:pk>": [Case("DELETE", Says(401, 204, 404, 404, 404, 404))],  # the viewer's own
}

# Platform admins make, rename and remove projects; whoever does not see one finds nothing.
OWN = Says(401, 403, 403, 403, 404, 412)
MEMBERS = "api/v1/projects/<uuid:pk>/members"
JOIN = Says(401, 403, 403, 400, 404, 400)
RANK = Says(401, 403, 403, 412, 404, 412)

REST["api/v1/projects"].append(Case("POST", Says(401, 403, 403, 403, 403, 400), {"name": "new"}))
REST["api/v1/projects/<uuid:pk>"] += [Case("PATCH", OWN, {"name": "renamed"}), Case("DELETE", OWN)]
REST |= {
    MEMBERS: [Case("GET", READ), Case("POST", JOIN, {"user": "nobody", "role": "viewer"})],
    f"{MEMBERS}/<uuid:member>": [Case("GET", READ), Case("PATCH", RANK, {"role": "admin"}), Case("DELETE", RANK)],
    **gets(LIST, "api/v1/audit", "api/schema/"),
    "api/v1/search": [Case("GET", Says(401, 400, 400, 400, 400, 400))],  # nothing to search for
}
PAGES |= {"api/docs/": [Case("GET", SIGNED_IN)]}

ACCOUNTS: Table = {
    "accounts/tokens/": [
        Case("GET", SIGNED_IN),
        Case("POST", SIGNED_IN, {"name": "ci", "scope": "read", "days": "1"}),
    ],
    "accounts/tokens/<uuid:pk>/revoke/": [  # the viewer's own
        Case("GET", Says(302, 200, 404, 404, 404, 404)),
        Case("POST", Says(302, 302, 404, 404, 404, 404)),
    ],
    **gets(Says(200, 302, 302, 302, 302, 302), "accounts/login/", "accounts/signup/"),
    **gets(Says(302, 200, 200, 200, 200, 200), "accounts/logout/", "accounts/email/", "accounts/password/change/"),
    **gets(EVERYBODY, "accounts/inactive/", "accounts/confirm-email/", "accounts/password/reset/"),
    **gets(EVERYBODY, "accounts/password/reset/done/", "accounts/password/reset/key/done/"),
    **gets(EVERYBODY, r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"),
    **gets(EVERYBODY, r"accounts/^confirm-email/(?P<key>[-:\w]+)/$"),
    **gets(ELSEWHERE, "accounts/login/code/confirm/", "accounts/password/set/", "accounts/2fa/authenticate/"),
    **gets(SIGNED_IN, "accounts/2fa/", "accounts/reauthenticate/"),
    **gets(ELSEWHERE, "accounts/2fa/reauthenticate/"),
    **gets(ELSEWHERE, "accounts/2fa/totp/activate/", "accounts/2fa/recovery-codes/generate/"),  # the password again
    **gets(Says(302, 404, 404, 404, 404, 404), "accounts/2fa/totp/deactivate/"),
    **gets(Says(302, 404, 404, 404, 404, 404), "accounts/2fa/recovery-codes/"),
    **gets(Says(302, 404, 404, 404, 404, 404), "accounts/2fa/recovery-codes/download/"),
}

WRITTEN = ("deployments/cluster", "deployments/project", "accounts/user", "auth/group")
SHOWN = (
    *("deployments/auditentry", "deployments/deployment", "deployments/revision", "deployments/appliedobject"),
    *(
        "accounts/apitoken",
        "deployments/secretvalue",
        "deployments/clusterstatus",
        "deployments/nodestatus",
        "deployments/deploymentstatus",
    ),
)
REMOVED = ("mfa/authenticator",)  # shown, and taken away from somebody who lost theirs


def office(model: str) -> Table:
    """The pages of one model in the admin site."""
    at = f"admin/{model}/"
    add = OFFICE if model in WRITTEN else OFFICE_CLOSED
    change = OFFICE_CLOSED if model not in WRITTEN else OFFICE
    delete = OFFICE_CLOSED if model in SHOWN else OFFICE
    return {
        at: [Case("GET", OFFICE)],
        f"{at}add/": [Case("GET", add), Case("POST", add, {})],
        f"{at}<path:object_id>/": [Case("GET", OFFICE_DONE)],
        f"{at}<path:object_id>/change/": [Case("GET", OFFICE), Case("POST", change, {})],
        f"{at}<path:object_id>/history/": [Case("GET", OFFICE)],
        f"{at}<path:object_id>/delete/": [Case("GET", delete)],
    }


ADMIN: Table = {
    **gets(OFFICE, "admin/", "admin/jsi18n/", "admin/password_change/done/"),
    **gets(OFFICE_DONE, "admin/login/", "admin/password_change/"),
    "admin/logout/": [Case("POST", Says(302, 403, 403, 403, 403, 302), {})],
    **gets(OFFICE_CLOSED, "admin/autocomplete/"),  # no page of ours asks it for anything
    **gets(OFFICE_NOTHING, "admin/r/<path:content_type_id>/<path:object_id>/", "admin/(?P<url>.*)$"),
    **gets(OFFICE, "admin/^(?P<app_label>deployments|accounts|auth|mfa)/$", "admin/accounts/user/<id>/password/"),
    **{route: cases for model in (*WRITTEN, *SHOWN, *REMOVED) for route, cases in office(model).items()},
}

TABLE: Table = PAGES | REST | ACCOUNTS | ADMIN


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
    for model, pk in world.rows.items():
        if route.startswith(f"admin/{model}/"):
            parts["object_id"] = str(pk)
    for name, value in parts.items():
        for kind in ("uuid:", "int:", "slug:", "path:", ""):
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
