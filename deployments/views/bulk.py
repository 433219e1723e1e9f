"""Stop, start or delete several deployments at once: first what will happen to each, then the act, one by one."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from deployments import glance, services
from deployments.access import Can, allowed
from deployments.choices import Role
from deployments.forms import BulkForm
from deployments.models import AppliedObject, Membership, Revision
from deployments.views.common import Request, as_uuid, posted

MOST = 200  # rows at once; a page of the list has 50
NAMED = 5  # deployments that a message names
STATE = ("q", "health", "project", "cluster", "sort", "page")  # of the list, in its address
LONGEST = 2000  # characters of that


@dataclass(frozen=True)
class Act:
    """What is done to each, and in which words."""

    word: str
    can: Can
    does: Callable[..., Any]
    done: str
    sentence: str
    danger: bool = False


ACTS = {
    "stop": Act(
        "Stop", Can.DEPLOY, services.stop, "being stopped",
        "Their replicas go away and the GPUs become free. The number of replicas is remembered.",
    ),
    "start": Act(
        "Start", Can.DEPLOY, services.start, "being started", "The remembered number of replicas is started again.",
    ),
    "delete": Act(
        "Delete", Can.DELETE, services.delete, "being deleted",
        "Every object that llmdash made for them is removed from the cluster. Objects that llmdash adopted stay.",
        danger=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One deployment of those chosen; `why_not` says why it is left out, `objects` what goes with it."""

    row: Any
    why_not: str
    objects: list[str]


def bulk(request: Request) -> HttpResponse:
    """The page that asks, and the act."""
    given = request.POST if request.method == "POST" else request.GET
    act = ACTS.get(given.get("act", ""))
    lines = chosen(request, given.getlist("pk"), act) if act else []
    back = listed(given.get("list", ""))
    if act is None or not lines:
        messages.info(request, "Choose deployments in the list first, then what to do with them.")
        return redirect(back)
    able = [line.row for line in lines if not line.why_not]
    form = BulkForm(posted(request), word=act.word.lower(), count=len(able), danger=act.danger)
    if request.method == "POST" and able and form.is_valid():
        perform(request, act, able, form.cleaned_data["reason"])
        for line in lines:
            if line.why_not:  # it could be done when the page asked
                messages.info(request, f"{line.row.name} is left as it is: {line.why_not}")
        return redirect(back)
    context = {
        "act": act, "key": given["act"], "lines": lines, "able": able, "form": form,
        "gpus": sum(row.view.gpus for row in able), "back": back,
        "list_query": back.partition("?")[2],
    }  # fmt: skip
    return render(request, "deployments/bulk.html", context, status=422 if form.errors else 200)


def listed(query: str) -> str:
    """The address of the list as the person left it, out of its query; of what it does not know nothing is kept."""
    given = QueryDict(query[:LONGEST])
    known = {key: given[key] for key in STATE if given.get(key)}
    return reverse("deployments:list") + (f"?{urlencode(known)}" if known else "")


def chosen(request: Request, ids: Iterable[str], act: Act) -> list[Line]:
    """The deployments of these ids that the person may see, by project and name."""
    wanted = {found for text in list(ids)[:MOST] if (found := as_uuid(text))}
    visible = glance.listed().visible_to(request.user).filter(pk__in=wanted)
    rows = list(visible.order_by("project__name", "name"))
    running = asked_to_run(rows)
    roles = Membership.objects.roles(request.user, list({row.project_id for row in rows}))
    for row in rows:
        row.view = glance.of(row)
    going = objects(rows) if act.danger else {}
    return [
        Line(row, why_not(row, act, roles[row.project_id], runs=running[row.pk]), going.get(row.pk, [])) for row in rows
    ]


def asked_to_run(rows: list[Any]) -> dict[uuid.UUID, bool]:
    """Whether the newest Revision of each is to run, by one query."""
    newest = Revision.objects.filter(deployment__in=rows, number=F("deployment__desired"))
    return {pk: spec.get("running", True) for pk, spec in newest.values_list("deployment", "spec_json")}


def objects(rows: list[Any]) -> dict[uuid.UUID, list[str]]:
    """What llmdash made for each, "Service qwen", by one query."""
    found: dict[uuid.UUID, list[str]] = {}
    made = AppliedObject.objects.filter(deployment__in=rows, created_by_us=True)
    for pk, kind, name in made.values_list("deployment", "kind", "name"):
        found.setdefault(pk, []).append(f"{kind} {name}")
    return found


def why_not(row: Any, act: Act, role: Role | None, *, runs: bool) -> str:
    """Why an act leaves a deployment as it is; "" when it does not."""
    if not allowed(role, act.can):
        return f"You are {role.label.lower() if role else 'nobody'} in project {row.project.name}."
    if row.deleted_at:
        return "It is being deleted already."
    if act is ACTS["stop"] and not runs:
        return "It is stopped already."
    if act is ACTS["start"] and runs:
        return "It is running already."
    return ""


def seen_of(request: Request) -> dict[str, int]:
    """The revision of each that the person was shown, from fields such as seen-<id>."""
    found = {}
    for name in request.POST:
        text = request.POST.get(name, "")
        if name.startswith("seen-") and text.isascii() and text.isdigit() and len(text) < 10:
            found[name.removeprefix("seen-")] = int(text)
    return found


def perform(request: Request, act: Act, rows: list[Any], reason: str) -> None:
    """Do it to each for that reason, and say what came of it. What was changed since the page was opened is left."""
    done, same, seen = [], [], seen_of(request)
    for row in rows:
        try:
            act.does(deployment=row, by=request.user, if_revision=seen.get(str(row.pk)), reason=reason)
            done.append(row.name)
        except services.NothingChanged:
            same.append(row.name)
        except services.Conflict as conflict:
            messages.warning(request, f"{row.name} is left as it is: {conflict}")
        except services.Refused as refused:
            messages.error(request, f"{row.name}: {refused}")
    if done:
        messages.success(request, f"{names(done)} {'is' if len(done) == 1 else 'are'} {act.done}.")
    if same:
        messages.info(request, f"{names(same)} {'was' if len(same) == 1 else 'were'} so already.")


def names(found: list[str]) -> str:
    """A few by name, more by number."""
    if len(found) > NAMED:
        return f"{len(found)} deployments"
    return " and ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else found[0]
