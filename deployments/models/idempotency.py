"""Requests that may be sent twice and shall act once."""

from django.db import models


class IdempotencyKey(models.Model):
    """The answer to a request that carried a key, kept for a day with the request's hash."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, null=True, related_name="+")
    revision = models.PositiveIntegerField(null=True)
    made = models.UUIDField(null=True)  # what was made, where that is no deployment
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="key_once_a_user")]

    def __str__(self) -> str:
        return self.key
