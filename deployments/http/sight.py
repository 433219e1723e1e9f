"""What people have in common for whom an answer is the same, so that one drawing serves them all."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse

from deployments.models import Membership

if TYPE_CHECKING:
    from llmdash.accounts.models import User

HEADER = "Llmdash-Sight"  # of an answer that others may have, too; it does not leave the process
QUESTION = "Llmdash-Sight-Only"  # of a request that asks for the header alone; none comes from outside
ALONE = 204


def shared(request: HttpRequest, user: "User", draw: Callable[[], HttpResponse]) -> HttpResponse:
    """An answer that others may have, too: nothing in it may depend on more than its address and the person's rights.
    Empty, with ALONE, when only those were asked for."""
    answer = HttpResponse(status=ALONE) if QUESTION in request.headers else draw()
    answer[HEADER] = of(user)
    return answer


def of(user: "User") -> str:
    """A digest of the rights of a person."""
    roles = Membership.objects.of(user).values_list("project", "role")
    rights = "all" if user.is_superuser else sorted((str(project), role) for project, role in roles)
    return hashlib.blake2b(repr(rights).encode(), digest_size=16).hexdigest()
