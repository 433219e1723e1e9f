"""Who did what, when and with which result: the audit as a page, and as a file."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse

from deployments import entries, serializers
from deployments.choices import Action
from deployments.models import AuditEntry, Cluster, Deployment, Project
from deployments.templatetags.show import done, kind
from deployments.views.common import Request, clean, is_fragment

PAGE_SIZE = 50
MAX_EXPORTED = 20_000
COLUMNS = ("id", "at", "actor", "action", "target_kind", "target_id", "target", "project", "request_id", "detail")
# A spreadsheet takes text that begins so for a formula: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def activity(request: Request) -> HttpResponse:
    """The page, newest first, or its table for a live update."""
    filters = read_filters(request)
    rows = list(narrowed(request, filters)[: PAGE_SIZE + 1])
    shown, older = rows[:PAGE_SIZE], len(rows) > PAGE_SIZE
    pages = links(request, shown)
    for row in shown:
        row.url = pages.get(row.target_id, "")  # type: ignore[attr-defined]  # for the template
    context = {
        "entries": shown,
        "filters": filters,
        "is_filtered": any(filters.values()),
        "active": active(request, filters),
        "older": shown[-1].pk if older else None,
        "actions": [(str(action), action.label) for action in Action],
        "kinds": list(entries.KINDS.items()),
        "projects": list(Project.objects.visible_to(request.user).values_list("name", flat=True)),
    }
    template = "deployments/_activity.html" if is_fragment(request) else "deployments/activity.html"
    return render(request, template, context)


def export(request: Request) -> StreamingHttpResponse:
    """What the filters leave, newest first, as CSV or as JSON lines; MAX_EXPORTED entries at most."""
    rows = narrowed(request, read_filters(request))[:MAX_EXPORTED].iterator(chunk_size=1000)
    if request.GET.get("format") == "json":
        lines, kind, suffix = as_json(rows), "application/x-ndjson", "jsonl"
    else:
        lines, kind, suffix = as_csv(rows), "text/csv; charset=utf-8", "csv"
    answer = StreamingHttpResponse(lines, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="llmdash-activity.{suffix}"'
    return answer


def read_filters(request: Request) -> dict[str, str]:
    """The state of the page from its address; what is not known there is ignored."""
    given = {key: clean(request.GET.get(key, "")) for key in ("q", "actor", "action", "kind", "project")}
    days = {key: entries.day_of(request.GET.get(key, "")) for key in ("since", "until")}
    before = request.GET.get("before", "")
    known = before if before.isascii() and before.isdigit() and len(before) < 19 else ""
    return given | {key: day.isoformat() if day else "" for key, day in days.items()} | {"before": known}


WORDS = {"q": "Holds “{}”", "actor": "By {}", "project": "In {}", "since": "From {}", "until": "To {}"}


def active(request: Request, filters: dict[str, str]) -> list[dict[str, str]]:
    """The filters that are set, in words, each with the query string of the page without it."""
    words = {key: text.format(filters[key]) for key, text in WORDS.items()}
    if filters["action"]:
        words["action"] = done(filters["action"]).capitalize()
    if filters["kind"]:
        words["kind"] = f"To: {kind(filters['kind'])}"
    found = []
    for key in ("q", "actor", "action", "kind", "project", "since", "until"):
        if filters[key]:
            rest = request.GET.copy()
            for name in (key, "before"):
                rest.pop(name, None)
            found.append({"words": words[key], "query": f"?{rest.urlencode()}"})
    return found


def narrowed(request: Request, filters: dict[str, str]) -> QuerySet[AuditEntry]:
    """What the person may see, as the filters leave it, from the entry on that the page before ended with."""
    rows = entries.chosen(AuditEntry.objects.visible_to(request.user).select_related("project"), filters)
    return rows.filter(pk__lt=int(filters["before"])) if filters["before"] else rows


def links(request: Request, rows: Iterable[AuditEntry]) -> dict[str, str]:
    """The pages of what these entries are about, by id; none of what is gone or not for this person."""
    ids: dict[str, set[str]] = {"deployment": set(), "cluster": set(), "project": set()}
    for row in rows:
        if row.target_kind in ids:
            ids[row.target_kind].add(row.target_id)
    kinds: tuple[tuple[str, Any, str], ...] = (
        ("deployment", Deployment, "deployments:detail"),
        ("cluster", Cluster, "monitoring:cluster"),
        ("project", Project, "deployments:project"),
    )
    return {
        str(pk): reverse(address, args=[pk])
        for kind, model, address in kinds
        if ids[kind]
        for pk in model.objects.visible_to(request.user).filter(pk__in=ids[kind]).values_list("pk", flat=True)
    }


def as_json(rows: Iterable[AuditEntry]) -> Iterator[str]:
    """One entry on a line."""
    for row in rows:
        yield json.dumps(serializers.audit_entry(row), default=str) + "\n"


class Echo:
    """A file for `csv` that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def as_csv(rows: Iterable[AuditEntry]) -> Iterator[str]:
    """A head, and one entry on a line; the detail is JSON."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for row in rows:
        entry = serializers.audit_entry(row)
        yield writer.writerow([cell(entry.get(column)) for column in COLUMNS])


def cell(value: Any) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = json.dumps(value, default=str) if isinstance(value, dict) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
