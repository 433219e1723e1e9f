"""New and edit: one form, two doors into `services`."""

import re
import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render

from deployments import services
from deployments import spec as specs
from deployments.access import Can
from deployments.choices import DriftPolicy
from deployments.forms import DeploymentForm, merged
from deployments.models import Cluster, ClusterStatus, Deployment, IdempotencyKey, Project, Revision
from deployments.spec import Spec
from deployments.views.asking import SENT_BEFORE
from deployments.views.common import Request, conflict_of, fetch, posted

if TYPE_CHECKING:
    from llmdash.accounts.models import User


def new(request: Request) -> HttpResponse:
    """Ask for a new deployment."""
    projects = Project.objects.where(request.user, Can.DEPLOY).select_related("cluster")
    if not projects.exists():
        raise PermissionDenied("You may not deploy in any project. A project admin can make you operator.")
    form = DeploymentForm(posted(request), projects=projects, initial={"project": request.GET.get("project")})
    if (
        request.method == "POST" and form.is_valid() and fits(form, form.cleaned_data["project"])
        and (deployment := create(form, request.user))
    ):  # fmt: skip
        messages.success(request, f"{deployment.name} is saved and will be applied.")
        return redirect("deployments:detail", pk=deployment.pk)
    clusters = Cluster.objects.filter(projects__in=projects).distinct()
    places = {str(project.pk): project.cluster.name for project in projects}
    return show(request, form, {"deployment": None, "newest": None, "capacity": capacity(clusters), "places": places})


