"""The form of a cluster: how to reach it, what measures it, what it is open to. Stored secrets are never shown."""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from deployments import services
from deployments.choices import PrometheusAuth
from deployments.kubeconfig import MAX_CHARS
from deployments.models import Cluster

CODE = {"spellcheck": "false", "autocomplete": "off", "autocapitalize": "off", "class": "mono"}
SYSTEM = "PEM. Empty: the authorities that this machine trusts."
SEPARATORS = re.compile(r"[\s,]+")


def text(label: str, size: int, help_text: str = "", **more: Any) -> forms.CharField:
    """A line of text that may stay empty."""
    return forms.CharField(
        label=label, required=False, max_length=size, help_text=help_text,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}), **more,
    )  # fmt: skip


def pasted(label: str, rows: int, help_text: str) -> forms.CharField:
    """Several lines that are pasted."""
    return forms.CharField(
        label=label, required=False, strip=False, max_length=MAX_CHARS, help_text=help_text,
        widget=forms.Textarea(attrs=CODE | {"rows": rows}),
    )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Fields that belong together."""

    key: str
    title: str
    explanation: str
    fields: list[forms.BoundField]


class AcceptForm(forms.Form):
    """Which cluster a person saw answering."""

    answering = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class ClusterForm(forms.Form):
    """Judged by `services.fill_cluster`; `cluster` is then the row with these values, not saved."""

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    name = text("Name", 63, "Lower-case letters, digits and dashes; people see it on every page.")
    kubeconfig = pasted(
        "Kubeconfig", 6,
        "Self-contained: kubectl config view --raw --flatten --minify. Gives address, CA and credentials.",
    )  # fmt: skip
    api_url = text("API server", 500, "https://host:6443; a kubeconfig brings its own.")
    token = pasted("Token", 3, "Of a ServiceAccount for llmdash; llmdash cluster-access prints one with its rights.")
    ca_pem = pasted("CA certificates", 4, SYSTEM)
    tls_server_name = text("TLS server name", 253, "The name in the API server's certificate, where it is another.")
    prometheus_url = text("Prometheus", 500, "https://host, or http:// where nothing secret is sent. Empty: no charts.")
    prometheus_auth = forms.ChoiceField(
        label="Sign in by", required=False, choices=PrometheusAuth.pairs(), initial=PrometheusAuth.NONE
    )
    prometheus_user = text("User", 200)
    prometheus_secret = forms.CharField(
        label="Password or token", required=False, max_length=8192, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    prometheus_ca_pem = pasted("CA certificates of Prometheus", 4, SYSTEM)
    prometheus_tenant_header = text("Tenant header", 60, "Mimir and Cortex: X-Scope-OrgID. Thanos: THANOS-TENANT.")
    prometheus_tenant = text("Tenant", 200, "Sent in that header. Empty: none is sent.")
    prometheus_matchers = text(
        "Extra matchers", 500, 'For a Prometheus that measures several clusters: cluster="east", tier=~"a|b"'
    )
    allowed_namespaces = forms.CharField(
        label="Allowed namespaces", required=False, max_length=4000,
        widget=forms.Textarea(attrs=CODE | {"rows": 2}),
        help_text="Names or patterns such as team-*, by commas or lines. Empty: projects may have any namespace.",
    )  # fmt: skip
    max_in_flight = forms.IntegerField(
        label="Applied at a time", min_value=1, max_value=64, required=False, help_text="Deployments; 8 when empty."
    )

    PARTS = (
        ("name", "Name", "", ("name",)),
        ("access", "Access", "Either a kubeconfig, or an address with a token.",
         ("kubeconfig", "api_url", "token", "ca_pem", "tls_server_name")),
        ("prometheus", "Prometheus", "For charts and traffic. llmdash only reads.",
         ("prometheus_url", "prometheus_auth", "prometheus_user", "prometheus_secret", "prometheus_ca_pem",
          "prometheus_tenant_header", "prometheus_tenant", "prometheus_matchers")),
        ("limits", "Limits", "", ("allowed_namespaces", "max_in_flight")),
    )  # fmt: skip

    def __init__(self, *args: Any, cluster: Cluster | None = None, **kwargs: Any) -> None:
        stands = shown(cluster or Cluster())
        super().__init__(*args, **kwargs | {"initial": stands | (kwargs.get("initial") or {})})
        self.cluster = cluster or Cluster()
        if cluster:
            self.initial["seen"] = services.stamp_of_cluster(cluster)
            keep = "Left empty, what is stored stays."
            for name in services.CLUSTER_SECRETS:
                self.fields[name].help_text = f"{self.fields[name].help_text} {keep}".strip()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        try:
            services.fill_cluster(self.cluster, self.values(data))
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                if "kubeconfig" in self.errors and name in ("api_url", "token"):
                    continue  # it would have brought them
                for sentence in texts if name not in self.errors else ():
                    self.add_error(name if name in self.fields else None, sentence)
        return data

    def values(self, data: dict[str, Any]) -> dict[str, Any]:
        """What `services.fill_cluster` takes, of the fields that could be read."""
        found = {name: value for name, value in data.items() if name not in self.errors and name != "seen"}
        if "allowed_namespaces" in found:
            found["allowed_namespaces"] = [one for one in SEPARATORS.split(found["allowed_namespaces"]) if one]
        found["max_in_flight"] = found.get("max_in_flight") or Cluster._meta.get_field("max_in_flight").default
        found["prometheus_auth"] = found.get("prometheus_auth") or PrometheusAuth.NONE
        return found

    def parts(self) -> list[Part]:
        """The fields as the page shows them."""
        return [Part(key, title, about, [self[name] for name in names]) for key, title, about, names in self.PARTS]


def shown(cluster: Cluster) -> dict[str, Any]:
    """What people may read of a cluster again, as the fields show it."""
    stands = services.stored_cluster(cluster)
    return stands | {"allowed_namespaces": "\n".join(cluster.allowed_namespaces)}
