"""What the API server refuses in a pod's spec, in its order: volumes, containers, what belongs to the whole pod.

After ValidatePodSpec and what it calls in k8s.io/kubernetes/pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from llmdash.sandbox import formats
from llmdash.sandbox.containerrules import container, host_port_conflicts, may_not_have, probes
from llmdash.sandbox.errors import Cause, duplicate, forbidden_value, invalid_value, required, unsupported
from llmdash.sandbox.labelrules import expression, label_key, labels
from llmdash.sandbox.quantity import parse

Json = dict[str, Any]
RESTARTS = ("Always", "OnFailure", "Never")
DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
HOST_PATHS = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
MODE = "must be a number between 0 and 0777 (octal), both inclusive"


def pod_spec(spec: Json, path: str) -> list[Cause]:
    """Everything wrong with the spec of a pod or of a template."""
    good, causes = volumes(spec.get("volumes") or [], f"{path}.volumes")
    causes += _containers(spec, path, good)
    if spec.get("hostNetwork"):
        causes += _host_ports(spec.get("containers") or [], f"{path}.containers")
    if spec.get("restartPolicy") not in RESTARTS:
        causes.append(unsupported(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTARTS))
    if spec.get("dnsPolicy") not in DNS:
        causes.append(unsupported(f"{path}.dnsPolicy", spec.get("dnsPolicy"), DNS))
    causes += labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    causes += _security(spec.get("securityContext") or {}, f"{path}.securityContext")
    causes += affinity(spec.get("affinity") or {}, f"{path}.affinity")
    if spec.get("dnsPolicy") == "None" and spec.get("dnsConfig") is None:
        causes.append(required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None"))
    causes += _spread(spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
    causes += _names(spec, path, {"serviceAccountName": formats.subdomain, "nodeName": formats.subdomain})
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None:
        wrong = formats.between(seconds, 1, formats.MAX_ID)
        causes += [invalid_value(f"{path}.activeDeadlineSeconds", seconds, one) for one in wrong]
    causes += _names(spec, path, {"hostname": formats.label, "subdomain": formats.label})
    causes += tolerations(spec.get("tolerations") or [], f"{path}.tolerations")
    return causes + _names(spec, path, {"priorityClassName": formats.subdomain, "runtimeClassName": formats.subdomain})


def _names(spec: Json, path: str, rules: dict[str, Callable[[str], list[str]]]) -> list[Cause]:
    return [
        invalid_value(f"{path}.{name}", spec[name], one)
        for name, rule in rules.items()
        if spec.get(name)
        for one in rule(spec[name])
    ]


def _security(found: Json, path: str) -> list[Cause]:
    ids = [(name, found[name]) for name in ("fsGroup", "runAsUser", "runAsGroup") if found.get(name) is not None]
    ids += [(f"supplementalGroups[{at}]", one) for at, one in enumerate(found.get("supplementalGroups") or [])]
    return [
        invalid_value(f"{path}.{name}", value, told)
        for name, value in ids
        for told in formats.between(value, 0, formats.MAX_ID)
    ]


def _containers(spec: Json, path: str, good: set[str]) -> list[Cause]:
    """Names are unique among all containers; init containers that end have no probes."""
    causes: list[Cause] = []
    if not spec.get("containers"):
        causes.append(required(f"{path}.containers"))
    names: set[str] = set()
    for index, one in enumerate(spec.get("containers") or []):
        at = f"{path}.containers[{index}]"
        causes += container(one, at, good)
        if one.get("name", "") in names:
            causes.append(duplicate(f"{at}.name", one.get("name", "")))
        names.add(one.get("name", ""))
        causes += probes(one, at)
    causes += host_port_conflicts(spec.get("containers") or [], f"{path}.containers")
    for index, one in enumerate(spec.get("initContainers") or []):
        at = f"{path}.initContainers[{index}]"
        causes += container(one, at, good)
        if one.get("name", "") in names:
            causes.append(duplicate(f"{at}.name", one.get("name", "")))
        elif one.get("name"):
            names.add(one["name"])
        causes += probes(one, at) if one.get("restartPolicy") == "Always" else may_not_have(one, at)
    return causes


def _host_ports(containers: list[Json], path: str) -> list[Cause]:
    why = "must match `containerPort` when `hostNetwork` is true"
    return [
        invalid_value(f"{path}[{index}].ports[{at}].hostPort", port["hostPort"], why)
        for index, one in enumerate(containers)
        for at, port in enumerate(one.get("ports") or [])
        if port.get("hostPort") and port["hostPort"] != port.get("containerPort")
    ]


def volumes(found: list[Json], path: str) -> tuple[set[str], list[Cause]]:
    """The names of those in which nothing is wrong, which containers may mount, and all causes."""
    good: set[str] = set()
    causes: list[Cause] = []
    for index, one in enumerate(found):
        name, at = one.get("name", ""), f"{path}[{index}]"
        wrong = _source(one, at)
        wrong += [invalid_value(f"{at}.name", name, told) for told in formats.label(name)] if name else [
            required(f"{at}.name")
        ]  # fmt: skip
        if name in good:
            wrong.append(duplicate(f"{at}.name", name))
        if not wrong:
            good.add(name)
        causes += wrong
    return good, causes


def _source(found: Json, path: str) -> list[Cause]:
    """A volume has one source; the first in the real one's order counts."""
    sources = [one for one in SOURCES if found.get(one) is not None]
    causes = SOURCES[sources[0]](found[sources[0]], f"{path}.{sources[0]}") if sources else []
    why = "may not specify more than 1 volume type"
    return causes + [forbidden_value(f"{path}.{one}", why) for one in sources[1:]]


