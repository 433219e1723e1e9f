"""Acts on accounts, audited."""

import secrets

from django.db import transaction

from deployments import audit
from deployments.choices import Action
from llmdash.accounts.models import User

# Easy to read aloud and to select by a double click; 16 of 56 are 92 bits.
LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def random_password() -> str:
    """A password that nobody guesses."""
    return "".join(secrets.choice(LETTERS) for _ in range(16))


@transaction.atomic
def set_new_password(*, username: str) -> str:
    """Give a person a random password and return it; their open sessions end. Raises User.DoesNotExist."""
    person = User.objects.select_for_update().get(username=username)
    password = random_password()
    person.set_password(password)
    person.save(update_fields=["password"])
    audit.record(None, Action.PASSWORD, person)
    return password
