"""Acts on accounts, audited."""

import secrets

from django.db import transaction

from deployments import audit
from llmdash.accounts.models import User


@transaction.atomic
def set_new_password(*, username: str) -> str:
    """Give a person a random password and return it; their open sessions end. Raises User.DoesNotExist."""
    person = User.objects.select_for_update().get(username=username)
    password = secrets.token_urlsafe(12)
    person.set_password(password)
    person.save(update_fields=["password"])
    audit.record(None, "set password", person)
    return password
