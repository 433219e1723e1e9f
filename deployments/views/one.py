"""One deployment: how it is, its revisions and its logs."""

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from deployments import advice, glance, reads
from deployments.access import Can, allowed
from deployments.choices import Health, Problem, Stage
from deployments.difference import as_yaml, changes, lines
from deployments.models import AppliedObject, AuditEntry, Deployment, Revision, SecretValue, ServedRevision
from deployments.spec import Spec
from deployments.views.common import Request, fetch, is_fragment, reason
from deployments.views.stranger import stranger

REVISIONS_A_PAGE = 10
AUDIT_ROWS = 20
LOCAL_PORT = 8080  # of a port-forward
STAGES = (Stage.SCHEDULED, Stage.PULLING, Stage.LOADING, Stage.READY)
STARTING = "Starting"  # in place of loading the weights, where there are none
LASTING = (Stage.PULLING, Stage.LOADING)  # done when the next one begins; the others are moments


def detail(request: Request, pk: uuid.UUID) -> HttpResponse:
    """The page, or its live part."""
    deployment = fetch(request, pk)
    view = glance.of(deployment)
    newest = deployment.revisions.get(number=deployment.desired)
    role = deployment.project.role_of(request.user)
    status = getattr(deployment, "status", None)
    objects = list(deployment.inventory.all())
    service: dict[str, Any] = status.endpoint if status else {}
    steps = stages(view, startup_minutes(objects), loads=newest.spec.runtime != "custom")
    last = last_served(deployment, view)
    serving = serves_still(deployment, view, last)
    context = {
        "deployment": deployment,
        "view": view,
        "newest": newest,
        "spec": newest.spec,
        "applied_revision": deployment.revisions.filter(number=deployment.applied).first(),
        "can": {str(can): allowed(role, can) for can in Can},
        "role_reason": reason(role, deployment),
        "stages": steps,
        "rollout": rollout(status.rollout if status and not view.stale else "", view, steps),
        "pods": view.pods,
        "events": status.events if status else [],
        "drift": status.drift if status else [],
        "advice": advice.of_health(view.health, view.pods),
        "problem": problem(deployment),
        "objects": objects,
        "endpoint": endpoint(deployment, newest.spec, service, serving) if has_service(objects, service, view) else {},
        "last_served": last,
        "environment": environment(deployment, newest.spec),
        "revisions": revisions(deployment, request.GET.get("page")),
        "audit": AuditEntry.objects.filter(target_kind="deployment", target_id=str(pk))[:AUDIT_ROWS],
    }
    template = "deployments/_detail.html" if is_fragment(request) else "deployments/detail.html"
    return render(request, template, context)


def revisions(deployment: Deployment, page: str | None) -> Any:
    """A page of revisions, newest first, each with what it changed."""
    paged = Paginator(deployment.revisions.with_served(), REVISIONS_A_PAGE).get_page(page)
    rows: list[Any] = list(paged.object_list)
    older = rows[-1].predecessor() if rows else None
    for row, before in zip(rows, [*rows[1:], older], strict=True):
        row.changes = changes(before.spec_json, row.spec_json) if before else []
    paged.object_list = rows
    return paged


def last_served(deployment: Deployment, view: glance.Glance) -> ServedRevision | None:
    """The newest revision that was seen to serve, where another one is wanted and does not serve."""
    if deployment.deleted_at or view.health not in (Health.FAILING, Health.WAITING, Health.DEGRADED):
        return None
    found = deployment.served.first()
    return found if found and found.number != deployment.desired else None


def serves_still(deployment: Deployment, view: glance.Glance, last: ServedRevision | None) -> Revision | None:
    """The older revision whose pods are all that serves; None where the newest one's do, or none."""
    ready = [pod for pod in view.pods if pod["ready"]]
    if last is None or not ready or any(pod["current"] for pod in ready):
        return None
    return deployment.revisions.filter(number=last.number).first()


