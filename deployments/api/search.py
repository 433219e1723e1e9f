"""One search over everything that has a name."""

import uuid
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import glance, shapes
from deployments.api.base import Endpoint
from deployments.api.described import operation
from deployments.api.parameters import text
from deployments.http.lists import size_of
from deployments.models import Cluster, Membership, Project


class Search(Endpoint):
    """Deployments (by name or LLM), projects (by name or namespace), clusters and members of projects that the caller
    may see. Acts are searched by `q` of the audit."""

    parameters = ("q", "limit")
    required = ("q",)
    described = {
        "q": text("What the name holds.", minLength=1, maxLength=200, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$"),
        "limit": {"description": "How many of each kind; 50 unless it is given, 1,000 at most."},
    }

    @operation("Search", returns=shapes.Search)
    def get(self, request: Request) -> Response:
        words = request.query_params.get("q", "").strip()
        if not 0 < len(words) <= 200:
            raise ParseError("Say what to search for: the query parameter 'q', of 200 characters at most.")
        limit = size_of(request, "limit")
        return Response({"results": [found for rows in self.kinds(words, limit) for found in rows]})

    def kinds(self, words: str, limit: int) -> list[list[shapes.Found]]:
        """What was found of each kind."""
        deployments = glance.listed().visible_to(self.user)
        projects = Project.objects.visible_to(self.user).select_related("cluster")
        clusters = Cluster.objects.visible_to(self.user).only("name")
        joined = Membership.objects.filter(project__in=Project.objects.visible_to(self.user)).select_related("project")
        members = joined.annotate(name=Coalesce("user__username", "group__name"))
        return [
            [found("deployment", row, row.project.name) for row in best(deployments, words, "llm")[:limit]],
            [found("project", row, row.cluster.name) for row in best(projects, words, "namespace")[:limit]],
            [found("cluster", row, "") for row in best(clusters, words)[:limit]],
            [found("member", row, row.project.name, row.project_id) for row in best(members, words)[:limit]],
        ]


def best(rows: QuerySet[Any], words: str, *more: str) -> QuerySet[Any]:
    """The rows whose name or further columns hold the words, those that begin with them first."""
    hit = Q(name__icontains=words)
    for column in more:
        hit |= Q(**{f"{column}__icontains": words})
    begins = Case(When(name__istartswith=words, then=Value(0)), default=Value(1), output_field=IntegerField())
    ordered: QuerySet[Any] = rows.filter(hit).annotate(begins=begins).order_by("begins", "name", "pk")
    return ordered


def found(kind: str, row: Any, where: str, *of: uuid.UUID) -> shapes.Found:
    """One of the answer; `of` is what stands before its id in its address."""
    url = reverse(f"api:{kind}", args=[*of, row.pk])
    return {"kind": kind, "id": row.pk, "name": row.name, "where": where, "url": url}
