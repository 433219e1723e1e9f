"""Register a cluster, change it, test it, forget it: acts of platform admins."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from deployments import services
from deployments.forms import AcceptForm, ClusterForm, NameForm
from deployments.models import Cluster, ClusterStatus
from deployments.views.asking import Done, ask
from deployments.views.common import Request, as_uuid, only_platform_admins, posted
from monitoring.connections import report, report_of_new, test_and_keep

FORM = "monitoring/cluster_form.html"


@never_cache
def register(request: Request) -> HttpResponse:
    """A cluster that llmdash does not know yet."""
    only_platform_admins(request)
    form = ClusterForm(posted(request))

    def act() -> Done:
        tested = report_of_new(form.cluster)
        made = services.register_cluster(values=form.values(form.cleaned_data), by=request.user)
        services.keep_report(cluster=made, report=dict(tested))
        return page_of(made), f"{made.name} is registered."

    page = {"title": "Register a cluster", "cluster": None, "back": reverse("monitoring:clusters")}
    return ask(request, form, act, page, template=FORM)


@never_cache
def change(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Other credentials, another Prometheus, other limits."""
    row = fetch(request, pk)
    form = ClusterForm(posted(request), cluster=fetch(request, pk))

    def act() -> Done:
        values, seen = form.values(form.cleaned_data), form.cleaned_data["seen"]
        made = services.change_cluster(cluster=row, values=values, by=request.user, seen=seen)
        if not made.tested:  # how to reach it has changed
            test_and_keep(made)
        return page_of(made), f"{made.name} is saved."

    page = {"title": f"Settings of {row.name}", "cluster": row, "back": page_of(row)}
    return ask(request, form, act, page, template=FORM)


@never_cache
@require_POST
def try_out(request: Request) -> HttpResponse:
    """Test what stands in the form, without saving it: the part beside the form."""
    only_platform_admins(request)
    known = request.GET.get("cluster", "")
    cluster = get_object_or_404(Cluster, pk=known) if as_uuid(known) else None
    form = ClusterForm(request.POST, cluster=cluster)
    if not form.is_valid():
        return render(request, "monitoring/_tested.html", {"form": form})
    try:
        found = report(form.cluster) if cluster else report_of_new(form.cluster)
    except services.Refused as refused:
        form.add_error(None, str(refused))
        return render(request, "monitoring/_tested.html", {"form": form})
    return render(request, "monitoring/_tested.html", {"report": found, "form": form, "tried": True})


@require_POST
def test(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Test what is stored, and keep the report."""
    row = fetch(request, pk)
    found = test_and_keep(row)
    if found["ok"] and (not found["prometheus"] or found["prometheus"]["ok"]):
        messages.success(request, "The connection works, and its rights suffice.")
    else:
        messages.error(request, "The connection test found something; see below.")
    return redirect(page_of(row))


def accept(request: Request, pk: uuid.UUID) -> HttpResponse:
    """The cluster that answers now is the right one."""
    row = fetch(request, pk)
    status = getattr(row, "status", None) or ClusterStatus()
    form = AcceptForm(posted(request), initial={"answering": status.answering})

    def act() -> Done:
        answering = services.accept_identity(cluster=row, by=request.user, seen=form.cleaned_data["answering"])
        return page_of(row), f"{row.name} is the cluster {answering} from now on."

    text = (
        f"{row.name} was the cluster {ClusterStatus.identity_of(row) or 'unknown'}; the one that answers at its "
        f"address now is {status.answering or 'unknown'}. Accept it when the cluster was built anew or moved on "
        "purpose: all deployments are then applied there."
    )
    return ask(request, form, act, of(row, f"Accept another cluster as {row.name}", "Accept", text))


def forget(request: Request, pk: uuid.UUID) -> HttpResponse:
    """Remove it here; what stands in the cluster stays there."""
    row = fetch(request, pk)
    form = NameForm(posted(request), name=row.name)

    def act() -> Done:
        services.forget_cluster(cluster=row, by=request.user)
        return reverse("monitoring:clusters"), f"Cluster {row.name} is forgotten."

    return ask(request, form, act, of(row, f"Forget {row.name}", "Forget", going(row)) | {
        "danger": True, "confirm_name": row.name, "left": services.left_behind(row),
    })  # fmt: skip


def going(row: Cluster) -> str:
    """What goes, and what stays behind, in words."""
    projects = row.projects.count()
    left = services.by_kind(services.left_behind(row))
    stays = ", ".join(f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in left)
    owned = f"{projects} projects" if projects > 1 else "project"
    first = f"It goes from llmdash, and with it its {owned} with members, secrets and deployments"
    first = first if projects else "It goes from llmdash"
    if not stays:
        return f"{first}. In the cluster nothing is touched; nothing of ours is known to stand there."
    return (
        f"{first}. In the cluster nothing is touched: {stays} stay as they are, and the activity page names them. "
        "To have them removed, delete the deployments first."
    )


def fetch(request: Request, pk: uuid.UUID) -> Cluster:
    """The cluster, for platform admins."""
    only_platform_admins(request)
    return get_object_or_404(Cluster.objects.select_related("status"), pk=pk)


def page_of(row: Cluster) -> str:
    """The cluster's page."""
    return reverse("monitoring:cluster", args=[row.pk])


def of(row: Cluster, title: str, label: str, text: str) -> dict[str, Any]:
    """What the page of an act on a cluster says."""
    return {
        "title": title, "submit_label": label, "explanation": text, "back": page_of(row), "back_label": row.name,
    }  # fmt: skip
