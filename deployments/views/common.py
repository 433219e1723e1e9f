"""What the pages share: the fetch that authorises, and the request of a signed-in person."""

import uuid
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404

from deployments import glance, services
from deployments.access import Can
from deployments.choices import Role
from deployments.difference import changes
from deployments.models import Deployment

if TYPE_CHECKING:
    from llmdash.accounts.models import User


class Request(HttpRequest):
    """A request behind the sign-in wall."""

    user: "User"


def fetch(request: Request, pk: uuid.UUID, can: Can = Can.VIEW) -> Deployment:
    """The row: 404 when the person may not see it, 403 when they see it and may not do this."""
    deployment: Deployment = get_object_or_404(glance.listed().visible_to(request.user), pk=pk)
    if not deployment.project.allows(request.user, can):
        raise PermissionDenied(reason(deployment.project.role_of(request.user), deployment))
    return deployment


def reason(role: Role | None, deployment: Deployment) -> str:
    """Why a person may not change this."""
    who = role.label.lower() if role else "nobody"
    return f"You are {who} in project {deployment.project.name}; operators may do this."


def only_platform_admins(request: Request) -> None:
    """Raise PermissionDenied for everybody else."""
    if not request.user.is_superuser:
        raise PermissionDenied("Only platform admins may do this.")


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: even an act without any field is one, when it is posted."""
    return request.POST if request.method == "POST" else None


def conflict_of(conflict: services.Conflict, seen: int) -> dict[str, Any]:
    """Who made the newest revision, and what differs from the one that this person saw."""
    newest = conflict.newest
    before = newest.deployment.revisions.filter(number=seen).first()
    return {"newest": newest, "changes": changes(before.spec_json if before else {}, newest.spec_json)}


def is_fragment(request: HttpRequest) -> bool:
    """Whether a live update asks, which wants the fragment alone."""
    return request.headers.get("HX-Request") == "true"


def as_uuid(text: str) -> uuid.UUID | None:
    """An id from an address; None for what is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def why_nobody_creates(*, in_a_project: bool) -> str:
    """Why a person may create no deployment anywhere."""
    return "You are viewer in every project." if in_a_project else "There is no project yet."


def clean(text: str) -> str:
    """Without characters that nobody can type, NUL above all: PostgreSQL refuses it."""
    return "".join(char for char in text[:200] if char.isprintable()).strip()
