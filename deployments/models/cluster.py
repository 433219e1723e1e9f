"""A Kubernetes API that we may talk to."""

import json
import uuid
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Value

from deployments import expiry
from deployments.choices import PrometheusAuth
from deployments.models.secret import keyring

if TYPE_CHECKING:
    from llmdash.accounts.models import User

dns_label = RegexValidator(
    r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z", "Lower-case letters, digits and dashes, at most 63 of them."
)

header_name = RegexValidator(r"\A[A-Za-z0-9-]{1,60}\Z", "Letters, digits and dashes.")
header_value = RegexValidator(r"\A[!-~]*\Z", "Visible ASCII characters without spaces.")


class ClusterQuerySet(models.QuerySet["Cluster"]):
    def visible_to(self, user: "User") -> Self:
        """Clusters of the person's projects; all for a platform admin."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        memberships = models.Q(projects__memberships__user=user) | models.Q(
            projects__memberships__group__in=user.groups.all()
        )
        return self.filter(memberships).distinct()


class Cluster(models.Model):
    """Address, trust and sealed credentials. Written by the web only.

    `identity` is the uid of the cluster's kube-system namespace, where a platform admin said which cluster this is;
    "" while the first one that answered is taken. `allowed_namespaces` are names or patterns such as `team-*` for
    projects; none allows all. `prometheus_matchers` are PromQL label matchers put into every question. `tested` is the
    report of the last connection test, in the shape of `kube.rights.Report`; {} before the first.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=63, unique=True, validators=[dns_label])
    api_url = models.CharField("API server", max_length=500)
    ca_pem = models.TextField("CA certificates", blank=True)
    tls_server_name = models.CharField(max_length=253, blank=True)
    sealed_credentials = models.BinaryField(editable=False, null=True)
    credentials_changed_at = models.DateTimeField(null=True, editable=False)
    credentials_expire_at = models.DateTimeField(null=True, editable=False)
    prometheus_url = models.CharField("Prometheus", max_length=500, blank=True)
    prometheus_ca_pem = models.TextField("CA certificates of Prometheus", blank=True, default="", db_default="")
    prometheus_auth = models.CharField(
        "signs in by", max_length=10, choices=PrometheusAuth.pairs(), default=PrometheusAuth.NONE, db_default="none"
    )
    prometheus_user = models.CharField("user", max_length=200, blank=True, default="", db_default="")
    sealed_prometheus = models.BinaryField(editable=False, null=True)
    prometheus_tenant_header = models.CharField(
        "tenant header", max_length=60, blank=True, default="X-Scope-OrgID", db_default="X-Scope-OrgID",
        validators=[header_name],
    )  # fmt: skip
    prometheus_tenant = models.CharField(
        "tenant", max_length=200, blank=True, default="", db_default="", validators=[header_value]
    )
    prometheus_matchers = models.CharField("extra matchers", max_length=500, blank=True, default="", db_default="")
    allowed_namespaces = models.JSONField(default=list, db_default=Value([], models.JSONField()), blank=True)
    max_in_flight = models.PositiveSmallIntegerField(
        default=8, validators=[MinValueValidator(1), MaxValueValidator(64)], help_text="Deployments applied at a time."
    )
    identity = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    is_simulated = models.BooleanField(default=False, editable=False)
    tested = models.JSONField(default=dict, db_default=Value({}, models.JSONField()), blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClusterQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def seal_credentials(self, credentials: dict[str, str]) -> None:
        """Put credentials in, `{"token": …}` or `{"client_certificate": PEM, "client_key": PEM}`; save afterwards."""
        self.sealed_credentials = keyring().seal(json.dumps(credentials).encode(), self._context("credentials"))
        self.credentials_expire_at = expiry.of(credentials)

    def open_credentials(self) -> dict[str, Any]:
        """The credentials in clear, for `kube` only. Raises CannotOpen."""
        if self.sealed_credentials is None:
            return {}
        context = self._context("credentials")
        opened: dict[str, Any] = json.loads(keyring().open(bytes(self.sealed_credentials), context))
        return opened

    def seal_prometheus(self, secret: str) -> None:
        """Put in the password or the token for Prometheus, "" for none; save afterwards."""
        self.sealed_prometheus = keyring().seal(secret.encode(), self._context("prometheus")) if secret else None

    def open_prometheus(self) -> str:
        """The password or token in clear, for `monitoring.prometheus` only. Raises CannotOpen."""
        if self.sealed_prometheus is None:
            return ""
        return keyring().open(bytes(self.sealed_prometheus), self._context("prometheus")).decode()

    def allows(self, namespace: str) -> bool:
        """Whether a project may have this namespace."""
        return not self.allowed_namespaces or any(fnmatchcase(namespace, one) for one in self.allowed_namespaces)

    def twins(self, identity: str = "") -> models.QuerySet["Cluster"]:
        """Other rows of the very same cluster, by its identity where both are known, the oldest first. `identity` is
        the one that was found of a cluster that is not stored yet."""
        mine = identity or self.identity or getattr(getattr(self, "status", None), "identity", "")
        if not mine:
            return Cluster.objects.none()
        same = models.Q(identity=mine) | models.Q(identity="", status__identity=mine)
        return Cluster.objects.filter(same).exclude(pk=self.pk).order_by("created_at", "pk")

    def _context(self, what: str) -> str:
        return f"cluster:{self.pk}:{what}"
