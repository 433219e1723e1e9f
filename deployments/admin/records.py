"""What was recorded and seen: shown, never written here. Secrets are shown without their values."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from deployments.admin.audited import ReadOnlyAdmin
from deployments.models import (
    AppliedObject,
    AuditEntry,
    ClusterStatus,
    Deployment,
    DeploymentStatus,
    NodeStatus,
    Revision,
    SecretValue,
)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what, when."""

    list_display = ("at", "actor_name", "action", "target_kind", "target_name", "project")
    list_select_related = ("project",)
    list_filter = ("action", "target_kind", "at")
    search_fields = ("actor_name", "target_name", "request_id")


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    """Deployments; people change them on their pages."""

    list_display = ("name", "project", "desired", "applied", "problem", "deleted_at", "gone_at")
    list_select_related = ("project",)
    list_filter = ("project", "problem")
    search_fields = ("name",)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    """What was wanted, and what came of it."""

    list_display = ("deployment", "number", "author_name", "action", "outcome", "created_at")
    list_select_related = ("deployment",)
    list_filter = ("outcome", "action")
    search_fields = ("deployment__name", "author_name")
    ordering = ("-created_at",)


@admin.register(AppliedObject)
class AppliedObjectAdmin(ReadOnlyAdmin):
    """The inventory of the clusters."""

    list_display = ("kind", "namespace", "name", "deployment", "revision", "created_by_us", "applied_at")
    list_select_related = ("deployment",)
    list_filter = ("kind", "created_by_us")
    search_fields = ("name", "namespace", "uid")


@admin.register(SecretValue)
class SecretValueAdmin(ReadOnlyAdmin):
    """Names and versions of secrets."""

    list_display = fields = ("name", "project", "version", "created_at", "created_by")
    list_select_related = ("project", "created_by")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("sealed")


@admin.register(ClusterStatus)
class ClusterStatusAdmin(ReadOnlyAdmin):
    """Connections, as the watcher last saw them."""

    list_display = ("cluster", "connection", "seen_at", "kubernetes_version")
    list_select_related = ("cluster",)
    list_filter = ("connection",)


@admin.register(NodeStatus)
class NodeStatusAdmin(ReadOnlyAdmin):
    """Nodes, as the watcher last saw them."""

    list_display = ("name", "cluster", "ready", "schedulable", "pods", "kubelet_version")
    list_select_related = ("cluster",)
    list_filter = ("cluster", "ready")
    search_fields = ("name",)


@admin.register(DeploymentStatus)
class DeploymentStatusAdmin(ReadOnlyAdmin):
    """Deployments, as the watcher last saw them."""

    list_display = ("deployment", "health", "ready", "wanted", "observed_revision", "changed_at")
    list_select_related = ("deployment",)
    list_filter = ("health",)
    search_fields = ("deployment__name",)
