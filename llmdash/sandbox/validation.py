"""What the API server refuses in an object, as causes by field; the rules that people run into.

After k8s.io/kubernetes/pkg/apis/*/validation and k8s.io/apimachinery/pkg/util/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from llmdash.sandbox import selectors
from llmdash.sandbox.errors import Cause, duplicate, forbidden_value, invalid_value, required, unsupported
from llmdash.sandbox.paths import Resource
from llmdash.sandbox.quantity import parse

Json = dict[str, Any]
LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
ONLY_LABEL = {"Namespace"}
# Colons and the like are allowed in the names of roles.
PATH_NAMED = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
RESTARTS = ("Always", "OnFailure", "Never")


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
    return [*_name(kind, name), *_labels(meta.get("labels") or {}, "metadata.labels")]


def _name(kind: str, name: str) -> list[Cause]:
    if kind in PATH_NAMED:
        bad = name in (".", "..") or "/" in name or "%" in name
        return [invalid_value("metadata.name", name, "may not contain '/'")] if bad else []
    if kind == "Service":
        pattern, text = (
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            (
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
                "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
        )
    elif kind in ONLY_LABEL:
        pattern, text = (
            LABEL,
            (
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
                "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
                f"'{LABEL}')"
            ),
        )
    else:
        pattern, text = (
            SUBDOMAIN,
            (
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
                "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                f"'{SUBDOMAIN}')"
            ),
        )
    longest = 63 if kind in ONLY_LABEL or kind == "Service" else 253
    causes = []
    if len(name) > longest:
        causes.append(
            Cause(
                "metadata.name", "FieldValueInvalid", f'Invalid value: "{name}": must be no more than {longest} bytes'
            )
        )
    if not re.fullmatch(pattern, name):
        causes.append(invalid_value("metadata.name", name, text))
    return causes


def _labels(found: Json, path: str) -> list[Cause]:
    causes = []
    for value in found.values():
        if value and (len(value) > 63 or not re.fullmatch(QUALIFIED, value)):
            text = (
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex "
                "used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            )
            causes.append(invalid_value(path, value, text if len(value) <= 63 else "must be no more than 63 bytes"))
    return causes


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
    return causes + _labels(new.get("labels") or {}, "metadata.labels")


def replicas(spec: Json) -> list[Cause]:
    count = spec.get("replicas", 1)
    return [invalid_value("spec.replicas", count, "must be greater than or equal to 0")] if count < 0 else []


def deployment(found: Json, old: Json | None) -> list[Cause]:
    """Replicas, selector and template of a Deployment or ReplicaSet."""
    spec = found["spec"]
    causes = replicas(spec)
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = spec.get("selector")
    if selector is None:
        causes.append(required("spec.selector"))
    elif not (selector.get("matchLabels") or selector.get("matchExpressions")):
        causes.append(invalid_value("spec.selector", selector, "empty selector is invalid for deployment"))
    elif not selectors.of_selector(selector)(labels):
        causes.append(
            invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
        )
    causes += pod_spec(template.get("spec") or {}, "spec.template.spec")
    restart = (template.get("spec") or {}).get("restartPolicy")
    if restart != "Always":
        causes.append(unsupported("spec.template.spec.restartPolicy", restart, ["Always"]))
    causes += _strategy(spec)
    if old and old["spec"].get("selector") != selector:
        causes.append(invalid_value("spec.selector", selector, "field is immutable"))
    return causes


def _strategy(spec: Json) -> list[Cause]:
    strategy = spec.get("strategy") or {}
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate" and rolling is not None:
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden_value("spec.strategy.rollingUpdate", why)]
    if rolling and str(rolling.get("maxUnavailable")) in ("0", "0%") and str(rolling.get("maxSurge")) in ("0", "0%"):
        shown = rolling["maxUnavailable"]
        return [invalid_value("spec.strategy.rollingUpdate.maxUnavailable", shown, "may not be 0 when `maxSurge` is 0")]
    return []


def pod_spec(spec: Json, path: str) -> list[Cause]:
    """Containers, their resources and names; the restart policy."""
    causes: list[Cause] = []
    volumes = {one.get("name") for one in spec.get("volumes", [])}
    if not spec.get("containers"):
        causes.append(required(f"{path}.containers"))
    names: set[str] = set()
    for kind in ("containers", "initContainers"):
        for index, one in enumerate(spec.get(kind, [])):
            causes += container(one, f"{path}.{kind}[{index}]", volumes)
            if one.get("name") in names:
                causes.append(duplicate(f"{path}.{kind}[{index}].name", one["name"]))
            names.add(one.get("name", ""))
    if spec.get("restartPolicy") not in RESTARTS:
        causes.append(unsupported(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTARTS))
    return causes


def container(found: Json, path: str, volumes: set[Any]) -> list[Cause]:
    causes = []
    if not found.get("name"):
        causes.append(required(f"{path}.name"))
    if not found.get("image"):
        causes.append(required(f"{path}.image"))
    for index, port in enumerate(found.get("ports", [])):
        number = port.get("containerPort", 0)
        if not 0 < number < 65536:
            why = "must be between 1 and 65535, inclusive"
            causes.append(invalid_value(f"{path}.ports[{index}].containerPort", number, why))
    for index, mount in enumerate(found.get("volumeMounts", [])):
        if mount.get("name") not in volumes:
            shown = mount.get("name", "")
            field = f"{path}.volumeMounts[{index}].name"
            causes.append(Cause(field, "FieldValueNotFound", f'Not found: "{shown}"'))
    return causes + _resources(found.get("resources") or {}, f"{path}.resources")


def _resources(found: Json, path: str) -> list[Cause]:
    limits, requests = found.get("limits") or {}, found.get("requests") or {}
    causes = []
    for name, asked in requests.items():
        limit = limits.get(name)
        if limit is None:
            if _extended(name):
                causes.append(required(f"{path}.limits", "Limit must be set for non overcommitable resources"))
        elif parse(asked) > parse(limit):
            causes.append(
                invalid_value(f"{path}.requests", asked, f"must be less than or equal to {name} limit of {limit}")
            )
        elif _extended(name) and parse(asked) != parse(limit):
            causes.append(invalid_value(f"{path}.requests", asked, f"must be equal to {name} limit of {limit}"))
    return causes


def _extended(name: str) -> bool:
    return "/" in name and not name.startswith("kubernetes.io/")


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


RULES: dict[str, Callable[[Json, Json | None], list[Cause]]] = {
    "Deployment": deployment,
    "ReplicaSet": deployment,
    "Pod": pod,
    "Service": service,
    "Secret": secret,
    "ConfigMap": config_map,
    "RoleBinding": role_binding,
    "ClusterRoleBinding": role_binding,
}
