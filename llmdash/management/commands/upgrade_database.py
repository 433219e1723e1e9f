"""`manage.py upgrade_database`: bring the database to this version; safe to run by several at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

LOCK = 0x6C6C6D64  # "llmd"; any number that nobody else takes


class Command(BaseCommand):
    help = "Migrate, and make the cache's table where there is no Redis. Several at once wait for each other."
    requires_system_checks: list[str] = []  # it needs the database and nothing else

    def handle(self, *args: Any, **options: Any) -> None:
        with alone():
            call_command("migrate", interactive=False, verbosity=options["verbosity"])
            if not settings.REDIS_URL:
                call_command("createcachetable", verbosity=0)


@contextmanager
def alone() -> Iterator[None]:
    """Hold PostgreSQL's advisory lock, which ends with the session; SQLite's writers wait by themselves.

    A pooler in front of PostgreSQL must pool sessions, not transactions.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
