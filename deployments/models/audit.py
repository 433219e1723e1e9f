"""Who did what, when, with which result."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Value
from django.utils import timezone

from deployments.models.project import Project

if TYPE_CHECKING:
    from llmdash.accounts.models import User


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, user: "User") -> Self:
        """Entries of the person's projects, and what they did to their own tokens and second factors; all for a
        platform admin, those of clusters and people among them."""
        if not user.is_active:
            return self.none()
        own = models.Q(actor=user, target_kind__in=("apitoken", "authenticator"))
        return self if user.is_superuser else self.filter(models.Q(project__in=Project.objects.visible_to(user)) | own)


class AuditEntry(models.Model):
    """One act. Inserted in the transaction of the act by `audit.record`, never changed; ordered by `id`.

    `digest` is over what happened and over the digests of `parents`, the ids of earlier entries (`deployments.chain`).
    It is "" in entries from before there was a chain.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=40)
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64)
    target_name = models.CharField(max_length=260)
    project = models.ForeignKey("deployments.Project", on_delete=models.SET_NULL, null=True, related_name="+")
    detail = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    parents = models.JSONField(default=list, db_default=Value([], models.JSONField()), blank=True, editable=False)
    digest = models.CharField(max_length=64, default="", db_default="", blank=True, editable=False)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["target_kind", "target_id", "-id"], name="audit_by_target"),
            models.Index(fields=["project", "-id"], name="audit_by_project"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.target_kind} {self.target_name}"
