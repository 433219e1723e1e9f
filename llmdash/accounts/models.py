"""The people who use llmdash, and the tokens by which their programs do."""

import uuid
from typing import Self

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from llmdash.accounts.choices import Scope, Standing


class User(AbstractUser):
    """A person. `is_superuser` is the platform admin: clusters, users and every project."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.get_full_name() or self.username


def shown_name(text: str) -> None:
    """A name that lists and logs show as it is."""
    if not text.isprintable():
        raise ValidationError("A name has no control characters.")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def good(self) -> Self:
        """Tokens that are neither revoked nor expired."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=timezone.now())


class ApiToken(models.Model):
    """What a program shows instead of a password. Only the digest of its secret is kept, so it is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100, validators=[shown_name])
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)  # SHA-256: nobody guesses 232 random bits
    scope = models.CharField(max_length=10, choices=Scope.pairs(), default=Scope.READ, db_default=Scope.READ.value)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"
        verbose_name_plural = "API tokens"
        constraints = [
            models.CheckConstraint(condition=Q(scope__in=[str(scope) for scope in Scope]), name="token_scope_known")
        ]

    def __str__(self) -> str:
        return f"{self.name} (llmd_{self.prefix}_…)"

    @property
    def standing(self) -> Standing:
        """Revoked counts before expired."""
        if self.revoked_at:
            return Standing.REVOKED
        return Standing.GOOD if self.expires_at > timezone.now() else Standing.EXPIRED
