"""Two questions that anyone may ask: does the process live, and can it work?"""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

_migrated = False


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; no database is asked, so that an outage of it restarts nothing."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 "ready"; 503 "database" when it does not answer, "migrations" when its tables are of another version."""
    word = readiness()
    return HttpResponse(f"{word}\n", content_type="text/plain", status=200 if word == "ready" else 503)


def readiness() -> str:
    """The one word."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ready" if migrated() else "migrations"
    except Error:
        return "database"


def migrated() -> bool:
    """Whether every migration of this program is applied. Reading them all takes long, so a yes is remembered."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated
