"""The bodies of tokens: a secret goes out once, with the answer that made it."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from deployments.spec import Strict, Text
from llmdash.accounts.choices import Scope
from llmdash.accounts.models import ApiToken


class MakeToken(Strict):
    """POST tokens. `days` has the installation's own bound."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    scope: Annotated[Scope, Field(strict=False)] = Scope.READ
    days: Annotated[int, Field(ge=1)] | None = None


def token(row: ApiToken) -> dict[str, Any]:
    """A token without its secret, of which nothing but a digest is kept."""
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
