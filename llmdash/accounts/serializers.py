"""The bodies of tokens: a secret goes out once, with the answer that made it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from deployments.rules import Text
from deployments.shapes import about, words
from deployments.spec import Strict
from llmdash.accounts.choices import Scope, Standing
from llmdash.accounts.models import ApiToken


class MakeToken(Strict):
    """POST tokens. `days` has the installation's own bound."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    scope: Annotated[Scope, Field(strict=False)] = Scope.READ
    days: Annotated[int, Field(ge=1)] | None = None


class Token(TypedDict):
    """A token without its secret, of which nothing but a digest is kept."""

    id: UUID
    name: str
    prefix: Annotated[str, about("What the token begins with.")]
    scope: Annotated[str, words(Scope)]
    standing: Annotated[str, words(Standing)]
    created_at: datetime
    expires_at: datetime
    last_used_at: Annotated[datetime | None, about("Written at most once a minute.")]
    revoked_at: datetime | None


class NewToken(Token):
    """A token with its secret."""

    token: Annotated[str, about("For the Authorization header. It is shown this once.")]


def token(row: ApiToken) -> Token:
    """One of the list."""
    return {
        "id": row.pk,
        "name": row.name,
        "prefix": f"llmd_{row.prefix}",
        "scope": row.scope,
        "standing": row.standing.value,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
    }


def new_token(row: ApiToken, text: str) -> NewToken:
    """The answer that made it."""
    return {**token(row), "token": text}
