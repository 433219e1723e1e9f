"""Every writing operation of the API with every bad value in every field, and with every bad body."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from deployments.choices import Role
from llmdash.accounts import services
from llmdash.accounts.choices import Scope
from tests import stage
from tests.access_table import REST, SPEC
from tests.badinput.collection import BODIES, SCRIPT, TEXTS, VALUES
from tests.deployments.api.caller import rows

pytestmark = pytest.mark.django_db
UNLESS_REFUSED = (200, 201, 202, 204)
EMPTY = ("nothing", "space")
REFUSED = (400, 403, 404, 409, 411, 412, 413, 415, 422)
Body = dict[str, Any]
Caller = tuple[Client, dict[str, str], dict[str, int]]  # who calls, what routes' parts stand for, how many rows


@pytest.fixture
def caller() -> Caller:
    """A platform admin and a deployment that runs."""
    boss = stage.user("boss", is_superuser=True)
    team = stage.project("team")
    stage.member(team, "maria", Role.ADMIN)
    made = stage.deployment(team, boss)
    token, _ = services.make_token(user=boss, name="ci", scope=Scope.READ)
    client = Client()
    client.force_login(boss)
    parts = {
        "deployments": str(made.pk), "projects": str(team.pk), "clusters": str(team.cluster_id),
        "tokens": str(token.pk), "<uuid:member>": str(team.memberships.get().pk),
    }  # fmt: skip
    return client, parts, rows()


def writes() -> Iterator[tuple[str, str, Body | None]]:
    """Every operation that takes a body, with one that is good, or nearly."""
    for route, cases in REST.items():
        for case in cases:
            if case.method in ("POST", "PUT", "PATCH", "DELETE") and route != "api/v1/":
                yield case.method, route, case.body


READS = [route for route, cases in REST.items() if cases[0].method == "GET" and route not in ("api/v1/", "api/schema/")]
WRITES = {f"{method} {route}": (method, route, body) for method, route, body in writes()}


def described(document: Body, method: str, route: str) -> Body:
    """What the document says of that operation."""
    wanted = "/" + "/".join("{}" if part.startswith("<") else part.removesuffix("^$") for part in route.split("/"))
    for path, operations in document["paths"].items():
        if "/".join("{}" if part.startswith("{") else part for part in path.split("/")) == wanted:
            return dict(operations[method.lower()])
    raise AssertionError(f"{method} {route} is not in the document")


def resolved(document: Body, schema: Body) -> Body:
    """The schema that a reference leads to."""
    while "$ref" in schema:
        at = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        schema = at
    return schema


def fields(document: Body, method: str, route: str) -> list[tuple[str, ...]]:
    """The paths of an operation's fields. Those of a spec are the same in all, and tried where one is made."""
    found: list[tuple[str, ...]] = []
    content = described(document, method, route).get("requestBody", {}).get("content", {})
    schema = resolved(document, content["application/json"]["schema"]) if content else {}
    for name, inner in schema.get("properties", {}).items():
        found.append((name,))
        if name == "spec" and method == "POST":
            found += [(name, each) for each in resolved(document, inner)["properties"]]
    return found


def with_value(body: Body, path: tuple[str, ...], value: object) -> Body:
    """The body with one field changed."""
    first, *rest = path
    return body | {first: with_value(body.get(first, {}), tuple(rest), value) if rest else value}


def address_of(route: str, parts: dict[str, str]) -> str:
    """The route with rows that are there."""
    if "<uuid:pk>" in route:
        route = route.replace("<uuid:pk>", parts[route.split("/")[2]])
    for part, value in {
        "<uuid:member>": parts["<uuid:member>"],
        "<int:number>": "1",
        "<slug:pod>": "p",
        "<kept:secret>": "none",
        "^$": "",
    }.items():
        route = route.replace(part, value)
    return f"/{route}"


def send(caller: Caller, method: str, route: str, raw: bytes, **headers: str) -> int:
    """Send it, look at what came, and have it undone."""
    client, parts, before = caller
    address = address_of(route, parts)
    with transaction.atomic():
        answer = client.generic(method, address, raw, content_type="application/json", headers=headers)
        where = f"{method} {route} {raw[:200]!r}"
        assert answer.status_code in UNLESS_REFUSED + REFUSED, f"{answer.status_code} {where}"
        if answer.status_code in REFUSED:
            assert rows() == before, f"half-saved: {where}"
            assert answer["Content-Type"] == "application/problem+json", where
            assert answer.json()["detail"], where
        elif answer.content:
            assert answer["Content-Type"] == "application/json", where
            json.loads(answer.content)
        assert answer["X-Content-Type-Options"] == "nosniff"
        transaction.set_rollback(True)
    return int(answer.status_code)


@pytest.mark.parametrize("operation", WRITES)
def test_every_field_takes_or_refuses_every_value(caller: Caller, operation: str) -> None:
    method, route, good = WRITES[operation]
    document = caller[0].get("/api/schema/").json()
    for path in fields(document, method, route):
        for value in VALUES.values():
            wrong = with_value(good or {}, path, value)
            send(caller, method, route, json.dumps(wrong).encode(), **{"If-Match": "*"})


@pytest.mark.parametrize("operation", WRITES)
def test_no_operation_takes_a_bad_body(caller: Caller, operation: str) -> None:
    method, route, good = WRITES[operation]
    for kind, raw in BODIES.items():
        status = send(caller, method, route, raw, **{"If-Match": "*"})
        assert good is None or status in REFUSED or kind in EMPTY, (kind, status)


def test_good_bodies_are_taken(caller: Caller) -> None:
    """So that what is refused here is refused for its bad value."""
    for field, value in {"reason": "too slow", "name": "new", "spec": SPEC}.items():
        body = with_value({"project": "team", "name": "new", "spec": SPEC}, (field,), value)
        assert send(caller, "POST", "api/v1/deployments", json.dumps(body).encode()) == 202


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "Idempotency-Key", "Accept", "X-Request-ID"])
def test_every_header_is_taken_or_refused(caller: Caller, header: str) -> None:
    client, _, _ = caller
    body = json.dumps({"project": "team", "name": "new", "spec": SPEC}).encode()
    for text in TEXTS.values():
        if text.isascii() and "\r" not in text and "\n" not in text:
            with transaction.atomic():
                answer = client.post(
                    "/api/v1/deployments", body, content_type="application/json", headers={header: text[:8000]}
                )
                assert answer.status_code in (*UNLESS_REFUSED, *REFUSED, 406), (answer.status_code, text[:80])
                assert SCRIPT not in str(answer.headers), text
                transaction.set_rollback(True)


@pytest.mark.parametrize("route", READS)
def test_every_parameter_of_every_read_is_taken_or_refused(caller: Caller, route: str) -> None:
    client, parts, _ = caller
    parameters = described(client.get("/api/schema/").json(), "GET", route).get("parameters", [])
    for name in [each["name"] for each in parameters if each["in"] == "query"]:
        for text in TEXTS.values():
            answer = client.get(address_of(route, parts), {name: text[:4000]})
            assert answer.status_code in UNLESS_REFUSED + REFUSED, (answer.status_code, name, text[:80])
