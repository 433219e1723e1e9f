"""Who did what, when, with which result."""

from django.db import models


class AuditEntry(models.Model):
    """One act. Inserted in the transaction of the act by `audit.record`, never changed; ordered by `id`."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=40)
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64)
    target_name = models.CharField(max_length=260)
    project = models.ForeignKey("deployments.Project", on_delete=models.SET_NULL, null=True, related_name="+")
    detail = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["target_kind", "target_id", "-id"], name="audit_by_target")]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.target_kind} {self.target_name}"
