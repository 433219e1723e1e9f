"""What the API server fills in where a manifest says nothing, for the kinds that people deploy.

After k8s.io/kubernetes/pkg/apis/*/v1/defaults.go. Every function changes the object it is given.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
MODE = 0o644


def apply(kind: str, found: Json) -> None:
    """Fill an object in, by its kind."""
    if kind in DEFAULTS:
        DEFAULTS[kind](found)


def pod_spec(spec: Json) -> None:
    """The part that pods and their templates have in common."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for one in [*spec.get("initContainers", []), *spec.get("containers", [])]:
        container(one, host_network=bool(spec.get("hostNetwork")))
    for one in spec.get("volumes", []):
        volume(one)


def container(found: Json, *, host_network: bool = False) -> None:
    """Pull policy by tag, ports and probes."""
    image = found.get("image", "")
    found.setdefault("terminationMessagePath", "/dev/termination-log")
    found.setdefault("terminationMessagePolicy", "File")
    found.setdefault("imagePullPolicy", "Always" if _latest(image) else "IfNotPresent")
    found.setdefault("resources", {})
    for port in found.get("ports", []):
        port.setdefault("protocol", "TCP")
        if host_network:
            port.setdefault("hostPort", port.get("containerPort"))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if found.get(name) is not None:
            probe(found[name])
    for name in ("postStart", "preStop"):
        http_get((found.get("lifecycle") or {}).get(name) or {})
    for env in found.get("env", []):
        reference = (env.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            reference.setdefault("apiVersion", "v1")


def _latest(image: str) -> bool:
    last = image.rpartition("/")[2]
    if "@" in last:
        return False
    _, _, tag = last.partition(":")
    return tag in ("", "latest")


def probe(found: Json) -> None:
    found.setdefault("timeoutSeconds", 1)
    found.setdefault("periodSeconds", 10)
    found.setdefault("successThreshold", 1)
    found.setdefault("failureThreshold", 3)
    http_get(found)
    if found.get("grpc") is not None:
        found["grpc"].setdefault("service", "")


def http_get(found: Json) -> None:
    if found.get("httpGet") is not None:
        found["httpGet"].setdefault("path", "/")
        found["httpGet"].setdefault("scheme", "HTTP")


def volume(found: Json) -> None:
    """File modes, and an empty folder where no source is named."""
    if set(found) <= {"name"}:
        found["emptyDir"] = {}
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if found.get(name) is not None:
            found[name].setdefault("defaultMode", MODE)
    if found.get("hostPath") is not None:
        found["hostPath"].setdefault("type", "")
    for source in (found.get("projected") or {}).get("sources", []):
        if source.get("serviceAccountToken") is not None:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    for item in (found.get("downwardAPI") or {}).get("items", []):
        if item.get("fieldRef") is not None:
            item["fieldRef"].setdefault("apiVersion", "v1")


def pod(found: Json) -> None:
    """Requests follow limits in pods alone, not in templates."""
    pod_spec(found["spec"])
    for one in [*found["spec"].get("initContainers", []), *found["spec"].get("containers", [])]:
        limits = one["resources"].get("limits")
        if limits:
            one["resources"]["requests"] = limits | one["resources"].get("requests", {})
    found["spec"].setdefault("enableServiceLinks", True)


def deployment(found: Json) -> None:
    spec = found["spec"]
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    template(spec)


def template(spec: Json) -> None:
    pod_spec(spec.setdefault("template", {}).setdefault("spec", {}))


def replica_set(found: Json) -> None:
    found["spec"].setdefault("replicas", 1)
    template(found["spec"])


def stateful_set(found: Json) -> None:
    spec = found["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
    spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
    template(spec)


def daemon_set(found: Json) -> None:
    spec = found["spec"]
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
    template(spec)


def job(found: Json) -> None:
    job_spec(found["spec"])


def job_spec(spec: Json) -> None:
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("completions", 1)
    spec.setdefault("parallelism", 1)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    spec.setdefault("suspend", False)
    template(spec)


def cron_job(found: Json) -> None:
    spec = found["spec"]
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("failedJobsHistoryLimit", 1)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("suspend", False)
    template(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def service(found: Json) -> None:
    spec = found["spec"]
    spec.setdefault("sessionAffinity", "None")
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if spec["sessionAffinity"] == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}})


def secret(found: Json) -> None:
    """`stringData` is written into `data` and never comes back."""
    found.setdefault("type", "Opaque")
    for name, text in (found.pop("stringData", None) or {}).items():
        found.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()


def namespace(found: Json) -> None:
    found["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = found["metadata"]["name"]
    found.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])


def role_binding(found: Json) -> None:
    group = "rbac.authorization.k8s.io"
    found.setdefault("roleRef", {}).setdefault("apiGroup", group)
    for one in found.get("subjects") or []:
        if one.get("kind") in ("User", "Group"):
            one.setdefault("apiGroup", group)


def claim(found: Json) -> None:
    found["spec"].setdefault("volumeMode", "Filesystem")


def autoscaler(found: Json) -> None:
    found["spec"].setdefault("minReplicas", 1)
    target = {"type": "Utilization", "averageUtilization": 80}
    found["spec"].setdefault("metrics", [{"type": "Resource", "resource": {"name": "cpu", "target": target}}])


def priority_class(found: Json) -> None:
    found.setdefault("preemptionPolicy", "PreemptLowerPriority")


DEFAULTS: dict[str, Callable[[Json], None]] = {
    "Pod": pod,
    "Deployment": deployment,
    "ReplicaSet": replica_set,
    "StatefulSet": stateful_set,
    "DaemonSet": daemon_set,
    "Job": job,
    "CronJob": cron_job,
    "Service": service,
    "Secret": secret,
    "Namespace": namespace,
    "RoleBinding": role_binding,
    "ClusterRoleBinding": role_binding,
    "PersistentVolumeClaim": claim,
    "HorizontalPodAutoscaler": autoscaler,
    "PriorityClass": priority_class,
}
