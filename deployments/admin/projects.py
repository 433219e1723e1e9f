"""Projects and who belongs to them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from deployments.admin.audited import AuditedAdmin, StackedInline
from deployments.models import Membership, Project


class MembershipInline(StackedInline):
    """Members, each a user or a group with a role."""

    model = Membership
    fields = ("user", "group", "role")
    extra = 0
    verbose_name_plural = "members"


@admin.register(Project)
class ProjectAdmin(AuditedAdmin):
    """Projects with their members."""

    shown = ("name", "cluster", "namespace", "create_namespace")
    list_display = ("name", "cluster", "namespace", "created_at")
    list_select_related = ("cluster",)
    list_filter = ("cluster",)
    search_fields = ("name", "namespace")
    fields = ("name", "cluster", "namespace", "create_namespace")
    inlines = (MembershipInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A project stays where its objects are."""
        return ("cluster", "namespace") if obj is not None and obj.deployments.exists() else ()
