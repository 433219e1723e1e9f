"""Every form of every page with every bad text in every field, those that nobody sees among them."""

import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployments.models import Deployment
from tests.badinput.browserform import Form, forms_of
from tests.badinput.collection import SCRIPT, TEXTS
from tests.deployments.api.caller import rows
from tests.e2e.test_pages import addresses, boss, offices, person, served

__all__ = ["served"]  # a fixture
pytestmark = pytest.mark.django_db
REFUSED = (200, 400, 403, 404, 409, 413, 422)
LARGEST = ("/new/", "/edit/")
ONE_IN = int(os.environ.get("BADINPUT_ONE_IN", "6"))  # of the pairs of a field and a text; 1 sends them all
SIGNED_OUT = ("/accounts/login/", "/accounts/password/reset/")


def browser(of: Any) -> Client:
    client = Client()
    if of:
        client.force_login(of)
    return client


QUERIES = {
    "/deployments/": ("q", "page", "sort", "health", "project", "cluster"),
    "/deployments/new/": ("project",),
    "/deployments/bulk/": ("act", "pk"),
    "/projects/": ("q", "page", "sort"),
    "/activity/": ("q", "actor", "action", "kind", "project", "since", "until", "before"),
    "/activity/export/": ("format", "q", "since"),
    "/clusters/": ("q", "page", "sort", "state"),
    "/api/docs/": ("q",),
    "/accounts/login/": ("next",),
}
WHO: dict[str, Callable[[Deployment], tuple[Any, Iterable[str]]]] = {
    "nobody": lambda served: (None, SIGNED_OUT),
    "maria": lambda served: (person(), [address for address in addresses(served) if not address.endswith(LARGEST)]),
    "maria, who makes": lambda served: (person(), ["/deployments/new/"]),
    "maria, who edits": lambda served: (person(), [f"/deployments/{served.pk}/edit/"]),
    "boss": lambda served: (boss(), offices(served)),
}


def forms_for(who: str, served: Deployment) -> tuple[Client, list[tuple[str, Form]]]:
    """That person's browser, and every form of their pages with the address it goes to, once."""
    of, pages = WHO[who](served)
    client, found = browser(of), {}
    for address in pages:
        for form in forms_of(client.get(address).content.decode()):
            action = form.action or address.partition("?")[0]
            if action != "/accounts/logout/":
                found[action, tuple(form.typed)] = (action, form)
    return client, list(found.values())


def send(client: Client, before: dict[str, int], address: str, data: dict[str, str]) -> None:
    """Send it, look at what came, and have it undone."""
    with transaction.atomic():
        answer = client.post(address, data)
        where = f"POST {address} { ({name: value[:80] for name, value in data.items()}) }"
        assert answer.status_code in (302, *REFUSED), f"{answer.status_code} {where}"
        if answer.status_code == 302:
            assert answer["Location"].startswith("/"), where
            answer = client.get(answer["Location"])
            assert answer.status_code < 500, where
        elif answer.status_code >= 400:
            assert rows() == before, f"half-saved: {where}"
            said = answer.content.decode()
            assert answer.status_code != 422 or 'class="err"' in said or 'role="alert"' in said, where
        assert SCRIPT not in answer.content.decode(), f"markup came through: {where}"
        transaction.set_rollback(True)


def test_forms_are_found(served: Deployment) -> None:
    found = {address for who in WHO for address, _ in forms_for(who, served)[1]}
    assert len(found) > 25
    assert {"/deployments/new/", "/clusters/new/", "/projects/new/", "/accounts/tokens/", "/accounts/login/"} <= found


@pytest.mark.parametrize("who", WHO)
def test_a_bad_text_in_one_field_of_a_good_form(served: Deployment, who: str) -> None:
    """Every field gets another one of ONE_IN texts than the field before it, so that neighbours together get all."""
    client, forms = forms_for(who, served)
    before = rows()
    fields = [(address, form, name) for address, form in forms for name in form.typed if name != "csrfmiddlewaretoken"]
    for number, (address, form, name) in enumerate(fields):
        for text in list(TEXTS.values())[number % ONE_IN :: ONE_IN]:
            send(client, before, address, form.fields | {name: text})


@pytest.mark.parametrize("who", WHO)
def test_every_form_with_nothing_and_with_everything_bad(served: Deployment, who: str) -> None:
    client, forms = forms_for(who, served)
    before = rows()
    for address, form in forms:
        send(client, before, address, {})
        for text in TEXTS.values():
            send(client, before, address, dict.fromkeys(form.typed, text))


@settings(max_examples=5, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=300))
def test_any_text_in_the_largest_form(served: Deployment, text: str) -> None:
    client, before = browser(person()), rows()
    [form] = [form for form in forms_of(client.get("/deployments/new/").content.decode()) if "llm" in form.fields]
    for name in form.typed:
        if name != "csrfmiddlewaretoken":
            send(client, before, "/deployments/new/", form.fields | {name: text})


def test_ten_megabytes_are_refused_before_they_are_read(served: Deployment) -> None:
    client = browser(person())
    for address in ("/deployments/new/", f"/deployments/{served.pk}/edit/", "/accounts/tokens/"):
        assert client.post(address, {"name": "a" * 10_000_000}).status_code == 413


@pytest.mark.parametrize("address", QUERIES)
def test_every_query_of_every_page_is_taken_or_ignored(served: Deployment, address: str) -> None:
    client = browser(boss())
    for name in QUERIES[address]:
        for text in TEXTS.values():
            judge_page(client, address, {name: text[:4000]})


def test_every_query_of_a_rows_page_is_taken_or_ignored(served: Deployment) -> None:
    client, cluster = browser(boss()), f"/clusters/{served.project.cluster_id}/"
    one = f"/deployments/{served.pk}/"
    for text in TEXTS.values():
        for name in ("q", "page", "gpu", "state"):
            judge_page(client, f"{cluster}nodes/", {name: text[:4000]})
        judge_page(client, one, {"page": text[:4000]})
        judge_page(client, f"{one}charts/", {"minutes": text[:4000]})
        judge_page(client, f"{one}pods/p/logs/", {"previous": text[:4000]})


def judge_page(client: Client, address: str, query: dict[str, str]) -> None:
    answer = client.get(address, query)
    assert answer.status_code in (200, 302, 400, 404), (answer.status_code, address, query)
    assert urlsplit(answer.headers.get("Location", "")).netloc == "", (answer["Location"], query)
    assert urlsplit(answer.headers.get("Location", "")).scheme == "", (answer["Location"], query)
    if not answer.streaming:
        assert SCRIPT not in answer.content.decode(), (address, query)