def environment(deployment: Deployment, spec: Spec) -> list[dict[str, str]]:
    """The variables by name; of those from a secret which one, its version, and whether that is the newest."""
    ids = [var.secret for var in spec.env if var.secret]
    names = SecretValue.objects.filter(pk__in=ids).values("name")
    known = SecretValue.objects.filter(project=deployment.project_id, name__in=names).only("name", "version")
    rows = list(known) if ids else []
    newest: dict[str, int] = {}
    for row in rows:
        newest[row.name] = max(row.version, newest.get(row.name, 0))
    told = {
        row.pk: f"secret {row.name}, version {row.version}"
        + (f", newest is {newest[row.name]}" if row.version < newest[row.name] else "")
        for row in rows
    }
    return [{"name": var.name, "told": told.get(var.secret, "secret") if var.secret else ""} for var in spec.env]


def startup_minutes(objects: list[AppliedObject]) -> int:
    """How long a start may take before the kubelet ends it, by the startup probe that was applied; 0 without one."""
    found: dict[str, Any] = next((item.manifest for item in objects if item.kind == "Deployment"), {})
    containers = found.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
    probes = [one["startupProbe"] for one in containers if "startupProbe" in one]
    return max((-(-probe["periodSeconds"] * probe["failureThreshold"] // 60) for probe in probes), default=0)


def stages(view: glance.Glance, minutes: int, *, loads: bool) -> list[dict[str, Any]]:
    """How far the newest pods are: how many have reached each stage, and where one failed. `at` is when a stage began
    while it lasts, and when it ended once it is done; `may_take` the minutes that loading may take. Not every runtime
    `loads` an LLM."""
    pods = [pod for pod in view.pods if pod["current"] and pod["stage"] != Stage.STOPPING]
    reached = [(furthest(pod), pod["stage"] == Stage.FAILED) for pod in pods]
    found = []
    began = [last_begun(pods, stage) for stage in STAGES]
    for place, stage in enumerate(STAGES):
        count = sum(at >= place for at, _ in reached)
        state = stage_state(reached, place, view.wanted)
        at = began[place + 1] if state == "done" and stage in LASTING else began[place]
        may_take = minutes if stage == Stage.LOADING else 0
        label = stage.label if loads or stage != Stage.LOADING else STARTING
        row = {
            "stage": stage,
            "label": label,
            "count": count,
            "total": view.wanted,
            "at": at,
            "state": state,
            "may_take": may_take,
        }
        found.append(row)
    return found


def rollout(said: str, view: glance.Glance, steps: list[dict[str, Any]]) -> str:
    """As `kubectl rollout status` tells it, but "hindered" while the newest pods fail or find no node: until the
    deadline passes Kubernetes calls that progress."""
    waits = any(pod["stage"] == Stage.PENDING and pod["reason"] for pod in view.pods if pod["current"])
    hindered = waits or any(step["state"] == "failed" for step in steps)
    return "hindered" if said == "progressing" and hindered else said


def last_begun(pods: list[dict[str, Any]], stage: Stage) -> str | None:
    """When the last of these pods reached a stage."""
    times = [step["at"] for pod in pods for step in pod["stages"] if step["stage"] == stage and step["at"]]
    return max(times, default=None)


def furthest(pod: dict[str, Any]) -> int:
    """The place in STAGES of the last stage that a pod has reached, -1 while it waits for a node."""
    at = {step["stage"]: step["at"] for step in pod["stages"]}
    return max((place for place, stage in enumerate(STAGES) if at.get(stage.value)), default=-1)


def stage_state(reached: list[tuple[int, bool]], place: int, wanted: int) -> str:
    """ "failed" where a pod stands and fails, "active" where one stands, "done" behind the last one, else "todo"."""
    last = len(STAGES) - 1
    stands = [failed for at, failed in reached if max(at, 0) == place and at < last]
    if any(stands):
        return "failed"
    if stands:
        return "active"
    all_passed = bool(reached) and all(at > place or at == last for at, _ in reached)
    complete = place < last or len(reached) >= wanted
    return "done" if all_passed and complete else "todo"


def problem(deployment: Deployment) -> dict[str, Any] | None:
    """Why the newest revision is not applied, or the objects are not removed, with the next step."""
    if not deployment.hindrance:
        return None
    kind, error = Problem(deployment.hindrance), deployment.last_error
    deleting = deployment.deleted_at is not None
    return {
        "choice": kind,
        "sentence": error.get("message", ""),
        "next_step": advice.of_problem(kind, error, deleting=deleting),
        "stranger": stranger(deployment),
        "can_take_over": not deleting and advice.can_take_over(kind, error),
        "retry_at": deployment.next_attempt_at,
        "objects_done": error.get("objects_done", 0),
        "objects_total": error.get("objects_total", 0),
    }


def has_service(objects: list[AppliedObject], seen: dict[str, Any], view: glance.Glance) -> bool:
    """Whether a Service of ours stands there: one that we made, and that was seen where anything is seen now. What has
    its name before that is somebody else's."""
    made = any(item.kind == "Service" and item.revision for item in objects)
    return made and (bool(seen) or view.stale)


def endpoint(
    deployment: Deployment, spec: Spec, seen: dict[str, Any], serving: Revision | None
) -> dict[str, Any]:  # fmt: skip
    """Where it answers, and calls to copy, which name the LLM of the revision that serves; `forward` brings a Service
    without an address outside to one's computer."""
    service = f"{deployment.name}.{deployment.project.namespace}.svc"
    external = seen.get("external", "")
    port = "" if spec.service_port == 80 else f":{spec.service_port}"
    url = f"http://{external or service}{port}"
    llm = serving.spec.llm if serving else spec.llm
    calls = openai_calls(url, llm) if spec.runtime == "vllm" else {"curl": f"curl {url}/"}
    if not external and not deployment.project.cluster.is_simulated:
        service_port = f"service/{deployment.name} {LOCAL_PORT}:{spec.service_port}"
        calls["forward"] = f"kubectl -n {deployment.project.namespace} port-forward {service_port}"
        calls["local"] = f"http://127.0.0.1:{LOCAL_PORT}"
    older = serving.number if serving and llm != spec.llm else 0
    return {"service": service, "url": url, "external": external, "port": spec.service_port, "older": older} | calls


def openai_calls(url: str, llm: str) -> dict[str, str]:
    """The same question by curl, by the OpenAI client and by LangChain."""
    body = f'{{"model": "{llm}", "messages": [{{"role": "user", "content": "Hello"}}]}}'
    return {
        "curl": f"curl {url}/v1/chat/completions \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'",
        "openai": (
            "from openai import OpenAI\n\n"
            f'client = OpenAI(base_url="{url}/v1", api_key="none")\n'
            f'answer = client.chat.completions.create(\n    model="{llm}",\n'
            '    messages=[{"role": "user", "content": "Hello"}],\n)\nprint(answer.choices[0].message.content)'
        ),
        "langchain": (
            "from langchain_openai import ChatOpenAI\n\n"
            f'llm = ChatOpenAI(base_url="{url}/v1", api_key="none", model="{llm}")\nprint(llm.invoke("Hello").content)'
        ),
    }


def revision(request: Request, pk: uuid.UUID, number: int) -> HttpResponse:
    """What one revision changed, by field and by line."""
    deployment = fetch(request, pk)
    chosen = get_object_or_404(deployment.revisions, number=number)
    before = chosen.predecessor()
    context = {
        "deployment": deployment,
        "revision": chosen,
        "before": before,
        "changes": changes(before.spec_json, chosen.spec_json) if before else [],
        "diff_lines": lines(as_yaml(before.spec_json) if before else "", as_yaml(chosen.spec_json)),
        "can": {str(can): deployment.project.allows(request.user, can) for can in Can},
    }
    return render(request, "deployments/revision.html", context)


def logs(request: Request, pk: uuid.UUID, pod: str) -> HttpResponse:
    """The last lines of the log of a pod that the watcher saw, or that one of this deployment may have been called."""
    deployment = fetch(request, pk, Can.LOGS)
    view = glance.of(deployment)
    found = next((row for row in view.pods if row["name"] == pod), None)
    if found is None and not reads.may_be_pod(deployment, pod):
        raise Http404  # others' pods stand in the namespace, too
    previous = request.GET.get("previous") == "1"
    text, error = reads.logs(deployment, pod, actor=request.user.get_username(), previous=previous)
    context = {
        "deployment": deployment,
        "view": view,
        "pod": pod,
        "container": deployment.name,
        "text": text,
        "error": error,
        "previous": previous,
        "restarts": found["restarts"] if found else 0,
        "stage": found["stage"] if found else "",
    }
    template = "deployments/_logs.html" if is_fragment(request) else "deployments/logs.html"
    return render(request, template, context)
