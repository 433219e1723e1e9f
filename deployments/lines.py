"""Rows of lists of deployments as plain values: to read a thousand costs a fraction of what models cost, and two are
equal when a list shows the same of both, so that the page draws each once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import CharField, Func, QuerySet

from deployments import glance
from deployments.choices import Health
from deployments.models.observed import too_old

COLUMNS = (
    "pk", "name", "project__name", "project_id", "project__namespace", "project__cluster__name", "project__cluster_id",
    "project__cluster__is_simulated", "desired", "applied", "drift_policy", "problem", "created_text", "deleted_text",
    "llm", "runtime", "health_now", "status__sentence", "status__ready", "status__wanted", "status__gpus",
    "changed_text", "seen_text", "project__cluster__status__message",
)  # fmt: skip


class AsText(Func):
    """A time as ISO 8601: Django reads a column of times by Python, which takes longer than all else of a row."""

    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        written = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        return super().as_sql(compiler, connection, template=written, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="%(expressions)s || 'Z'", **context)


TIMES = {
    "created_text": AsText("created_at"),
    "deleted_text": AsText("deleted_at"),
    "changed_text": AsText("status__changed_at"),
    "seen_text": AsText("project__cluster__status__seen_at"),
}
TIMES_AT = [place for place, name in enumerate(COLUMNS) if name in TIMES]


class Line(NamedTuple):
    """All that lists show of a deployment, in the order of COLUMNS. While `stale` the health is unknown, whatever the
    watcher saw last; `seen_at` is when the cluster last proved that its watches live, `message` what is wrong."""

    pk: UUID
    name: str
    project: str
    project_id: UUID
    namespace: str
    cluster: str
    cluster_id: UUID
    is_simulated: bool
    desired: int
    applied: int
    drift_policy: str
    problem: str
    created_at: datetime
    deleted_at: datetime | None
    llm: str
    runtime: str
    health: str
    sentence: str
    ready: int
    wanted: int
    gpus: int
    changed_at: datetime | None
    seen_at: datetime | None
    message: str
    stale: bool = False

    @property
    def look(self) -> Health:
        """The word with its colour and icon."""
        return Health(self.health)

    @property
    def runtime_label(self) -> str:
        """The runtime's own name, as people write it."""
        return glance.runtime_label(self.runtime)

    @property
    def is_settled(self) -> bool:
        """The newest revision is applied and nothing is being deleted."""
        return self.applied == self.desired and self.deleted_at is None


def values(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The columns of rows that `glance.listed` described: what a page is cut from."""
    found: QuerySet[Any] = rows.annotate(**TIMES).values_list(*COLUMNS)
    return found


def read(rows: Iterable[tuple[Any, ...]]) -> list[Line]:
    """The lines of such rows."""
    return [of(row) for row in rows]


def of(row: tuple[Any, ...]) -> Line:
    """The line of one such row."""
    values = list(row)
    for place in TIMES_AT:
        if text := values[place]:
            values[place] = datetime.fromisoformat(text)
    line = Line(*values)
    return unknown(line) if line.health == Health.UNKNOWN else line


def unknown(line: Line) -> Line:
    """What may be said of one whose health is unknown: its cluster is silent or may not be read, or nothing is written
    of it yet."""
    stale, written = too_old(line.seen_at), line.sentence is not None
    why = glance.why_unknown(line.cluster, line.seen_at, line.message, problem=line.problem, written=written)
    said = why if stale or not written else line.sentence
    ready, wanted, gpus = (number or 0 for number in (line.ready, line.wanted, line.gpus))
    return line._replace(stale=stale, sentence=said, ready=ready, wanted=wanted, gpus=gpus)
