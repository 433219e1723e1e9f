"""The audit: one entry for each act, in the transaction of the act."""

from typing import TYPE_CHECKING, Any

import structlog
from django.db import models

from deployments import chain
from deployments.models import AuditEntry, Project

if TYPE_CHECKING:
    from llmdash.accounts.models import User

LLMDASH = "llmdash"  # the actor of what llmdash does by itself


def record(
    by: "User | None", action: str, target: models.Model, *, project: Project | None = None, **detail: Any
) -> AuditEntry:
    """Write who (`None` is llmdash itself) did what to which row. Never put a secret's value into `detail`."""
    entry = AuditEntry(
        actor=by,
        actor_name=by.get_username() if by else LLMDASH,
        action=str(action),
        target_kind=target._meta.model_name or "",
        target_id=str(target.pk),
        target_name=str(target),
        project=project,
        detail=detail,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )
    chain.link(entry)
    entry.save(force_insert=True)
    return entry
