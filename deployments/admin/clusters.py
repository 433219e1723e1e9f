"""Clusters: how to reach them, with credentials that can be written and never read."""

from typing import Any, cast
from urllib.parse import urlsplit

from cryptography import x509
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from deployments import addresses, doorbell, reads, stream
from deployments.admin.audited import AuditedAdmin, ModelForm, note
from deployments.choices import Action, Problem
from deployments.models import Cluster, ClusterStatus, Deployment

WRITE_ONLY = {"rows": 8, "spellcheck": "false", "autocomplete": "off", "class": "vLargeTextField"}
REACH = ("api_url", "ca_pem", "tls_server_name")


class ClusterForm(ModelForm):
    """A pasted kubeconfig, or an address with a token. Stored credentials are never shown; left empty, they stay."""

    kubeconfig = forms.CharField(
        required=False, strip=False, widget=forms.Textarea(attrs=WRITE_ONLY),
        help_text="Self-contained: kubectl config view --raw --flatten --minify. Gives address, CA and credentials.",
    )  # fmt: skip
    api_url = forms.CharField(
        label="API server", required=False, max_length=500, widget=AdminTextInputWidget,
        help_text="https://host:6443; a kubeconfig brings its own.",
    )  # fmt: skip
    token = forms.CharField(
        required=False, widget=forms.Textarea(attrs=WRITE_ONLY | {"rows": 3}),
        help_text="Of a ServiceAccount made for llmdash: `llmdash cluster-access` prints one with the rights it needs, "
        "docs/cluster-access.md says more. Left empty, the stored credentials stay.",
    )  # fmt: skip
    tls_server_name = forms.CharField(
        label="TLS server name", required=False, max_length=253, widget=AdminTextInputWidget,
        help_text="The name in the API server's certificate, where it is not the address's.",
    )  # fmt: skip
    prometheus_url = forms.CharField(
        label="Prometheus", required=False, max_length=500, widget=AdminTextInputWidget,
        help_text="https://host; left empty, there are no charts.",
    )  # fmt: skip

    class Meta:
        model = Cluster
        fields = (
            "name",
            "kubeconfig",
            "api_url",
            "token",
            "ca_pem",
            "tls_server_name",
            "prometheus_url",
            "max_in_flight",
        )

    def clean_ca_pem(self) -> str:
        pem = str(self.cleaned_data["ca_pem"]).strip()
        try:
            if pem:
                x509.load_pem_x509_certificates(pem.encode())
        except ValueError as error:
            raise ValidationError("This holds no PEM certificate.") from error
        return pem

    def clean_token(self) -> str:
        token = str(self.cleaned_data["token"]).strip()
        if any(not "!" <= char <= "~" for char in token):
            raise ValidationError("The token holds characters that no token has.")
        return token

    def clean_prometheus_url(self) -> str:
        url = str(self.cleaned_data["prometheus_url"])
        return checked(url) if url else ""

    def clean_api_url(self) -> str:
        url = str(self.cleaned_data["api_url"])
        return checked(url) if url else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.secrets: dict[str, str] = {"token": data["token"]} if data.get("token") else {}
        if data.get("kubeconfig", "").strip():
            self.read_kubeconfig(data)
        elif not data.get("api_url") and "api_url" not in self.errors:
            self.add_error("api_url", "Give an address, or paste a kubeconfig.")
        elif self.instance._state.adding and not self.secrets and not self.errors:
            self.add_error("token", "Give a token, or paste a kubeconfig.")
        elif self.moves(data) and not self.secrets:
            self.add_error("api_url", "Give the credentials again: those stored were given for another address.")
        return data

    def read_kubeconfig(self, data: dict[str, Any]) -> None:
        """Take everything from the kubeconfig, which then decides alone."""
        if self.secrets:
            self.add_error("token", "Give either a kubeconfig or a token.")
        try:
            access = reads.read_kubeconfig(data["kubeconfig"])
            data |= {"api_url": checked(access.url), "ca_pem": access.ca_pem, "tls_server_name": access.tls_server_name}
            self.secrets = access.secrets
        except (ValueError, ValidationError) as error:
            self.add_error("kubeconfig", error.messages if isinstance(error, ValidationError) else str(error))

    def moves(self, data: dict[str, Any]) -> bool:
        """Whether a stored credential would go to another server than the one it was given for."""
        before, after = (urlsplit(url) for url in (self.initial.get("api_url") or "", data.get("api_url") or ""))
        return bool(before.netloc) and (before.scheme, before.netloc) != (after.scheme, after.netloc)

    def save(self, commit: bool = True) -> Cluster:  # noqa: FBT001, FBT002  (Django's signature)
        cluster = self.instance
        if self.secrets:
            cluster.seal_credentials(self.secrets)
        if self.secrets or any(getattr(cluster, name) != self.initial.get(name) for name in REACH):
            cluster.credentials_changed_at = timezone.now()
        return cast(Cluster, super().save(commit))


