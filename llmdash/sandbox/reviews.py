"""Questions to the API server that it answers without storing anything: who am I, may I, what may I."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmdash.sandbox import apply, errors, rbac, schema, table
from llmdash.sandbox.fieldsets import FieldSet
from llmdash.sandbox.rbac import Ask, User
from llmdash.sandbox.web import HttpResponse, answer

if TYPE_CHECKING:
    from llmdash.sandbox.objects import Call

Json = dict[str, Any]
KINDS = frozenset({
    "SelfSubjectAccessReview", "LocalSubjectAccessReview", "SubjectAccessReview", "SelfSubjectRulesReview",
    "SelfSubjectReview", "TokenReview",
})  # fmt: skip


def handle(call: Call) -> HttpResponse:
    """POST of a review. Raises a 405 for other verbs."""
    if call.request.verb != "create":
        raise errors.method_not_allowed()
    body, warnings = call.read()
    del warnings
    kind = call.resource.kind
    if kind == "SelfSubjectReview":
        meta = {"creationTimestamp": call.registry.now()}
        return _answer(call, body, meta, {"userInfo": call.user.as_json()})
    if kind == "TokenReview":
        return _answer(call, body, {}, _token(call, body))
    if kind == "SelfSubjectRulesReview":
        return _answer(call, body | {"spec": {}}, {}, _rules(call, body["spec"].get("namespace", "")))
    spec = body.get("spec") or {}
    user = call.user if kind == "SelfSubjectAccessReview" else _subject(spec)
    allowed = rbac.allowed(call.registry.store, user, _ask(spec))
    return _answer(call, body, _owned(call, body), {"allowed": allowed})


def _answer(call: Call, body: Json, meta: Json, status: Json) -> HttpResponse:
    resource = call.resource
    found = {"kind": resource.kind, "apiVersion": resource.group_version, "metadata": meta}
    if "spec" in body:
        found["spec"] = body["spec"]
    wanted = call.form()
    found["status"] = status
    return answer(table.partial(found) if wanted.shown else found, code=201, media=wanted.media)


def _owned(call: Call, body: Json) -> Json:
    type_ = schema.of(call.resource.group_version, call.resource.kind)
    manager = apply.Manager(call.http.manager, "Update", call.resource.group_version)
    owners = apply.Owners({})
    owners = apply.update(type_, owners, manager, live=schema.zero(type_), new=body, now=call.registry.now())
    return (
        {"managedFields": owners.as_json()}
        if any(entry.owned != FieldSet() for entry in owners.entries.values())
        else {}
    )


def _ask(spec: Json) -> Ask:
    if path := (spec.get("nonResourceAttributes") or {}):
        return Ask(path.get("verb", ""), path=path.get("path", ""))
    wanted = spec.get("resourceAttributes") or {}
    return Ask(
        wanted.get("verb", ""), wanted.get("group", ""), wanted.get("resource", ""), wanted.get("subresource", ""),
        wanted.get("namespace", ""), wanted.get("name", ""),
    )  # fmt: skip


def _subject(spec: Json) -> User:
    extra = tuple((key, tuple(values)) for key, values in (spec.get("extra") or {}).items())
    return User(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()), extra)


def _token(call: Call, body: Json) -> Json:
    token = (body.get("spec") or {}).get("token", "")
    try:
        user = call.tokens.user(f"Bearer {token}")
    except errors.Refusal:
        return {"user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": user.as_json()}


def _rules(call: Call, namespace: str) -> Json:
    resource_rules, other_rules = [], []
    for rule in rbac.rules(call.registry.store, call.user, namespace):
        if rule.get("nonResourceURLs"):
            other_rules.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
        if rule.get("resources"):
            kept = ("verbs", "apiGroups", "resources", "resourceNames")
            resource_rules.append({key: rule[key] for key in kept if rule.get(key)})
    if rbac.MASTERS in call.user.groups:
        resource_rules.insert(0, {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
        other_rules.insert(0, {"verbs": ["*"], "nonResourceURLs": ["*"]})
    return {"resourceRules": resource_rules, "nonResourceRules": other_rules, "incomplete": False}
