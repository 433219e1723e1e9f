"""A database that takes nothing: pages are read, nothing is changed, and it heals by itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.test import Client
from django.urls import reverse

from deployments import database
from deployments.models import AuditEntry, WriteProbe
from tests import stage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """The mode is the process's."""
    yield
    database._sentence = ""


@contextmanager
def unwritable() -> Iterator[None]:
    """SQLite refuses every write with the error of a file that may only be read."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
        try:
            yield
        finally:
            cursor.execute("PRAGMA query_only = 0")


def test_a_write_that_is_refused_makes_read_only_until_a_probe_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    with unwritable():
        with pytest.raises(OperationalError) as refused:
            database.probe()
        assert database.note(refused.value) == database.READ_ONLY
        monkeypatch.setattr(database, "PROBE_SECONDS", 0.0)
        assert database.read_only() == database.READ_ONLY
    assert (database.read_only(), WriteProbe.objects.count()) == ("", 0)


def test_the_database_is_not_asked_more_often_than_every_few_seconds() -> None:
    with unwritable(), pytest.raises(OperationalError) as refused:
        database.probe()
    database.note(refused.value)
    assert database.read_only() == database.READ_ONLY, "there is room again, but it was asked just now"


def test_pages_are_read_and_say_so_and_acts_are_refused() -> None:
    boss = stage.user("boss", is_superuser=True)
    row = stage.deployment(stage.project(), boss)
    client = Client(raise_request_exception=False)
    client.force_login(boss)
    page, act = reverse("deployments:detail", args=[row.pk]), reverse("deployments:stop", args=[row.pk])
    entries = AuditEntry.objects.count()
    with unwritable():
        first = client.post(act, {"idempotency_key": "k"})
        assert (first.status_code, first["Retry-After"]) == (503, "5")
        assert database.READ_ONLY in first.content.decode()
        seen = client.get(page)
        assert (seen.status_code, database.READ_ONLY in seen.content.decode()) == (200, True)
        api = client.delete(f"/api/v1/deployments/{row.pk}", headers={"If-Match": "*"})
        assert (api.status_code, api.json()["detail"], api["Retry-After"]) == (503, database.READ_ONLY, "5")
    assert AuditEntry.objects.count() == entries


class Cause(Exception):
    """As a driver raises it."""

    def __init__(self, **more: str) -> None:
        super().__init__()
        self.__dict__.update(more)


@pytest.mark.parametrize(
    ("kind", "cause", "sentence", "away"),
    [
        (OperationalError, Cause(sqlstate="53100"), database.FULL, False),
        (InternalError, Cause(sqlstate="25006"), database.READ_ONLY, False),
        (OperationalError, Cause(sqlite_errorname="SQLITE_FULL"), database.FULL, False),
        (OperationalError, Cause(sqlstate="57P01"), "", True),
        (InterfaceError, Cause(), "", True),
        (InternalError, Cause(sqlstate="XX000"), "", False),
        (ValueError, Cause(sqlstate="53100"), "", False),
    ],
)
def test_errors_are_told_apart(kind: type[Exception], cause: Cause, sentence: str, away: bool) -> None:
    error = kind()
    error.__cause__ = cause
    assert (database.takes_nothing(error), database.is_away(error)) == (sentence, away)
