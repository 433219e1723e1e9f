"""Clusters in the admin site: the same form as on their own pages, with credentials that are written and never read."""

import contextlib
from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.db.models import QuerySet
from django.forms import Textarea, TextInput
from django.http import HttpRequest

from deployments import services
from deployments.admin.audited import AuditedAdmin, ModelForm
from deployments.forms import ClusterForm
from deployments.models import Cluster

WIDGETS = {TextInput: AdminTextInputWidget, Textarea: AdminTextareaWidget}


class AdminClusterForm(ClusterForm, ModelForm):
    """`ClusterForm` as Django's admin site wants one."""

    class Meta:
        model = Cluster
        fields = ()

    def __init__(self, *args: Any, instance: Cluster | None = None, **kwargs: Any) -> None:
        super().__init__(*args, cluster=instance, instance=instance, **kwargs)
        self.instance = self.cluster
        del self.fields["seen"]
        for field in self.fields.values():
            if widget := WIDGETS.get(type(field.widget)):
                field.widget = widget(attrs=field.widget.attrs)

    def _post_clean(self) -> None:
        """`clean` has filled and judged the row."""


@admin.register(Cluster)
class ClusterAdmin(AuditedAdmin):
    """Clusters and how to reach them."""

    form = AdminClusterForm
    list_display = ("name", "api_url", "connection", "credentials_changed_at", "credentials_expire_at", "is_simulated")
    list_select_related = ("status",)
    search_fields = ("name", "api_url")
    readonly_fields = ("credentials_changed_at", "credentials_expire_at")
    actions = ("accept_identity",)
    fieldsets = (
        (None, {"fields": ("name",)}),
        ("Access by kubeconfig", {"fields": ("kubeconfig",)}),
        ("Or by address and token", {"fields": ("api_url", "token", "ca_pem", "tls_server_name")}),
        ("Stored", {"fields": readonly_fields}),
        ("Monitoring", {"fields": ClusterForm.PARTS[2][3]}),
        ("Limits", {"fields": ("allowed_namespaces", "max_in_flight")}),
    )

    @admin.action(description="Accept the cluster that answers now as the right one", permissions=["change"])
    def accept_identity(self, request: HttpRequest, queryset: QuerySet[Cluster]) -> None:
        """For a cluster that was built anew, or moved, and keeps its name here."""
        for cluster in queryset:
            try:
                answering = services.accept_identity(cluster=cluster, by=request.user)  # type: ignore[arg-type]
            except services.NothingChanged:
                continue
            self.message_user(request, f"{cluster} is the cluster {answering} from now on.")

    @admin.display(description="connection")
    def connection(self, cluster: Cluster) -> str:
        """The connection in a word."""
        status = getattr(cluster, "status", None)
        return status.connection_look.label if status else "Not connected yet"

    def save_model(self, request: HttpRequest, obj: Cluster, form: Any, change: bool) -> None:  # noqa: FBT001
        """By the same door as the cluster's own page."""
        values, by = form.values(form.cleaned_data), request.user
        if not change:
            obj.pk = services.register_cluster(values=values, by=by).pk  # type: ignore[arg-type]
            return
        with contextlib.suppress(services.NothingChanged):
            services.change_cluster(cluster=obj, values=values, by=by)  # type: ignore[arg-type]
