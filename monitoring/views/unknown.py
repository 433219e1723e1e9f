"""Adopt a deployment that a cluster has and the database does not know."""

import uuid

from django.forms import Form
from django.http import Http404, HttpResponse
from django.urls import reverse

from deployments.views.asking import Done, ask
from deployments.views.common import Request, posted
from monitoring import unknown
from monitoring.views.registration import fetch, of


def adopt(request: Request, pk: uuid.UUID, deployment: uuid.UUID) -> HttpResponse:
    """Take it into the database, as it runs."""
    cluster = fetch(request, pk)
    row = unknown.found(cluster, deployment)
    if row is None:
        raise Http404

    def act() -> Done:
        made = unknown.adopt(cluster, deployment, request.user)
        return reverse("deployments:detail", args=[made.pk]), f"{made.name} is adopted as it runs."

    text = (
        f"{row['name']} runs in namespace {row['namespace']} as revision {row['revision']} and carries llmdash's"
        " labels. The database does not know it, as after a restore from an older backup. Its spec is read"
        " from the cluster and becomes the newest revision; its pods stay as they are."
    )
    return ask(request, Form(posted(request)), act, of(cluster, f"Adopt {row['name']}", "Adopt", text))
