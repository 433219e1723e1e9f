"""What default admission does to pods, nodes and services before they are stored: accounts, tolerations, addresses.

After k8s.io/kubernetes/plugin/pkg/admission. Quotas are quotas.py's; limit ranges and pod security are not enforced.
"""

from __future__ import annotations

import ipaddress
import secrets
from typing import Any

from llmdash.sandbox import errors, paths
from llmdash.sandbox.store import Store

Json = dict[str, Any]
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' alphabet for generated names: no vowels, so that they spell nothing."""
SERVICES = ipaddress.ip_network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105  (a path)
PROTECTED = "kubernetes.io/pvc-protection"
"""Held by a claim until no pod uses it; controllers/claims.py takes it off."""
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"


def suffix(length: int = 5) -> str:
    """The random end of a generated name."""
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def admit(store: Store, resource: paths.Resource, found: Json) -> None:
    """Complete a new object in place. Raises a 403 for a pod that cannot be."""
    if resource.key == "/pods":
        pod(store, resource, found)
    elif resource.key == "/nodes":
        node(found)
    elif resource.key == "/persistentvolumeclaims":
        found["metadata"]["finalizers"] = [*found["metadata"].get("finalizers", []), PROTECTED]


def pod(store: Store, resource: paths.Resource, found: Json) -> None:
    """ServiceAccount, priority, default tolerations, first status."""
    spec, meta = found["spec"], found["metadata"]
    name = meta["name"] if not meta.get("generateName") else meta["generateName"]
    spec.setdefault("serviceAccountName", "default")
    account_name = spec["serviceAccount"] = spec["serviceAccountName"]
    account = store.get("/serviceaccounts", meta["namespace"], account_name)
    if account is None:
        where = f"{meta['namespace']}/{account_name}"
        why = f'error looking up service account {where}: serviceaccount "{account_name}" not found'
        raise errors.forbidden(resource, name, why)
    automount = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if automount:
        _mount_token(spec)
    _priority(store, resource, name, spec)
    _tolerations(spec)
    found["status"] = {"phase": "Pending", "qosClass": quality(spec)}
    if spec.get("schedulingGates"):
        gated = {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": None}
        gated |= {"reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates"}
        found["status"]["conditions"] = [gated]


def _mount_token(spec: Json) -> None:
    volume = f"kube-api-access-{suffix()}"
    mounts = [
        one
        for kind in ("initContainers", "containers")
        for one in spec.get(kind, [])
        if all(mount["mountPath"] != TOKEN_PATH for mount in one.get("volumeMounts", []))
    ]
    for one in mounts:
        mount = {"name": volume, "readOnly": True, "mountPath": TOKEN_PATH}
        one["volumeMounts"] = [*one.get("volumeMounts", []), mount]
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [
            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
        ]}},
    ]  # fmt: skip
    if mounts:
        added = {"name": volume, "projected": {"sources": sources, "defaultMode": 420}}
        spec["volumes"] = [*spec.get("volumes", []), added]


def _priority(store: Store, resource: paths.Resource, name: str, spec: Json) -> None:
    wanted = spec.get("priorityClassName")
    priority, preemption = 0, "PreemptLowerPriority"
    if wanted:
        found = store.get("scheduling.k8s.io/priorityclasses", "", wanted)
        if found is None:
            raise errors.forbidden(resource, name, f"no PriorityClass with name {wanted} was found")
        priority, preemption = found.get("value", 0), found.get("preemptionPolicy", preemption)
    spec["priority"] = priority
    spec.setdefault("preemptionPolicy", preemption)


def _tolerations(spec: Json) -> None:
    """A pod stays five minutes on a node that went away, unless it says otherwise."""
    held = spec.get("tolerations", [])
    for key in (NOT_READY, UNREACHABLE):
        covered = any(
            one.get("key") in (None, "", key) and one.get("effect") in (None, "", "NoExecute") for one in held
        )
        if not covered:
            added = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            held = [*held, added]
    spec["tolerations"] = held


def quality(spec: Json) -> str:
    """The quality-of-service class of a pod: only cpu and memory count."""
    asked = [
        ((one.get("resources") or {}).get("requests") or {}, (one.get("resources") or {}).get("limits") or {})
        for one in [*spec.get("containers", []), *spec.get("initContainers", [])]
    ]
    kinds = ("cpu", "memory")
    if not any(kind in requests or kind in limits for requests, limits in asked for kind in kinds):
        return "BestEffort"
    sure = all(limits.get(kind) and requests.get(kind) == limits[kind] for requests, limits in asked for kind in kinds)
    return "Guaranteed" if sure else "Burstable"


def node(found: Json) -> None:
    """A new node takes no pods until it has said that it is ready."""
    taints = found.setdefault("spec", {}).get("taints", [])
    if not any(one["key"] == NOT_READY for one in taints):
        found["spec"]["taints"] = [*taints, {"key": NOT_READY, "effect": "NoSchedule"}]


def service(store: Store, found: Json, old: Json | None) -> None:
    """Lend a cluster address and node ports; a service keeps what it has."""
    spec, was = found["spec"], (old or {}).get("spec") or {}
    if spec.get("type") == "ExternalName":
        return
    spec.setdefault("ipFamilies", was.get("ipFamilies", ["IPv4"]))
    spec.setdefault("ipFamilyPolicy", was.get("ipFamilyPolicy", "SingleStack"))
    if was.get("clusterIP") and not spec.get("clusterIP"):
        spec["clusterIP"] = was["clusterIP"]
    if not spec.get("clusterIP"):
        spec["clusterIP"] = _free_address(store)
    spec["clusterIPs"] = [spec["clusterIP"]]
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        _node_ports(store, found, was)
    elif old and was.get("type") in ("NodePort", "LoadBalancer"):
        for port in spec.get("ports", []):
            port.pop("nodePort", None)
        spec.pop("externalTrafficPolicy", None)


def _free_address(store: Store) -> str:
    used = {one["spec"].get("clusterIP") for one in store.objects["/services"].values()}
    while True:
        found = str(SERVICES[256 + secrets.randbelow(SERVICES.num_addresses - 512)])
        if found not in used:
            return found


def _node_ports(store: Store, found: Json, was: Json) -> None:
    mine = found["metadata"].get("namespace"), found["metadata"]["name"]
    used = {
        port.get("nodePort")
        for name, one in store.objects["/services"].items()
        if name != mine
        for port in one["spec"].get("ports", [])
    }
    before = {(port["port"], port.get("protocol")): port.get("nodePort") for port in was.get("ports", [])}
    for index, port in enumerate(found["spec"].get("ports", [])):
        kept = port.get("nodePort") or before.get((port["port"], port.get("protocol")))
        if kept and kept in used:
            cause = errors.invalid_value(f"spec.ports[{index}].nodePort", kept, "provided port is already allocated")
            raise errors.invalid("Service", "", found["metadata"]["name"], [cause])
        port["nodePort"] = kept or secrets.choice([one for one in NODE_PORTS if one not in used])
        used.add(port["nodePort"])
