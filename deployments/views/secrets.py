"""The secrets of a project: written and removed, never read."""

import uuid

from django.http import Http404, HttpResponse

from deployments import services
from deployments.access import Can
from deployments.forms import NameForm, SecretForm
from deployments.views.asking import Done, ask
from deployments.views.common import Request, posted
from deployments.views.projects import at, fetch, of


def write_secret(request: Request, pk: uuid.UUID) -> HttpResponse:
    """A new secret, or the next version of one."""
    row = fetch(request, pk, Can.DEPLOY)
    form = SecretForm(posted(request))

    def act() -> Done:
        data = form.cleaned_data
        made = services.store_secret(
            project=row, name=data["name"], value=data["value"], by=request.user, key=data["idempotency_key"]
        )
        return at(row), f"{made.name} is stored, version {made.version}."

    text = (
        "A deployment uses it by a line such as HF_TOKEN <- hf_token in its secret environment, which takes the newest "
        "version. One that has an older version keeps that until the line is written there again."
    )
    return ask(request, form, act, of(row, f"Write a secret of {row.name}", "Store", text))


def remove_secret(request: Request, pk: uuid.UUID, secret: str) -> HttpResponse:
    """Forget all of its versions."""
    row = fetch(request, pk, Can.DELETE)
    if not row.secrets.filter(name=secret).exists():
        raise Http404
    form = NameForm(posted(request), name=secret)

    def act() -> Done:
        services.remove_secret(project=row, name=secret, by=request.user)
        return at(row), f"{secret} is removed."

    text = "All of its versions go. Revisions that named it can no longer be gone back to."
    page = of(row, f"Remove {secret} from {row.name}", "Remove", text) | {"danger": True, "confirm_name": secret}
    return ask(request, form, act, page)
