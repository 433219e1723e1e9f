"""What the API server refuses in an object, as causes by field; the rules that people run into.

After k8s.io/kubernetes/pkg/apis/*/validation and k8s.io/apimachinery/pkg/util/validation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmdash.sandbox import formats, labelrules, resourcerules, selectors
from llmdash.sandbox.errors import Cause, forbidden_value, invalid_value, required, unsupported
from llmdash.sandbox.paths import Resource
from llmdash.sandbox.podrules import pod_spec

Json = dict[str, Any]
ONLY_LABEL = {"Namespace"}
# Colons and the like are allowed in the names of roles.
PATH_NAMED = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


def check(resource: Resource, found: Json, old: Json | None) -> list[Cause]:
    """Everything wrong with an object that is created, or with its change from `old`."""
    causes = metadata(resource.kind, found) if old is None else changed_metadata(found, old)
    rule = RULES.get(resource.kind)
    if rule:
        causes += rule(found, old)
    return causes


def metadata(kind: str, found: Json) -> list[Cause]:
    """Name, labels."""
    meta = found["metadata"]
    name = meta.get("name", "")
    if not name:
        return [required("metadata.name", "name or generateName is required")]
    return [*_name(kind, name), *_tags(meta)]


def _tags(meta: Json) -> list[Cause]:
    causes = labelrules.labels(meta.get("labels") or {}, "metadata.labels")
    return causes + labelrules.annotation_keys(meta.get("annotations") or {}, "metadata.annotations")


def _name(kind: str, name: str) -> list[Cause]:
    if kind in PATH_NAMED:
        bad = name in (".", "..") or "/" in name or "%" in name
        return [invalid_value("metadata.name", name, "may not contain '/'")] if bad else []
    rule = formats.service if kind == "Service" else formats.label if kind in ONLY_LABEL else formats.subdomain
    return [invalid_value("metadata.name", name, one) for one in rule(name)]


def changed_metadata(found: Json, old: Json) -> list[Cause]:
    """What may never change. The real one tells a wrong uid twice."""
    new, was = found["metadata"], old["metadata"]
    causes = []
    if new.get("uid") != was.get("uid"):
        causes += [invalid_value("metadata.uid", new.get("uid", ""), "field is immutable")] * 2
    if was.get("deletionTimestamp"):
        added = set(new.get("finalizers") or []) - set(was.get("finalizers") or [])
        if added:
            shown = ", ".join(f'"{one}"' for one in sorted(added))
            why = "no new finalizers can be added if the object is being deleted, "
            why += f"found new finalizers []string{{{shown}}}"
            causes.append(forbidden_value("metadata.finalizers", why))
    return causes + _tags(new)


def deployment(found: Json, old: Json | None) -> list[Cause]:
    """Counts, selector, template and strategy of a Deployment."""
    spec = found["spec"]
    causes = _not_negative(spec, "replicas") + template(spec) + _strategy(spec)
    causes += _not_negative(spec, "minReadySeconds") + _not_negative(spec, "revisionHistoryLimit")
    causes += _not_negative(spec, "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        causes.append(invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes + _fixed_selector(spec, old)


def replica_set(found: Json, old: Json | None) -> list[Cause]:
    spec = found["spec"]
    causes = _not_negative(spec, "replicas") + _not_negative(spec, "minReadySeconds")
    return causes + template(spec) + _fixed_selector(spec, old)


def _fixed_selector(spec: Json, old: Json | None) -> list[Cause]:
    if old and old["spec"].get("selector") != spec.get("selector"):
        return [invalid_value("spec.selector", spec.get("selector"), "field is immutable")]
    return []


def _not_negative(spec: Json, name: str) -> list[Cause]:
    count = spec.get(name) or 0
    return [invalid_value(f"spec.{name}", count, "must be greater than or equal to 0")] if count < 0 else []


def template(spec: Json) -> list[Cause]:
    """A selector and the template of the pods that it has to select; with a broken one nothing else is looked at."""
    selector = spec.get("selector")
    causes = labelrules.selector(selector, "spec.selector") if selector else []
    if causes:
        return [*causes, invalid_value("spec.selector", selector, "invalid label selector")]
    if selector is None:
        causes.append(required("spec.selector"))
    elif not (selector.get("matchLabels") or selector.get("matchExpressions")):
        causes.append(invalid_value("spec.selector", selector, "empty selector is invalid for deployment"))
    found = spec.get("template") or {}
    meta, pod = found.get("metadata") or {}, found.get("spec") or {}
    labels = meta.get("labels") or {}
    if selector and not selectors.of_selector(selector)(labels):
        why = "`selector` does not match template `labels`"
        causes.append(invalid_value("spec.template.metadata.labels", labels, why))
    causes += labelrules.labels(labels, "spec.template.labels")
    causes += labelrules.annotation_keys(meta.get("annotations") or {}, "spec.template.annotations")
    causes += pod_spec(pod, "spec.template.spec")
    if pod.get("restartPolicy") != "Always":
        causes.append(unsupported("spec.template.spec.restartPolicy", pod.get("restartPolicy"), ["Always"]))
    if pod.get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in ReplicaSet is not Supported"
        causes.append(forbidden_value("spec.template.spec.activeDeadlineSeconds", why))
    return causes


def _strategy(spec: Json) -> list[Cause]:
    strategy, path = spec.get("strategy") or {}, "spec.strategy.rollingUpdate"
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden_value(path, why)] if rolling is not None else []
    if kind != "RollingUpdate":
        shown = {"Type": kind, "RollingUpdate": rolling}  # Go's own names
        return [unsupported("spec.strategy", shown, ("Recreate", "RollingUpdate"))] if kind else []
    causes: list[Cause] = []
    for name in ("maxUnavailable", "maxSurge"):
        value = (rolling or {}).get(name, 0)
        wrong = formats.percent(value) if isinstance(value, str) else formats.not_negative(value)
        causes += [invalid_value(f"{path}.{name}", value, one) for one in wrong]
    most = (rolling or {}).get("maxUnavailable", 1)
    if str(most) in ("0", "0%") and str((rolling or {}).get("maxSurge", 0)) in ("0", "0%"):
        causes.append(invalid_value(f"{path}.maxUnavailable", most, "may not be 0 when `maxSurge` is 0"))
    if isinstance(most, str) and not formats.percent(most) and int(most[:-1]) > 100:
        causes.append(invalid_value(f"{path}.maxUnavailable", most, "must not be greater than 100%"))
    return causes


def pod(found: Json, old: Json | None) -> list[Cause]:
    """A pod; once it stands, little of it may change."""
    causes = pod_spec(found["spec"], "spec")
    if old and _frozen(found["spec"], old["spec"]) != _frozen(old["spec"], found["spec"]):
        why = (
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
            "negative)"
        )
        causes.append(forbidden_value("spec", why))
    return causes


def _frozen(spec: Json, other: Json) -> Json:
    free = {"activeDeadlineSeconds", "tolerations", "schedulingGates"} | (
        {"nodeName"} if not other.get("nodeName") else set()
    )
    kept = {key: value for key, value in spec.items() if key not in free and key != "nodeName"}
    for kind in ("containers", "initContainers"):
        if kind in kept:
            kept[kind] = [{key: value for key, value in one.items() if key != "image"} for one in kept[kind]]
    return kept


def service(found: Json, old: Json | None) -> list[Cause]:
    spec = found["spec"]
    causes = []
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        causes.append(required("spec.ports"))
    names = [port.get("name", "") for port in spec.get("ports", [])]
    for index, port in enumerate(spec.get("ports", [])):
        if len(names) > 1 and not names[index]:
            causes.append(required(f"spec.ports[{index}].name"))
        if not 0 < port.get("port", 0) < 65536:
            why = "must be between 1 and 65535, inclusive"
            causes.append(invalid_value(f"spec.ports[{index}].port", port.get("port", 0), why))
    was = old and old["spec"].get("clusterIP")
    if was and spec.get("type") != "ExternalName" and spec.get("clusterIP") != was:
        shown = [spec.get("clusterIP")]
        causes.append(invalid_value("spec.clusterIPs[0]", shown, "may not change once set"))
    return causes


def secret(found: Json, old: Json | None) -> list[Cause]:
    if old and found.get("type") != old.get("type"):
        return [invalid_value("type", found.get("type"), "field is immutable")]
    return _immutable(found, old)


def config_map(found: Json, old: Json | None) -> list[Cause]:
    return _immutable(found, old)


def _immutable(found: Json, old: Json | None) -> list[Cause]:
    if old and old.get("immutable") and found.get("data") != old.get("data"):
        return [forbidden_value("data", "field is immutable when `immutable` is set")]
    return []


def role_binding(found: Json, old: Json | None) -> list[Cause]:
    if old and found.get("roleRef") != old.get("roleRef"):
        return [invalid_value("roleRef", found.get("roleRef"), "cannot change roleRef")]
    return []


def resource_quota(found: Json, old: Json | None) -> list[Cause]:
    return resourcerules.quota(found.get("spec") or {}, "spec")


RULES: dict[str, Callable[[Json, Json | None], list[Cause]]] = {
    "Deployment": deployment,
    "ReplicaSet": replica_set,
    "Pod": pod,
    "Service": service,
    "Secret": secret,
    "ConfigMap": config_map,
    "RoleBinding": role_binding,
    "ClusterRoleBinding": role_binding,
    "ResourceQuota": resource_quota,
}
