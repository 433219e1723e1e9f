"""Subresources that are more than a part of their object: scale, eviction, binding, logs, tokens of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmdash.sandbox import decode, errors, logs, patch, schema, selectors, strategy
from llmdash.sandbox.hollow import times
from llmdash.sandbox.registry import Deletion, Writer
from llmdash.sandbox.web import HttpResponse, answer

if TYPE_CHECKING:
    from llmdash.sandbox.objects import Call

Json = dict[str, Any]
RETURNED = frozenset({"Pod", "Service", "ServiceAccount", "PersistentVolumeClaim", "PersistentVolume", "ResourceQuota"})
"""Kinds whose deletion answers with the object even when it is gone at once."""
SCALE_TYPE = "autoscaling/v1"


async def handle(call: Call) -> HttpResponse:
    """A request to a subresource. Raises a 404 or 405 for what there is not."""
    sub, verb = call.request.subresource, call.request.verb
    entry = call.resource.subresources.get(sub)
    if entry is None:
        raise errors.no_such_resource()
    if verb not in entry["verbs"]:
        raise errors.method_not_allowed()
    if sub == "log":
        return await logs.answer(call)
    if sub == "scale":
        return scale(call)
    if sub == "eviction":
        return evict(call)
    if sub == "binding":
        return bind(call)
    if sub == "token":
        return token(call)
    if sub in ("status", "finalize", "approval", "ephemeralcontainers", "resize"):
        return {"get": call.get, "update": call.update, "patch": call.patch}[verb]()
    raise errors.internal(f"the simulated cluster has no {sub} of {call.resource.plural}", 501)


def scale(call: Call) -> HttpResponse:
    """Read or set replicas alone."""
    request = call.request
    live = call.registry.get(call.resource, request.namespace, request.name)
    if request.verb == "get":
        return answer(scale_of(live))
    if request.verb == "patch":
        kind = patch.KINDS.get(call.http.content_type, "merge")
        type_ = schema.of(SCALE_TYPE, "Scale", document="apps/v1")
        wanted = patch.carry_out(kind, type_, scale_of(live), decode.body(call.http.body, kind="Scale").value)
    else:
        wanted = decode.body(call.http.body, kind="Scale").value
    count = (wanted.get("spec") or {}).get("replicas", 0)
    if count < 0:
        cause = errors.invalid_value("spec.replicas", count, "must be greater than or equal to 0")
        raise errors.invalid("Scale", "autoscaling", request.name, [cause])
    version = (wanted.get("metadata") or {}).get("resourceVersion")

    def change(found: Json) -> Json:
        meta = found["metadata"] | ({"resourceVersion": version} if version else {})
        return found | {"metadata": meta, "spec": found["spec"] | {"replicas": count}}

    stored = call.registry.update(call.resource, request.namespace, request.name, change, call.writer, owns=count > 0)
    return answer(scale_of(stored))


def scale_of(found: Json) -> Json:
    """The Scale of a workload; its zeros are left out, as Go does."""
    meta = found["metadata"]
    kept = {
        key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp") if key in meta
    }
    count = found["spec"].get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": SCALE_TYPE,
        "metadata": kept,
        "spec": {"replicas": count} if count else {},
        "status": {
            "replicas": (found.get("status") or {}).get("replicas", 0),
            "selector": selectors.shown(found["spec"].get("selector")),
        },
    }


def evict(call: Call) -> HttpResponse:
    """Delete a pod, unless a disruption budget says that too few would be left."""
    request, registry = call.request, call.registry
    pod = registry.get(call.resource, request.namespace, request.name)
    for budget in registry.store.list("policy/poddisruptionbudgets", request.namespace):
        _check_budget(call, pod, budget)
    body = decode.body(call.http.body, kind="Eviction").value or {}
    grace = (body.get("deleteOptions") or {}).get("gracePeriodSeconds")
    registry.delete(call.resource, request.namespace, request.name, Deletion(grace=grace, dry_run=call.dry_run))
    return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, code=201)


def _check_budget(call: Call, pod: Json, budget: Json) -> None:
    matches = selectors.of_selector(budget["spec"].get("selector"))
    if not matches(pod["metadata"].get("labels") or {}):
        return
    pods = [
        one
        for one in call.registry.store.list("/pods", call.request.namespace)
        if matches(one["metadata"].get("labels") or {})
    ]
    healthy = sum(is_ready(one) for one in pods)
    needed = _needed(budget["spec"], len(pods))
    status, meta = pod.get("status") or {}, pod["metadata"]
    if status.get("phase") != "Running" or meta.get("deletionTimestamp"):
        return  # nobody would miss it
    sick_within_budget = not is_ready(pod) and healthy >= needed > 0
    if healthy - needed <= 0 and not sick_within_budget:
        name = budget["metadata"]["name"]
        why = f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
        details = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
        message = "Cannot evict pod as it would violate the pod's disruption budget."
        raise errors.Refusal(429, "TooManyRequests", message, details)


def _needed(spec: Json, pods: int) -> int:
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None:
        return strategy.share(least, pods, up=True)
    return pods - strategy.share(most if most is not None else 1, pods, up=True)


def is_ready(pod: Json) -> bool:
    """Whether a pod's Ready condition is true."""
    return any(
        one["type"] == "Ready" and one["status"] == "True" for one in (pod.get("status") or {}).get("conditions") or []
    )


def bind(call: Call) -> HttpResponse:
    """What schedulers do: put a pod on a node."""
    body = decode.body(call.http.body, kind="Binding").value
    node = body["target"]["name"]

    def change(found: Json) -> Json:
        return found | {"spec": found["spec"] | {"nodeName": node}}

    writer = Writer(call.http.manager, "binding", dry_run=call.dry_run)
    call.registry.update(call.resource, call.request.namespace, call.request.name, change, writer)
    return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, code=201)


def token(call: Call) -> HttpResponse:
    """A TokenRequest."""
    request = call.request
    account = call.registry.get(call.resource, request.namespace, request.name)
    body = decode.body(call.http.body, kind="TokenRequest").value or {}
    spec = body.get("spec") or {}
    seconds = int(spec.get("expirationSeconds") or 3600)
    issued, expires = call.tokens.issue(account, seconds, spec.get("audiences") or [])
    body["metadata"] = {"name": request.name, "namespace": request.namespace, "creationTimestamp": call.registry.now()}
    body |= {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}
    body["spec"] = spec | {"expirationSeconds": seconds}
    body["status"] = {"token": issued, "expirationTimestamp": times.text(expires)}
    return answer(body, code=201)
