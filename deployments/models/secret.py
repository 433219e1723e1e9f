"""Values that nobody can read again through llmdash."""

import functools
import uuid
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from deployments.crypto import Keyring

MAX_SECRET_CHARS = 64 * 1024
MAX_SECRETS_CHARS = 900_000  # of one deployment: a Secret holds 1 MiB with its keys


@functools.lru_cache(maxsize=4)
def read_keyring(path: str) -> Keyring:
    """Read the key file. Raises ImproperlyConfigured naming the variable."""
    try:
        return Keyring.parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"LLMDASH_ENCRYPTION_KEY_FILE: {path}: {error}") from error


def keyring() -> Keyring:
    """The installation's keys."""
    return read_keyring(settings.LLMDASH["ENCRYPTION_KEY_FILE"])


class SecretValue(models.Model):
    """One version of a secret of a project: inserted, never changed, opened by the worker only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("deployments.Project", on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=255)
    version = models.PositiveIntegerField()
    sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["project", "name", "-version"]
        constraints = [models.UniqueConstraint(fields=["project", "name", "version"], name="secret_version_once")]

    def __str__(self) -> str:
        return f"{self.name} (version {self.version})"

    def seal(self, value: str) -> None:
        """Put the value in, before the first save."""
        self.sealed = keyring().seal(value.encode(), f"secretvalue:{self.pk}:value")

    def open(self) -> bytes:
        """The value in clear, for the worker. Raises CannotOpen."""
        return keyring().open(bytes(self.sealed), f"secretvalue:{self.pk}:value")
