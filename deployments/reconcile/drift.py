"""Who else changes our objects, and when we stop putting them back."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from deployments import fieldpath
from deployments.comparison import differing
from deployments.kube import FieldConflict, KubeError
from deployments.kube.errors import Cause
from deployments.manifests import labels
from deployments.models import AppliedObject, Deployment
from deployments.ownership import owner

KEPT = 50  # wins of rivals


class Contested(KubeError):
    """One rival has won too often; nothing is forced until a person takes over."""


class QuietChange(FieldConflict):
    """Fields of ours differ and nobody owns them: the API server would take our values without a word."""


def refuse_quiet_changes(known: AppliedObject, manifest: dict[str, Any], live: dict[str, Any]) -> None:
    """Raise the conflict that the API server does not: who removes a field, or scales to 0 through `/scale` (a zero is
    left out there), owns nothing. What it rewrote itself at our last write is no change."""
    rewritten = [(item["field"], item["live"]) for item in known.rewritten]
    managers = [(entry["manager"], entry.get("fieldsV1")) for entry in live["metadata"].get("managedFields", [])]
    wanted = {path for path, _, _ in differing(manifest, live)}
    causes = [
        Cause(f".{'.'.join(path)}", 'conflict with "somebody" who left no name', "FieldManagerConflict")
        for path, _, got in differing(known.manifest, live)
        if path in wanted
        and (".".join(path), got) not in rewritten
        and not owner(managers, path, besides=labels.MANAGER)
    ]
    if causes:
        fields = ", ".join(cause.field for cause in causes)
        raise QuietChange(f"Somebody changed {fields} of {known}.", 409, "Conflict", causes)


def moved(known: AppliedObject | None, live: dict[str, Any], causes: list[Cause]) -> list[Cause]:
    """Those of a conflict whose field is not as our last write left it. Who holds a field with the very value that we
    gave it, since it was adopted or both said the same, has changed nothing, and a newer wish goes before that."""
    if known is None or known.kind == "Secret" or live.get("metadata", {}).get("uid") != known.uid:
        return causes
    return [cause for cause in causes if not fieldpath.same(known.manifest, live, cause.field)]


def recent(deployment: Deployment) -> list[dict[str, str]]:
    """The rivals' wins that still count: within the window, and those that made an object contested, until a person
    takes over."""
    since = timezone.now() - timedelta(seconds=settings.LLMDASH["CONTESTED_SECONDS"])
    return [win for win in deployment.heals if "contested" in win or datetime.fromisoformat(win["at"]) > since]


def note_win(deployment: Deployment, manifest: dict[str, Any], causes: list[Cause]) -> list[str]:
    """Write down that rivals changed our fields; returns those who have done it too often to this object."""
    now = timezone.now().isoformat()
    what = f"{manifest['kind']}/{manifest['metadata']['name']}"
    rivals = sorted({cause.manager for cause in causes})
    wins = recent(deployment) + [{"at": now, "rival": rival, "object": what} for rival in rivals]
    counts = Counter(win["rival"] for win in wins if win["object"] == what)
    if is_contested(deployment, what):
        winners = rivals
    else:
        winners = [rival for rival in rivals if counts[rival] >= settings.LLMDASH["CONTESTED_WINS"]]
    if winners:
        wins = [win | ({"contested": "yes"} if win["object"] == what else {}) for win in wins][-KEPT:]
    write(deployment, wins)
    return winners


def is_contested(deployment: Deployment, what: str) -> bool:
    """Whether a rival has won too often about this object, and nobody has taken over since."""
    return any(win["object"] == what and "contested" in win for win in deployment.heals)


def settled(deployment: Deployment) -> list[dict[str, str]]:
    """The wins that are left when everything could be applied without forcing: nothing is contested any more."""
    return [win for win in deployment.heals if "contested" not in win]


def write(deployment: Deployment, wins: list[dict[str, str]]) -> None:
    """Keep these wins and forget others; a take-over forgets all."""
    deployment.heals = wins
    Deployment.objects.filter(pk=deployment.pk).update(heals=wins)


def adoptable(deployment: Deployment, manifest: dict[str, Any]) -> str:
    """The uid of somebody's object that stands where this one should, and that a person saw and let us adopt; "" for
    none. Another one needs another permission."""
    seen = deployment.last_error.get("stranger") or {}
    same = seen.get("object") == f"{manifest['kind']}/{manifest['metadata']['name']}"
    return str(seen["uid"]) if same and taken_over(deployment) else ""


def taken_over(deployment: Deployment) -> bool:
    """A person told us to win since the last error. Each error keeps the take-over that it knew: no clock is asked."""
    at, error = deployment.taken_over_at, deployment.last_error
    return bool(at and error and error.get("taken_over_at") != at.isoformat())
