"""What the API server refuses in a container.

After validateContainerCommon and what it calls in k8s.io/kubernetes/pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import re
from typing import Any

from llmdash.sandbox import formats
from llmdash.sandbox.errors import Cause, duplicate, forbidden_value, invalid_value, required, unsupported
from llmdash.sandbox.resourcerules import resources

Json = dict[str, Any]
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
PROTOCOLS = ("SCTP", "TCP", "UDP")
PULLS = ("Always", "IfNotPresent", "Never")
TERMINATIONS = ("File", "FallbackToLogsOnError")
SECONDS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
NOT_NEGATIVE = "must be greater than or equal to 0"
FIELDS = re.compile(
    r"metadata\.(name|namespace|uid|(labels|annotations)\['.+'\])|spec\.(nodeName|serviceAccountName)|"
    r"status\.(hostIPs?|podIPs?)"
)
RESOURCES = tuple(f"{kind}.{one}" for kind in ("limits", "requests") for one in ("cpu", "ephemeral-storage", "memory"))


def container(found: Json, path: str, volumes: set[str]) -> list[Cause]:
    """What any container may get wrong; `volumes` are the names that it may mount."""
    name = found.get("name", "")
    causes = [invalid_value(f"{path}.name", name, one) for one in formats.label(name)] if name else [
        required(f"{path}.name")
    ]  # fmt: skip
    if not found.get("image"):
        causes.append(required(f"{path}.image"))
    kind = found.get("terminationMessagePolicy", "File")
    if kind not in TERMINATIONS:
        causes.append(unsupported(f"{path}.terminationMessagePolicy", kind, TERMINATIONS))
    causes += ports(found.get("ports") or [], f"{path}.ports")
    causes += environment(found.get("env") or [], f"{path}.env")
    causes += _environment_from(found.get("envFrom") or [], f"{path}.envFrom")
    causes += mounts(found.get("volumeMounts") or [], f"{path}.volumeMounts", volumes)
    pull = found.get("imagePullPolicy", "Always")
    if pull not in PULLS:
        causes.append(unsupported(f"{path}.imagePullPolicy", pull, PULLS))
    causes += resources(found.get("resources") or {}, f"{path}.resources")
    return causes + _security(found.get("securityContext") or {}, f"{path}.securityContext")


def ports(found: list[Json], path: str) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, one in enumerate(found):
        at, name, number = f"{path}[{index}]", one.get("name", ""), one.get("containerPort", 0)
        wrong = formats.port_name(name) if name else []
        causes += [invalid_value(f"{at}.name", name, told) for told in wrong]
        if name in names:
            causes.append(duplicate(f"{at}.name", name))
        elif name and not wrong:
            names.add(name)
        if not number:
            causes.append(required(f"{at}.containerPort"))
        for field in ("containerPort", "hostPort"):
            told = formats.port_number(one[field]) if one.get(field) else []
            causes += [invalid_value(f"{at}.{field}", one[field], each) for each in told]
        if one.get("protocol", "TCP") not in PROTOCOLS:
            causes.append(unsupported(f"{at}.protocol", one["protocol"], PROTOCOLS))
    return causes


def host_port_conflicts(containers: list[Json], path: str) -> list[Cause]:
    causes: list[Cause] = []
    taken: set[str] = set()
    for index, one in enumerate(containers):
        for at, port in enumerate(one.get("ports") or []):
            if not port.get("hostPort"):
                continue
            shown = f"{port.get('protocol', 'TCP')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if shown in taken:
                causes.append(duplicate(f"{path}[{index}].ports[{at}].hostPort", shown))
            taken.add(shown)
    return causes


def environment(found: list[Json], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, one in enumerate(found):
        at, name = f"{path}[{index}]", one.get("name", "")
        if not name:
            causes.append(required(f"{at}.name"))
        causes += [invalid_value(f"{at}.name", name, told) for told in formats.variable(name)]
        if one.get("valueFrom") is not None:
            causes += _value_from(one, f"{at}.valueFrom")
    return causes


def _value_from(found: Json, path: str) -> list[Cause]:
    sources = [one for one in SOURCES if found["valueFrom"].get(one) is not None]
    causes: list[Cause] = []
    for one in sources:
        source, at = found["valueFrom"][one], f"{path}.{one}"
        if one in ("configMapKeyRef", "secretKeyRef"):
            causes += _key_of(source, at)
        elif one == "fieldRef":
            causes += _field(source.get("fieldPath", ""), f"{at}.fieldPath")
        elif one == "resourceFieldRef":
            causes += _resource_field(source.get("resource", ""), f"{at}.resource")
    if not sources:
        why = f"must specify one of: {', '.join(f'`{one}`' for one in SOURCES[:-1])} or `{SOURCES[-1]}`"
        return [invalid_value(path, "", why)]
    if found.get("value"):
        causes.append(invalid_value(path, "", "may not be specified when `value` is not empty"))
    elif len(sources) > 1:
        causes.append(invalid_value(path, "", "may not have more than one field specified at a time"))
    return causes


def _key_of(found: Json, path: str) -> list[Cause]:
    name, key = found.get("name", ""), found.get("key", "")
    causes = [invalid_value(f"{path}.name", name, one) for one in formats.subdomain(name)]
    if not key:
        return [*causes, required(f"{path}.key")]
    return causes + [invalid_value(f"{path}.key", key, one) for one in formats.config_key(key)]


def _field(wanted: str, path: str) -> list[Cause]:
    if not wanted:
        return [required(path)]
    why = f"error converting fieldPath: field label not supported: {wanted}"
    return [] if FIELDS.fullmatch(wanted) else [invalid_value(path, wanted, why)]


def _resource_field(wanted: str, path: str) -> list[Cause]:
    if not wanted:
        return [required(path)]
    known = wanted in RESOURCES or wanted.startswith(("limits.hugepages-", "requests.hugepages-"))
    return [] if known else [unsupported(path, wanted, RESOURCES)]


def _environment_from(found: list[Json], path: str) -> list[Cause]:
    """The whole list is blamed for a source too many or too few."""
    causes: list[Cause] = []
    for index, one in enumerate(found):
        at, prefix = f"{path}[{index}]", one.get("prefix", "")
        causes += [invalid_value(f"{at}.prefix", prefix, told) for told in formats.variable(prefix)]
        sources = [kind for kind in ("configMapRef", "secretRef") if one.get(kind) is not None]
        for kind in sources:
            name, field = one[kind].get("name", ""), f"{at}.{kind}.name"
            causes += [invalid_value(field, name, told) for told in formats.subdomain(name)] if name else [
                required(field)
            ]  # fmt: skip
        if not sources:
            causes.append(invalid_value(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(sources) > 1:
            causes.append(invalid_value(path, "", "may not have more than one field specified at a time"))
    return causes


def mounts(found: list[Json], path: str, volumes: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    places: set[str] = set()
    for index, one in enumerate(found):
        at, name, place = f"{path}[{index}]", one.get("name", ""), one.get("mountPath", "")
        if not name:
            causes.append(required(f"{at}.name"))
        if name not in volumes:
            causes.append(Cause(f"{at}.name", "FieldValueNotFound", f'Not found: "{name}"'))
        if not place:
            causes.append(required(f"{at}.mountPath"))
        if place in places:
            causes.append(invalid_value(f"{at}.mountPath", place, "must be unique"))
        places.add(place)
        sub = one.get("subPath", "")
        causes += [invalid_value(f"{path}.subPath", sub, told) for told in formats.relative(sub)]
    return causes


def probes(found: Json, path: str) -> list[Cause]:
    """Probes and hooks of a container that goes on running."""
    causes: list[Cause] = []
    for kind in ("postStart", "preStop"):
        hook = (found.get("lifecycle") or {}).get(kind)
        causes += _handler(hook, f"{path}.lifecycle.{kind}") if hook is not None else []
    for kind in PROBES:
        if found.get(kind) is not None:
            causes += _probe(found[kind], f"{path}.{kind}", kind)
    return causes


def may_not_have(found: Json, path: str) -> list[Cause]:
    """What init containers that end cannot have."""
    why = "may not be set for init containers without restartPolicy=Always"
    kinds = [one for one in ("lifecycle", *PROBES) if found.get(one) is not None]
    return [forbidden_value(f"{path}.{one}", why) for one in kinds]


def _probe(found: Json, path: str, kind: str) -> list[Cause]:
    causes = _handler(found, path)
    for name in SECONDS:
        if found.get(name, 0) < 0:
            causes.append(invalid_value(f"{path}.{name}", found[name], NOT_NEGATIVE))
    grace = found.get("terminationGracePeriodSeconds")
    at = f"{path}.terminationGracePeriodSeconds"
    if grace is not None and grace <= 0:
        causes.append(invalid_value(at, grace, "must be greater than 0"))
    if kind == "readinessProbe":
        why = "must not be set for readinessProbes"
        return causes if grace is None else [*causes, invalid_value(at, grace, why)]
    wanted = found.get("successThreshold", 1)
    return causes if wanted == 1 else [*causes, invalid_value(f"{path}.successThreshold", wanted, "must be 1")]


def _handler(found: Json, path: str) -> list[Cause]:
    kinds = [one for one in HANDLERS if found.get(one) is not None]
    if not kinds:
        return [required(path, "must specify a handler type")]
    causes = _action(found[kinds[0]], f"{path}.{kinds[0]}", kinds[0])
    why = "may not specify more than 1 handler type"
    return causes + [forbidden_value(f"{path}.{one}", why) for one in kinds[1:]]


def _action(found: Json, path: str, kind: str) -> list[Cause]:
    if kind == "exec":
        return [] if found.get("command") else [required(f"{path}.command")]
    if kind == "sleep":
        return []
    port = found.get("port", 0)
    wrong = formats.port_name(port) if isinstance(port, str) else formats.port_number(port)
    causes = [invalid_value(f"{path}.port", port, one) for one in wrong]
    if kind == "httpGet":
        scheme = found.get("scheme", "HTTP")
        if scheme not in ("HTTP", "HTTPS"):
            causes.append(unsupported(f"{path}.scheme", scheme, ("HTTP", "HTTPS")))
        for one in found.get("httpHeaders") or []:
            name = one.get("name", "")
            causes += [invalid_value(f"{path}.httpHeaders", name, told) for told in formats.header(name)]
    return causes


def _security(found: Json, path: str) -> list[Cause]:
    return [
        invalid_value(f"{path}.{name}", found[name], one)
        for name in ("runAsUser", "runAsGroup")
        if found.get(name) is not None
        for one in formats.between(found[name], 0, formats.MAX_ID)
    ]
