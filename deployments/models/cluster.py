"""A Kubernetes API that we may talk to."""

import json
import uuid
from typing import TYPE_CHECKING, Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from deployments.models.secret import keyring

if TYPE_CHECKING:
    from llmdash.accounts.models import User

dns_label = RegexValidator(
    r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z", "Lower-case letters, digits and dashes, at most 63 of them."
)


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
    "" while the first one that answered is taken.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=63, unique=True, validators=[dns_label])
    api_url = models.URLField("API server", max_length=500)
    ca_pem = models.TextField("CA certificates", blank=True)
    tls_server_name = models.CharField(max_length=253, blank=True)
    sealed_credentials = models.BinaryField(editable=False, null=True)
    credentials_changed_at = models.DateTimeField(null=True, editable=False)
    prometheus_url = models.URLField("Prometheus", max_length=500, blank=True)
    max_in_flight = models.PositiveSmallIntegerField(
        default=8, validators=[MinValueValidator(1), MaxValueValidator(64)], help_text="Deployments applied at a time."
    )
    identity = models.CharField(max_length=64, blank=True, db_default="", editable=False)
    is_simulated = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClusterQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def seal_credentials(self, credentials: dict[str, str]) -> None:
        """Put credentials in, `{"token": …}` or `{"client_certificate": PEM, "client_key": PEM}`; save afterwards."""
        self.sealed_credentials = keyring().seal(json.dumps(credentials).encode(), self._context)

    def open_credentials(self) -> dict[str, Any]:
        """The credentials in clear, for `kube` only. Raises CannotOpen."""
        if self.sealed_credentials is None:
            return {}
        opened: dict[str, Any] = json.loads(keyring().open(bytes(self.sealed_credentials), self._context))
        return opened

    @property
    def _context(self) -> str:
        return f"cluster:{self.pk}:credentials"
