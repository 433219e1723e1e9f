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
from deployments.forms import ActForm, NameForm, ScaleForm
from deployments.models import Deployment
from deployments.views.common import Request, fetch, posted
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
    act = without_key(services.take_over)
    return confirm(request, deployment, act, "take over", text, done="is taken over", form=forms.Form(posted(request)))


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
    act = without_key(services.try_again)
    return confirm(request, deployment, act, "try again", text, done="is tried again", form=forms.Form(posted(request)))


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
    form = ScaleForm(posted(request), initial={"replicas": now, "idempotency_key": uuid.uuid4().hex})

    def act(**more: Any) -> None:
        services.scale(replicas=form.cleaned_data["replicas"], **more)

    text = "Pods that run stay as they are; the others come or go."
    return confirm(request, deployment, act, "scale", text, done="is being scaled", form=form)


def delete(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Remove every object that llmdash made for it."""
    deployment = fetch(request, pk, Can.DELETE)
    form = NameForm(posted(request), name=deployment.name)
    text = "These objects are removed from the cluster. Objects that llmdash adopted stay."
    extra = {"objects": deployment.inventory.all(), "danger": True}
    return confirm(
        request, deployment, without_key(services.delete), "delete", text, done="is being deleted", form=form, **extra
    )


def policy(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Choose what happens when others change the objects."""
    deployment = fetch(request, pk, Can.DEPLOY)
    form = PolicyForm(posted(request), initial={"policy": deployment.drift_policy})

    def act(*, deployment: Deployment, by: Any) -> None:
        services.set_drift_policy(deployment=deployment, policy=DriftPolicy(form.cleaned_data["policy"]), by=by)

    text = "What happens when somebody else changes or removes an object of this deployment."
    return confirm(request, deployment, act, "set drift policy", text, done="has a new drift policy", form=form)


class PolicyForm(forms.Form):
    """One of the drift policies."""

    policy = forms.ChoiceField(choices=DriftPolicy.pairs(), label="When others change it")


def without_key(act: Callable[..., Any]) -> Callable[..., Any]:
    """For acts that make no Revision and are the same when done twice."""

    def call(*, deployment: Deployment, by: Any, **_: Any) -> None:
        act(deployment=deployment, by=by)

    return call


def confirm(
    request: Request, deployment: Deployment, act: Callable[..., Any], action: str, explanation: str, *, done: str,
    form: forms.Form | None = None, **extra: Any,
) -> HttpResponse:  # fmt: skip
    """GET asks, POST acts and goes back to the deployment; what is refused is said beside the field or on top."""
    form = form or ActForm(posted(request), initial={"idempotency_key": uuid.uuid4().hex})
    if request.method == "POST" and form.is_valid() and perform(request, deployment, act, form, done):
        return redirect("deployments:detail", pk=deployment.pk)
    title = extra.pop("title", f"{action.capitalize()} {deployment.name}")
    context = {
        "deployment": deployment, "action": action, "title": title, "explanation": explanation, "form": form,
        "submit_label": action.capitalize(), "danger": False, "objects": None,
    }  # fmt: skip
    return render(request, "deployments/confirm.html", context | extra, status=422 if form.errors else 200)


def perform(request: Request, deployment: Deployment, act: Callable[..., Any], form: forms.Form, done: str) -> bool:
    """Do it; False when it was refused and the form says why."""
    more = {}
    if isinstance(form, ActForm):
        more = {"key": form.cleaned_data["idempotency_key"], "reason": form.cleaned_data["reason"]}
    try:
        act(deployment=deployment, by=request.user, **more)
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


def show(form: forms.Form, problems: list[tuple[tuple[str | int, ...], str]]) -> None:
    """The spec's problems beside the form's fields."""
    for path, text in problems:
        name = str(path[0]) if path else ""
        form.add_error(name if name in form.fields else None, text)
