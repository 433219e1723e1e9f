"""The pages of one's own API tokens."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from deployments.services import Refused
from deployments.views.asking import refuse
from deployments.views.common import Request, posted
from llmdash.accounts import services
from llmdash.accounts.choices import Scope
from llmdash.accounts.forms import TokenForm
from llmdash.accounts.models import ApiToken

SHOWN = 200


@login_required
def tokens(request: Request) -> HttpResponse:
    """One's tokens, and the form for a new one. The answer to a POST shows the secret, which no other page does."""
    form = TokenForm(posted(request))
    made = make(request, form) if request.method == "POST" else None
    rows = list(request.user.tokens.all()[:SHOWN])
    context = {"tokens": rows, "form": TokenForm() if made else form, "made": made}
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


def make(request: Request, form: TokenForm) -> tuple[ApiToken, str] | None:
    """The new token and its text, None when the form was refused."""
    if not form.is_valid():
        return None
    given = form.cleaned_data
    try:
        return services.make_token(
            user=request.user, name=given["name"], scope=Scope(given["scope"]), days=given["days"]
        )
    except Refused as refused:
        form.add_error(None, str(refused))
    except ValidationError as invalid:
        refuse(form, invalid)
    return None


@login_required
def revoke(request: Request, pk: uuid.UUID) -> HttpResponse:
    """GET asks, POST ends it."""
    token = get_object_or_404(request.user.tokens, pk=pk)
    if request.method == "POST":
        services.revoke_token(token=token, by=request.user)
        messages.success(request, f"{token.name} is revoked.")
        return redirect("accounts:tokens")
    page = {
        "title": f"Revoke {token.name}",
        "submit_label": "Revoke",
        "explanation": "Whatever uses it is refused from now on. This cannot be taken back.",
        "back": reverse("accounts:tokens"),
        "back_label": "API tokens",
        "danger": True,
    }
    return render(request, "deployments/act.html", page)