def _empty_dir(found: Json, path: str) -> list[Cause]:
    why = "SizeLimit field must be a valid resource quantity"
    return [forbidden_value(f"{path}.sizeLimit", why)] if parse(found.get("sizeLimit", 0)) < 0 else []


def _host_path(found: Json, path: str) -> list[Cause]:
    if not found.get("path"):
        return [required(f"{path}.path")]
    causes = [invalid_value(f"{path}.path", found["path"], one) for one in formats.backsteps(found["path"])]
    kind = found.get("type", "")
    return causes if kind in HOST_PATHS else [*causes, unsupported(f"{path}.type", kind, HOST_PATHS)]


def _needs(*names: str) -> Callable[[Json, str], list[Cause]]:
    return lambda found, path: [required(f"{path}.{one}") for one in names if not found.get(one)]


def _files(name: str) -> Callable[[Json, str], list[Cause]]:
    """A Secret or ConfigMap as files."""

    def rule(found: Json, path: str) -> list[Cause]:
        causes = _needs(name)(found, path)
        mode = found.get("defaultMode", 0)
        if not 0 <= mode <= 0o777:
            causes.append(invalid_value(f"{path}.defaultMode", mode, MODE))
        for index, item in enumerate(found.get("items") or []):
            at = f"{path}.items[{index}]"
            causes += _needs("key", "path")(item, at)
            wrong = formats.relative(item.get("path", ""))
            causes += [invalid_value(f"{at}.path", item.get("path", ""), one) for one in wrong]
        return causes

    return rule


def _nfs(found: Json, path: str) -> list[Cause]:
    causes = _needs("server", "path")(found, path)
    if not found.get("path", "").startswith("/"):
        causes.append(invalid_value(f"{path}.path", found.get("path", ""), "must be an absolute path"))
    return causes


def _fine(found: Json, path: str) -> list[Cause]:
    return []


SOURCES: dict[str, Callable[[Json, str], list[Cause]]] = {
    "emptyDir": _empty_dir, "hostPath": _host_path, "secret": _files("secretName"), "nfs": _nfs,
    "persistentVolumeClaim": _needs("claimName"), "downwardAPI": _fine, "configMap": _files("name"),
    "projected": _fine, "csi": _needs("driver"), "ephemeral": _fine, "image": _fine,
}  # fmt: skip


