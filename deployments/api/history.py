"""What came before: the revisions of a deployment and its audit."""

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import entries, serializers, shapes
from deployments.api.base import Endpoint, paged
from deployments.api.described import operation
from deployments.api.parameters import text
from deployments.choices import Action
from deployments.difference import changes
from deployments.http import Newest, Pages, answer, etag
from deployments.models import AuditEntry, Revision


class Revisions(Endpoint):
    """The revisions of a deployment, newest first, without their specs."""

    parameters = ("page", "page_size")

    @operation("List revisions", returns=shapes.RevisionLine, listed="pages")
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        rows = self.deployment(pk).revisions.with_served().defer("spec_json")
        return paged(self, Pages(), rows, serializers.revision_line)


class OneRevision(Endpoint):
    """One revision: its spec, what it changed, and what came of it."""

    @operation("Read a revision", returns=shapes.Revision, tagged=True)
    def get(self, request: Request, pk: uuid.UUID, number: int) -> Response:
        found: Any = get_object_or_404(self.deployment(pk).revisions.with_served(), number=number)
        before = found.predecessor()
        body = serializers.revision(found, changes(before.spec_json, found.spec_json) if before else [])
        served = ["served"] if found.served_at else []
        return answer(request, body, tag=etag(number, found.outcome, stamp(found), *served))


class Audit(Endpoint):
    """Who did what to a deployment, newest first, by `?limit` and `?cursor`."""

    parameters = ("limit", "cursor")

    @operation("List the acts on a deployment", returns=shapes.AuditEntry, listed="cursor")
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk)
        rows = AuditEntry.objects.filter(target_kind="deployment", target_id=str(deployment.pk))
        rows = rows.select_related("project")
        return paged(self, Newest(), rows, serializers.audit_entry)


class AllAudit(Endpoint):
    """Who did what in all that the caller may see, newest first; filters as on the activity page."""

    parameters = ("limit", "cursor", "q", "actor", "action", "kind", "project", "since", "until")
    described = {
        "q": text("Entries whose target's name holds this, or whose target or request has this id."),
        "actor": text("Who did it; a part of the name will do."),
        "kind": text("What it was done to.", enum=list(entries.KINDS)),
        "project": text("Only of this project, by name."),
        "since": text("From this day on, in UTC.", format="date"),
        "until": text("Up to the end of this day, in UTC.", format="date"),
    }

    @operation("Read the audit", returns=shapes.AuditEntry, listed="cursor")
    def get(self, request: Request) -> Response:
        given = {name: request.query_params.get(name, "") for name in self.parameters}
        for name, known in (("action", list(Action)), ("kind", list(entries.KINDS))):
            if name in request.query_params and given[name] not in known:
                raise ParseError(f"There is no {name} {given[name][:40]!r}; there are {', '.join(known)}.")
        for name in ("since", "until"):
            if name in request.query_params and not entries.day_of(given[name]):
                raise ParseError(f"The query parameter {name!r} must be a day, such as 2026-11-26.")
        rows = AuditEntry.objects.visible_to(self.user).select_related("project")
        return paged(self, Newest(), entries.chosen(rows, given), serializers.audit_entry)


def stamp(revision: Revision) -> int:
    """When the outcome was written, in microseconds; 0 before that."""
    return int(revision.outcome_at.timestamp() * 1_000_000) if revision.outcome_at else 0
