"""Who else changes our objects, and when we stop putting them back."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from deployments.kube import Connection, FieldConflict, Identity, KubeError, read
from deployments.kube.errors import Cause
from deployments.models import Deployment


class Contested(KubeError):
    """One rival has won too often; nothing is forced until a person takes over."""


def refuse_quiet_scaling(connection: Connection, manifest: dict[str, Any], who: Identity) -> None:
    """Raise the conflict that the API server does not: scaling to 0 through `/scale` leaves nobody as the owner of
    `.spec.replicas` (a zero is left out there), so that an apply would bring the pods back without a word."""
    if manifest["kind"] != "Deployment" or not manifest["spec"]["replicas"]:
        return
    try:
        live = read(connection, manifest, identity=who)
    except KubeError as error:
        if error.status == 404:
            return
        raise
    owned = any("f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {}) for entry in managers(live))
    if live["spec"].get("replicas") == 0 and not owned:
        cause = Cause(".spec.replicas", 'conflict with "somebody" who scaled it to 0', "FieldManagerConflict")
        raise FieldConflict("Somebody scaled it to 0 replicas.", 409, "Conflict", [cause])


def managers(live: dict[str, Any]) -> list[dict[str, Any]]:
    """Who owns fields of an object."""
    found: list[dict[str, Any]] = live["metadata"].get("managedFields", [])
    return found


def recent(deployment: Deployment) -> list[dict[str, str]]:
    """The rivals' wins that still count: within the window."""
    since = timezone.now() - timedelta(seconds=settings.LLMDASH["CONTESTED_SECONDS"])
    return [win for win in deployment.heals if datetime.fromisoformat(win["at"]) > since]


def note_win(deployment: Deployment, manifest: dict[str, Any], causes: list[Cause]) -> list[str]:
    """Write down that rivals changed our fields; returns those who have done it too often to this object."""
    now = timezone.now().isoformat()
    what = f"{manifest['kind']}/{manifest['metadata']['name']}"
    rivals = sorted({cause.manager for cause in causes})
    wins = recent(deployment) + [{"at": now, "rival": rival, "object": what} for rival in rivals]
    write(deployment, wins)
    counts = Counter(win["rival"] for win in wins if win["object"] == what)
    return [rival for rival in rivals if counts[rival] >= settings.LLMDASH["CONTESTED_WINS"]]


def write(deployment: Deployment, wins: list[dict[str, str]]) -> None:
    """Keep these wins and forget others; a take-over forgets all."""
    deployment.heals = wins
    Deployment.objects.filter(pk=deployment.pk).update(heals=wins)


def taken_over(deployment: Deployment) -> bool:
    """A person told us to win since the last error. Each error keeps the take-over that it knew: no clock is asked."""
    at, error = deployment.taken_over_at, deployment.last_error
    return bool(at and error and error.get("taken_over_at") != at.isoformat())
