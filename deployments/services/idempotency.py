"""A request that is sent twice acts once."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from deployments.difference import fingerprint as digest_of
from deployments.models import IdempotencyKey
from deployments.models.secret import keyring
from deployments.services.refusals import KeyReused, Refused

if TYPE_CHECKING:
    from llmdash.accounts.models import User

Row = TypeVar("Row", bound=models.Model)


def of_key(by: "User", key: str, fingerprint: list[Any]) -> IdempotencyKey | None:
    """The row of an idempotency key, made now or found; None without a key. In the transaction of the act. Raises
    KeyReused for one that was used for another request."""
    if not key:
        return None
    if len(key) > 200:
        raise ValidationError({"key": "An idempotency key has at most 200 characters."})
    digest = digest_of(fingerprint)
    row, made = IdempotencyKey.objects.get_or_create(user=by, key=key, defaults={"request_hash": digest})
    if not made and row.request_hash != digest:
        raise KeyReused("This idempotency key was used for another request.")
    return row


def once(kind: type[Row], make: Callable[[], Row], *, by: "User", key: str, fingerprint: list[Any]) -> Row:
    """The row that `make` makes, or that it made when the key was used before. Raises KeyReused, and Refused where that
    row is gone since."""
    seen = of_key(by, key, fingerprint)
    if seen and seen.made:
        before = kind._default_manager.filter(pk=seen.made).first()
        if before is None:
            raise Refused("What was made with this idempotency key is gone.")
        return before
    made = make()
    if seen:
        seen.made = made.pk
        seen.save(update_fields=["made"])
    return made


def sealed(values: Any) -> str:
    """A fingerprint of what may hold secrets: without the installation's key nobody can guess them from it."""
    return keyring().checksum("idempotency", json.dumps(values, sort_keys=True, default=str).encode())
