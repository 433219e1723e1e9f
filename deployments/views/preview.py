"""What a form that is being typed would become: the difference to what stands, and the objects as YAML."""

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from deployments import spec as specs
from deployments.access import Can
from deployments.difference import changes
from deployments.forms import DeploymentForm
from deployments.manifests import Workload, build
from deployments.manifests.secret import without_values
from deployments.models import Deployment, Project
from deployments.views.common import Request, fetch

NO_NAME = "name"  # stands in the YAML until one is typed


@require_POST
def preview_new(request: Request) -> HttpResponse:
    """Of a deployment that is not there yet."""
    projects = Project.objects.where(request.user, Can.DEPLOY).select_related("cluster")
    if not projects.exists():
        raise PermissionDenied("You may not deploy in any project.")
    form = DeploymentForm(request.POST, projects=projects)
    form.is_valid()
    project = form.cleaned_data.get("project") or projects[0]
    name = form.cleaned_data.get("name") or NO_NAME
    return show(request, form, Deployment(project=project, name=name), {})


@require_POST
def preview_edit(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Of the next revision."""
    deployment = fetch(request, pk, Can.DEPLOY)
    newest = deployment.revisions.get(number=deployment.desired)
    form = DeploymentForm(request.POST, before=newest.spec, project=deployment.project)
    form.is_valid()
    return show(request, form, deployment, newest.spec_json)


def show(request: Request, form: DeploymentForm, deployment: Deployment, before: dict[str, Any]) -> HttpResponse:
    """The part beside the form. What is still missing for a spec is said, and no YAML then."""
    spec = form.cleaned_data.get("spec")
    context: dict[str, Any] = {"errors": [], "changes": [], "manifests": [], "is_edit": bool(before)}
    if spec is None:
        labels = {name: field.label or name for name, field in form.fields.items()}
        context["errors"] = [
            f"{labels.get(name, 'The form')}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()
        ]
    else:
        context["changes"] = changes(before, specs.dump(spec)) if before else []
        context["manifests"] = [without_values(made) for made in build(workload(deployment, spec))]
    return render(request, "deployments/_preview.html", context)


def workload(deployment: Deployment, spec: specs.Spec) -> Workload:
    """As the worker would have it, but for secrets' values, which stay where they are."""
    return Workload(
        installation=settings.LLMDASH["INSTALLATION"],
        deployment_id=str(deployment.pk),
        name=deployment.name,
        namespace=deployment.project.namespace,
        project=deployment.project.name,
        revision=deployment.desired + 1,
        revision_id=str(uuid.UUID(int=0)),
        spec=spec,
        secrets={var.name: b"" for var in spec.env if var.secret},
        secret_checksum="0" * 16 if any(var.secret for var in spec.env) else "",
    )
