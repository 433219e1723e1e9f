"""Narrowing the audit: what the activity page and the API filter by."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from deployments.models import AuditEntry

# What acts are done to, as the audit names it, in the words of a page.
KINDS = {
    "deployment": "deployment",
    "project": "project",
    "cluster": "cluster",
    "membership": "member",
    "user": "person",
    "group": "group",
    "secretvalue": "secret",
    "apitoken": "API token",
    "authenticator": "second factor",
}
COLUMNS = {"actor": "actor_name__icontains", "action": "action", "kind": "target_kind", "project": "project__name"}


def chosen(rows: QuerySet[AuditEntry], filters: Mapping[str, str]) -> QuerySet[AuditEntry]:
    """The entries that the filters leave: COLUMNS, `q` (in the name, or an id or request id), `since` and `until`.

    Days are UTC's, YYYY-MM-DD, and both of them count. An empty filter filters nothing.
    """
    rows = rows.filter(**{column: filters[key] for key, column in COLUMNS.items() if filters.get(key)})
    if text := filters.get("q"):
        rows = rows.filter(Q(target_name__icontains=text) | Q(target_id=text) | Q(request_id=text))
    if since := filters.get("since"):
        rows = rows.filter(at__gte=midnight(date.fromisoformat(since)))
    if (until := filters.get("until")) and (last := date.fromisoformat(until)) < date.max:
        rows = rows.filter(at__lt=midnight(last + timedelta(days=1)))
    return rows


def midnight(day: date) -> datetime:
    """The day's beginning in UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def day_of(text: str) -> date | None:
    """A day, YYYY-MM-DD, None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