def edit(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Ask for another revision."""
    deployment = fetch(request, pk, Can.DEPLOY)
    newest = deployment.revisions.get(number=deployment.desired)
    seen = revision_seen(request, deployment) or newest
    form = DeploymentForm(
        posted(request), before=seen.spec, project=deployment.project, initial={"if_revision": newest.number}
    )
    context: dict[str, Any] = {"deployment": deployment, "newest": newest}
    if request.method == "POST":
        try:
            if not form.is_valid():
                if seen.number != newest.number:  # told now, with the mistakes, and not in another round
                    raise services.Conflict(newest)
            elif fits(form, deployment.project) and (revision := revise(form, deployment, request.user)):
                messages.success(request, f"Revision {revision} is saved and will be applied.")
                return redirect("deployments:detail", pk=deployment.pk)
        except services.Conflict as conflict:
            form, both = merged(form, conflict.newest)
            found = conflict_of(conflict, seen.number)
            context |= {"conflict": found | {"both": both}, "newest": conflict.newest}
    context["capacity"] = capacity(Cluster.objects.filter(pk=deployment.project.cluster_id))
    context["places"] = {"": deployment.project.cluster.name}
    return show(request, form, context)


def revision_seen(request: Request, deployment: Deployment) -> Revision | None:
    """The revision that a form began with, when it names one; the form itself says what is wrong with another text."""
    number = request.POST.get("if_revision", "")
    if not re.fullmatch(r"[0-9]{1,9}", number):
        return None
    return deployment.revisions.filter(number=int(number)).first()


def show(request: Request, form: DeploymentForm, context: dict[str, Any]) -> HttpResponse:
    """The form with what was typed; 409 for a conflict and 422 for mistakes, as programs expect."""
    status = 409 if context.get("conflict") else 422 if form.errors else 200
    if status != 200:
        form.ask_for_secrets_again()
    return render(request, "deployments/form.html", {"form": form, "conflict": None} | context, status=status)


def create(form: DeploymentForm, by: "User") -> Deployment | None:
    """Save, or put what is wrong into the form."""
    data = form.cleaned_data
    try:
        with transaction.atomic():
            spec = with_secrets(form, data["project"], by)
            return services.create(
                project=data["project"], name=data["name"], spec=spec, by=by, reason=data["reason"],
                key=data["idempotency_key"], drift_policy=DriftPolicy(data["drift_policy"] or DriftPolicy.HEAL),
            )  # fmt: skip
    except ValidationError as error:
        put_errors(form, error)
    except services.KeyReused:
        if first := sent_before(form, by):
            return first.deployment
    except services.SpecRefused as refused:
        form.show(refused.problems)
    except services.Refused as refused:
        form.add_error(None, str(refused))
    return None


def revise(form: DeploymentForm, deployment: Deployment, by: "User") -> int | None:
    """Save a revision and return its number, or put what is wrong into the form. Raises Conflict."""
    data = form.cleaned_data
    try:
        with transaction.atomic():
            spec = with_secrets(form, deployment.project, by)
            revision = services.revise(
                deployment=deployment, spec=spec, by=by, reason=data["reason"], if_revision=data["if_revision"],
                key=data["idempotency_key"],
            )  # fmt: skip
            return revision.number
    except services.Conflict:
        raise
    except services.KeyReused:
        if first := sent_before(form, by):
            return first.number
    except services.SpecRefused as refused:
        form.show(refused.problems)
    except services.Refused as refused:
        form.add_error(None, str(refused))
    return None


def sent_before(form: DeploymentForm, by: "User") -> Revision | None:
    """The revision of a form that was sent twice: secrets get another id each time, so that only the rest tells.
    When something else differs it is another wish, which the next try may save."""
    key = form.cleaned_data["idempotency_key"]
    row = IdempotencyKey.objects.filter(user=by, key=key, revision__isnull=False).select_related("deployment").first()
    first = row.deployment.revisions.filter(number=row.revision or 0).first() if row and row.deployment else None
    if first and without_ids(first.spec) == without_ids(form.cleaned_data["spec"]) and same_place(first, form):
        return first
    form.retype(idempotency_key=uuid.uuid4().hex)
    form.add_error(None, SENT_BEFORE)
    return None


def same_place(revision: Revision, form: DeploymentForm) -> bool:
    """Whether a form for a new deployment names the one that a revision is of; an edit has no other."""
    made, data = revision.deployment, form.cleaned_data
    return (data.get("project", made.project), data.get("name", made.name)) == (made.project, made.name)


def without_ids(spec: Spec) -> dict[str, Any]:
    """A spec in which every secret looks alike."""
    env = [{"name": var.name, "value": var.value} for var in spec.env]
    return specs.dump(spec) | {"env": env}


def with_secrets(form: DeploymentForm, project: Project, by: "User") -> Spec:
    """The form's spec, its new secret values stored. Part of the same transaction: nothing is half-saved."""
    spec: Spec = form.cleaned_data["spec"]
    values: dict[str, str] = form.cleaned_data["secret_values"]
    if not values:
        return spec
    Project.objects.select_for_update().get(pk=project.pk)  # versions of a secret are counted one by one
    ids = {
        name: services.store_secret(project=project, name=name, value=value, by=by).pk for name, value in values.items()
    }
    env = [
        var.model_copy(update={"secret": ids[var.name]}) if var.secret and var.name in ids else var for var in spec.env
    ]
    return spec.model_copy(update={"env": env})


def put_errors(form: DeploymentForm, error: ValidationError) -> None:
    """A row's own errors beside the form's fields of the same name."""
    if not hasattr(error, "error_dict"):
        return form.add_error(None, error)
    for name, problems in error.error_dict.items():
        form.add_error(name if name in form.fields else "name" if name == "__all__" else None, problems)
    return None


def capacity(clusters: Any) -> list[dict[str, Any]]:
    """Free GPUs by cluster and type, for the column beside the form; `type` is what the GPU type of a spec would be."""
    statuses = ClusterStatus.objects.filter(cluster__in=clusters).select_related("cluster").order_by("cluster__name")
    return [
        row | {"cluster": status.cluster.name, "type": label_of(row)}
        for status in statuses
        for row in status.capacity.get("gpus", [])
    ]


def label_of(row: dict[str, Any]) -> str:
    """The product label of the nodes that have these GPUs: what stands before the profile of a MIG slice."""
    if row["product"] == row["resource"]:
        return ""
    return str(row["product"]).removesuffix(row["resource"].partition("/")[2]).strip()


def fits(form: DeploymentForm, project: Project) -> bool:
    """Whether GPUs of the type are of the resource, as far as the cluster has told; else the form says which they are
    of. A type that no node has may come."""
    spec: Spec = form.cleaned_data["spec"]
    rows = capacity(Cluster.objects.filter(pk=project.cluster_id)) if spec.gpus and spec.gpu_type else []
    resources = sorted({row["resource"] for row in rows if row["type"] == spec.gpu_type})
    if not resources or spec.gpu_resource in resources:
        return True
    names = " or ".join(resources)
    form.add_error("gpu_type", f"GPUs of this type are {names} there: set that as GPU resource, under More settings.")
    return False
