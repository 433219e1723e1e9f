"""The acts on a deployment: each has a page that works without script and acts on POST."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from deployments import services
from deployments.access import Can
from deployments.choices import DriftPolicy
from deployments.difference import changes
from deployments.forms import ActForm, DeleteForm, PolicyForm, ScaleForm, SeenForm, TakeOverForm
from deployments.models import Deployment
from deployments.views.common import Request, conflict_of, fetch, posted
from deployments.views.stranger import Stranger, consequence, stranger


def stop(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Take all replicas away."""
    deployment = fetch(request, pk, Can.DEPLOY)
    text = "All replicas go away and their GPUs become free. The number of replicas is remembered."
    return confirm(request, deployment, services.stop, "stop", text, done="is being stopped")


def start(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Bring the replicas back."""
    deployment = fetch(request, pk, Can.DEPLOY)
    text = "The remembered number of replicas is started again."
    return confirm(request, deployment, services.start, "start", text, done="is being started")


def restart(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Replace every pod."""
    deployment = fetch(request, pk, Can.DEPLOY)
    text = "Every pod is replaced, one after the other. Each loads the weights anew."
    return confirm(request, deployment, services.restart, "restart", text, done="is being restarted")


def take_over(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Win against a rival once more, or adopt what stands in the way."""
    deployment = fetch(request, pk, Can.DEPLOY)
    if found := stranger(deployment):
        return adopt(request, deployment, found)
    text = "The objects are set to the newest revision, whoever changed them; what stands in the way is adopted."
    form = TakeOverForm(posted(request))
    return confirm(request, deployment, services.take_over, "take over", text, done="is taken over", form=form)


def adopt(request: Request, deployment: Deployment, found: Stranger) -> HttpResponse:
    """Make an object of somebody else's one of this deployment."""

    def act(*, deployment: Deployment, by: Any) -> None:
        if found.why_not:
            raise services.Refused(found.why_not)
        services.take_over(deployment=deployment, by=by)

    what = f"{found.kind} {found.name}"
    return confirm(
        request, deployment, act, "adopt", found.why_not or consequence(deployment, found), done=f"adopts {what}",
        form=forms.Form(posted(request)), title=f"Adopt {what}", submit_label=f"Adopt {what}",
    )  # fmt: skip


def try_again(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Do now what is tried again later."""
    deployment = fetch(request, pk, Can.DEPLOY)
    text = "What was refused or failed is tried now instead of later."
    form = forms.Form(posted(request))
    return confirm(request, deployment, services.try_again, "try again", text, done="is tried again", form=form)


def roll_back(request: Request, pk: uuid.UUID, number: int) -> HttpResponse:
    """Make an earlier revision the newest again."""
    deployment = fetch(request, pk, Can.DEPLOY)
    chosen = get_object_or_404(deployment.revisions, number=number)
    newest = deployment.revisions.get(number=deployment.desired)
    text = f"The settings of revision {number} become revision {deployment.desired + 1}. That changes:"
    extra: dict[str, Any] = {
        "title": f"Roll back to revision {number}",
        "changes": changes(newest.spec_json, chosen.spec_json),
    }

    def act(**more: Any) -> None:
        services.roll_back(number=number, **more)

    return confirm(request, deployment, act, "roll back", text, done=f"goes back to revision {number}", **extra)


def scale(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Ask for another number of replicas."""
    deployment = fetch(request, pk, Can.DEPLOY)
    now = deployment.revisions.get(number=deployment.desired).spec.replicas
    form = ScaleForm(posted(request), initial={"replicas": now} | begun(deployment))

    def act(**more: Any) -> None:
        services.scale(replicas=form.cleaned_data["replicas"], **more)

    text = "Pods that run stay as they are; the others come or go."
    return confirm(request, deployment, act, "scale", text, done="is being scaled", form=form)


def delete(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Remove every object that llmdash made for it."""
    deployment = fetch(request, pk, Can.DELETE)
    form = DeleteForm(posted(request), name=deployment.name, initial=begun(deployment))
    text = "These objects are removed from the cluster. Objects that llmdash adopted stay."
    extra = {"objects": deployment.inventory.all(), "danger": True}
    return confirm(request, deployment, services.delete, "delete", text, done="is being deleted", form=form, **extra)


def policy(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Choose what happens when others change the objects."""
    deployment = fetch(request, pk, Can.DEPLOY)
    form = PolicyForm(posted(request), initial={"policy": deployment.drift_policy})

    def act(*, deployment: Deployment, by: Any) -> None:
        services.set_drift_policy(deployment=deployment, policy=DriftPolicy(form.cleaned_data["policy"]), by=by)

    text = "What happens when somebody else changes or removes an object of this deployment."
    return confirm(request, deployment, act, "set drift policy", text, done="has a new drift policy", form=form)


def begun(deployment: Deployment) -> dict[str, Any]:
    """What a form remembers unseen: the revision that its reader saw, and a key under which it is done once."""
    return {"if_revision": deployment.desired, "idempotency_key": uuid.uuid4().hex}


def confirm(
    request: Request, deployment: Deployment, act: Callable[..., Any], action: str, explanation: str, *, done: str,
    form: forms.Form | None = None, **extra: Any,
) -> HttpResponse:  # fmt: skip
    """GET asks, POST acts and goes back to the deployment; what is refused is said beside the field or on top."""
    form = form or ActForm(posted(request), initial=begun(deployment))
    context = {
        "deployment": deployment, "action": action, "title": f"{action.capitalize()} {deployment.name}",
        "explanation": explanation, "form": form, "submit_label": action.capitalize(), "danger": False,
        "objects": None, "conflict": None,
    } | extra  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            if perform(request, deployment, act, form, done):
                return redirect("deployments:detail", pk=deployment.pk)
        except services.Conflict as conflict:
            context["conflict"] = ask_again(conflict, form)
            context["submit_label"] = f"{action.capitalize()} all the same"
    status = 409 if context["conflict"] else 422 if form.errors else 200
    return render(request, "deployments/confirm.html", context, status=status)


def perform(request: Request, deployment: Deployment, act: Callable[..., Any], form: forms.Form, done: str) -> bool:
    """Do it; False when it was refused and the form says why. Raises Conflict."""
    try:
        act(deployment=deployment, by=request.user, **carried(form))
    except services.Conflict:
        raise
    except services.NothingChanged as unchanged:
        messages.info(request, str(unchanged))
        return True
    except services.SpecRefused as refused:
        show(form, refused.problems)
        return False
    except services.Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, f"{deployment.name} {done}.")
    return True


def carried(form: forms.Form) -> dict[str, Any]:
    """What a form of its kind hands to the act besides its own fields."""
    data = form.cleaned_data
    names = {"if_revision": "if_revision", "idempotency_key": "key", "reason": "reason"}
    return {as_what: data[name] for name, as_what in names.items() if name in data}


def ask_again(conflict: services.Conflict, form: forms.Form) -> dict[str, Any]:
    """What the other person changed since this page was opened; the same button then acts on theirs, knowingly."""
    found = conflict_of(conflict, form.cleaned_data["if_revision"])
    if isinstance(form, SeenForm):
        form.retype(if_revision=str(conflict.newest.number))
    return found


def show(form: forms.Form, problems: list[tuple[tuple[str | int, ...], str]]) -> None:
    """The spec's problems beside the form's fields."""
    for path, text in problems:
        name = str(path[0]) if path else ""
        form.add_error(name if name in form.fields else None, text)
