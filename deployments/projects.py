"""Projects and their members as lists show them, on pages and by REST."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from deployments.models import Deployment, Membership, Project

SORTS = {
    "name": ["name"],
    "cluster": ["cluster__name", "name"],
    "deployments": ["deployment_count", "name"],
    "gpus": ["gpus", "name"],
    "members": ["member_count", "name"],
    "created": ["created_at", "name"],
}
MEMBER_SORTS = {"name": ["who"], "role": ["role", "who"]}


def counted(rows: QuerySet[Project]) -> QuerySet[Any]:
    """With the numbers of members and living deployments, and the GPUs that these hold."""
    living = Deployment.objects.filter(project=OuterRef("pk"), gone_at__isnull=True).order_by().values("project")
    members = Membership.objects.filter(project=OuterRef("pk")).order_by().values("project")

    def number(query: QuerySet[Any]) -> Coalesce:
        return Coalesce(Subquery(query.values("n"), output_field=IntegerField()), 0)

    return rows.select_related("cluster__status").annotate(
        deployment_count=number(living.annotate(n=Count("pk"))),
        gpus=number(living.annotate(n=Sum("status__gpus"))),
        member_count=number(members.annotate(n=Count("pk"))),
    )


def holding(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The projects whose name, namespace or cluster holds the text."""
    hit = Q(name__icontains=text) | Q(namespace__icontains=text) | Q(cluster__name__icontains=text)
    return rows.filter(hit)


def members(project: Project, text: str = "") -> QuerySet[Any]:
    """The members whose name holds the text, with that name as `who`."""
    rows = project.memberships.select_related("user", "group")
    named = rows.annotate(who=Coalesce("user__username", "group__name"))
    return named.filter(who__icontains=text) if text else named