def checked(url: str) -> str:
    """The address. Raises ValidationError for one that llmdash may not call."""
    try:
        return addresses.checked(url, allow_loopback=settings.LLMDASH["ALLOW_LOOPBACK"])
    except addresses.AddressRefused as error:
        raise ValidationError(str(error)) from error


@admin.register(Cluster)
class ClusterAdmin(AuditedAdmin):
    """Clusters and how to reach them."""

    form = ClusterForm
    shown = ("name", "api_url", "tls_server_name", "prometheus_url", "max_in_flight")
    list_display = ("name", "api_url", "connection", "credentials_changed_at", "is_simulated")
    list_select_related = ("status",)
    search_fields = ("name", "api_url")
    readonly_fields = ("credentials_changed_at",)
    actions = ("accept_identity",)
    fieldsets = (
        (None, {"fields": ("name",)}),
        ("Access by kubeconfig", {"fields": ("kubeconfig",)}),
        ("Or by address and token", {"fields": ("api_url", "token", "ca_pem", "tls_server_name")}),
        ("Stored", {"fields": ("credentials_changed_at",)}),
        ("Monitoring", {"fields": ("prometheus_url",)}),
        ("Limits", {"fields": ("max_in_flight",)}),
    )

    @admin.action(description="Accept the cluster that answers now as the right one", permissions=["change"])
    def accept_identity(self, request: HttpRequest, queryset: QuerySet[Cluster]) -> None:
        """For a cluster that was built anew, or moved, and keeps its name here."""
        answering = ClusterStatus.objects.filter(cluster__in=queryset).exclude(answering="")
        for status in answering.select_related("cluster"):
            cluster, before = status.cluster, ClusterStatus.identity_of(status.cluster)
            if before == status.answering:
                continue
            with transaction.atomic():
                cluster.identity = status.answering
                cluster.save(update_fields=["identity"])
                note(request, Action.ACCEPT, cluster, before=before, after=status.answering)
                self.tell(cluster)
            self.message_user(request, f"{cluster} is the cluster {status.answering} from now on.")

    @admin.display(description="connection")
    def connection(self, cluster: Cluster) -> str:
        """The connection in a word."""
        status = getattr(cluster, "status", None)
        return status.connection_look.label if status else "Not connected yet"

    def save_model(self, request: HttpRequest, obj: Cluster, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        self.tell(obj)

    def tell(self, cluster: Cluster) -> None:
        """The pages, and the workers that waited for it."""
        stream.publish(stream.CLUSTER, [cluster.pk])
        paused = Deployment.objects.filter(project__cluster=cluster, problem=Problem.CLUSTER, gone_at__isnull=True)
        for pk in paused.values_list("pk", flat=True):
            doorbell.look_again(pk)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form = cast(Any, super().get_form(request, obj, change, **kwargs))
        form.base_fields["ca_pem"].widget.attrs.update(WRITE_ONLY)
        return form