def tolerations(found: list[Json], path: str) -> list[Cause]:
    return [cause for index, one in enumerate(found) for cause in _toleration(one, f"{path}[{index}]")]


def _toleration(found: Json, path: str) -> list[Cause]:
    key, operator, value, effect = (found.get(one, "") for one in ("key", "operator", "value", "effect"))
    causes = label_key(key, f"{path}.key") if key else []
    if not key and operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        causes.append(invalid_value(f"{path}.operator", operator, why))
    if found.get("tolerationSeconds") is not None and effect != "NoExecute":
        why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        causes.append(invalid_value(f"{path}.effect", effect, why))
    if operator in ("", "Equal"):
        if wrong := formats.label_value(value):
            causes.append(invalid_value(f"{path}.operator", value, ";".join(wrong)))
    elif operator == "Exists":
        if value:
            causes.append(invalid_value(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'"))
    else:
        causes.append(unsupported(f"{path}.operator", operator, ("Equal", "Exists")))
    return causes if effect in ("", *EFFECTS) else [*causes, unsupported(f"{path}.effect", effect, EFFECTS)]


def affinity(found: Json, path: str) -> list[Cause]:
    """What nodes a pod wants, and which other pods near or far."""
    causes = _node_affinity(found.get("nodeAffinity") or {}, f"{path}.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = found.get(kind) or {}
        for index, one in enumerate(terms.get(REQUIRED) or []):
            causes += _topology_key(one, f"{path}.{kind}.{REQUIRED}[{index}]")
        for index, one in enumerate(terms.get(PREFERRED) or []):
            at = f"{path}.{kind}.{PREFERRED}[{index}]"
            causes += _weight(one, at)
            causes += _topology_key(one.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")
    return causes


def _node_affinity(found: Json, path: str) -> list[Cause]:
    causes: list[Cause] = []
    must = found.get(REQUIRED)
    if must is not None:
        at = f"{path}.{REQUIRED}.nodeSelectorTerms"
        if not must.get("nodeSelectorTerms"):
            causes.append(required(at, "must have at least one node selector term"))
        for index, term in enumerate(must.get("nodeSelectorTerms") or []):
            causes += _expressions(term, f"{at}[{index}]", with_values=True)
    for index, one in enumerate(found.get(PREFERRED) or []):
        at = f"{path}.{PREFERRED}[{index}]"
        causes += _weight(one, at)
        causes += _expressions(one.get("preference") or {}, f"{at}.preference", with_values=False)
    return causes


def _expressions(term: Json, path: str, *, with_values: bool) -> Iterable[Cause]:
    for index, one in enumerate(term.get("matchExpressions") or []):
        yield from expression(one, f"{path}.matchExpressions[{index}]", of_nodes=True, with_values=with_values)


def _weight(found: Json, path: str) -> list[Cause]:
    weight = found.get("weight", 0)
    return [] if 0 < weight <= 100 else [invalid_value(f"{path}.weight", weight, "must be in the range 1-100")]


def _topology_key(found: Json, path: str) -> list[Cause]:
    key, at = found.get("topologyKey", ""), f"{path}.topologyKey"
    return ([] if key else [required(at, "can not be empty")]) + label_key(key, at)


def _spread(found: list[Json], path: str) -> list[Cause]:
    causes: list[Cause] = []
    supported = ("DoNotSchedule", "ScheduleAnyway")
    for index, one in enumerate(found):
        at, key, action = f"{path}[{index}]", one.get("topologyKey", ""), one.get("whenUnsatisfiable", "")
        if one.get("maxSkew", 0) <= 0:
            causes.append(invalid_value(f"{at}.maxSkew", one.get("maxSkew", 0), "must be greater than zero"))
        causes += label_key(key, f"{at}.topologyKey") if key else [required(f"{at}.topologyKey", "can not be empty")]
        if action not in supported:
            causes.append(unsupported(f"{at}.whenUnsatisfiable", action, supported))
        later = [(other.get("topologyKey", ""), other.get("whenUnsatisfiable", "")) for other in found[index + 1 :]]
        if (key, action) in later:
            causes.append(duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}"))
    return causes
