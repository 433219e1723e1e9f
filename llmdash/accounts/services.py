"""Acts on accounts, audited."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from deployments import audit
from deployments.choices import Action
from deployments.services import Refused
from llmdash.accounts.choices import Scope
from llmdash.accounts.models import ApiToken, User

# Easy to read aloud and to select by a double click; 16 of 56 are 92 bits.
LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
PREFIX_LETTERS, SECRET_LETTERS = 10, 40
MAX_TOKENS = 100  # good ones of one person


class TooMany(Refused):
    """The person has as many tokens as one may have."""

    code = "too-many"


def random_letters(count: int) -> str:
    """Letters that nobody guesses."""
    return "".join(secrets.choice(LETTERS) for _ in range(count))


def random_password() -> str:
    """A password that nobody guesses."""
    return random_letters(16)


@transaction.atomic
def set_new_password(*, username: str) -> str:
    """Give a person a random password and return it; their open sessions end. Raises User.DoesNotExist."""
    person = User.objects.select_for_update().get(username=username)
    password = random_password()
    person.set_password(password)
    person.save(update_fields=["password"])
    audit.record(None, Action.PASSWORD, person)
    return password


def digest_of(secret: str) -> str:
    """What is kept of a token's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def default_days() -> int:
    """For how long a token is good unless somebody says otherwise."""
    return min(90, int(settings.LLMDASH["TOKEN_MAX_DAYS"]))


@transaction.atomic
def make_token(*, user: User, name: str, scope: Scope, days: int | None = None) -> tuple[ApiToken, str]:
    """A new token of that person, and the text that is shown this once. Raises ValidationError, TooMany."""
    most = settings.LLMDASH["TOKEN_MAX_DAYS"]
    days = default_days() if days is None else days
    if not 1 <= days <= most:
        raise ValidationError({"days": f"A token is good for 1 to {most} days."})
    User.objects.select_for_update().get(pk=user.pk)  # two requests at once would both find room
    if user.tokens.good().count() >= MAX_TOKENS:
        raise TooMany(f"You have {MAX_TOKENS} tokens; revoke one first.")
    prefix, secret = random_letters(PREFIX_LETTERS), random_letters(SECRET_LETTERS)
    made = ApiToken(
        user=user, name=name, scope=scope, prefix=prefix, digest=digest_of(secret),
        expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    made.full_clean()
    made.save(force_insert=True)
    audit.record(user, Action.MAKE_TOKEN, made, scope=str(scope), expires_at=made.expires_at.isoformat())
    return made, f"llmd_{prefix}_{secret}"


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User) -> None:
    """End a token at once; a second call changes nothing."""
    locked = ApiToken.objects.select_for_update(of=("self",)).select_related("user").get(pk=token.pk)
    if locked.revoked_at:
        return
    locked.revoked_at = timezone.now()
    locked.save(update_fields=["revoked_at"])
    audit.record(by, Action.REVOKE_TOKEN, locked, owner=locked.user.get_username())
