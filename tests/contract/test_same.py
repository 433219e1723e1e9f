"""The same manifest, sent to both, comes back the same: defaults, managed fields, generations and all."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.space import Json, Space, config_map, differences, workload

GOLDEN = Path(__file__).parents[1] / "deployments" / "manifests" / "golden"
PRODUCT = ("configmap", "deployment", "role", "rolebinding", "secret", "service", "serviceaccount")
PLACES = {
    "Deployment": "apis/apps/v1", "ReplicaSet": "apis/apps/v1", "StatefulSet": "apis/apps/v1",
    "DaemonSet": "apis/apps/v1", "Role": "apis/rbac.authorization.k8s.io/v1",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1", "Job": "apis/batch/v1", "CronJob": "apis/batch/v1",
    "PodDisruptionBudget": "apis/policy/v1", "NetworkPolicy": "apis/networking.k8s.io/v1",
    "Ingress": "apis/networking.k8s.io/v1", "HorizontalPodAutoscaler": "apis/autoscaling/v2",
    "Lease": "apis/coordination.k8s.io/v1",
}  # fmt: skip
PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}
PODS = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "main", "image": "x/y:1"}]}}


def made(kind: str, version: str, **more: Any) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **more}


FULL = {
    "livenessProbe": {"httpGet": {"port": 80}},
    "startupProbe": {"tcpSocket": {"port": "http"}, "initialDelaySeconds": 0},
    "lifecycle": {"preStop": {"httpGet": {"port": 80, "path": "/stop"}}},
    "env": [
        {"name": "A", "value": ""},
        {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k", "optional": True}}},
    ],
    "ports": [{"name": "http", "containerPort": 80}, {"containerPort": 81, "protocol": "UDP"}],
    "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}, "requests": {"cpu": 0.1}},
    "securityContext": {"runAsNonRoot": False, "capabilities": {"drop": ["ALL"]}},
    "volumeMounts": [{"name": "a", "mountPath": "/a", "readOnly": False}, {"name": "b", "mountPath": "/b"}],
}
VOLUMES = [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "m"}}, {"name": "c"},
           {"name": "d", "secret": {"secretName": "s", "defaultMode": 256}}]  # fmt: skip
OTHERS: dict[str, Json] = {
    "full-deployment": workload("x", replicas=0, container=FULL, pod={"volumes": VOLUMES, "hostNetwork": False}),
    "paused": workload("x", replicas=0, paused=False, minReadySeconds=0, strategy={"type": "Recreate"}),
    "config-map": config_map("x", {"a": "b"}, word="x"),
    "empty-config-map": made("ConfigMap", "v1"),
    "text-secret": made("Secret", "v1", stringData={"a": "b"}, type="Opaque"),
    "load-balancer": made("Service", "v1", spec={"type": "LoadBalancer", "ports": [{"port": 80}]}),
    "headless": made("Service", "v1", spec={"clusterIP": "None", "selector": {"app": "x"}, "ports": [{"port": 80}]}),
    "external": made("Service", "v1", spec={"type": "ExternalName", "externalName": "example.com"}),
    "stateful-set": made(
        "StatefulSet", "apps/v1",
        spec={"replicas": 0, "serviceName": "x", "selector": {"matchLabels": {"app": "x"}}, "template": PODS},
    ),
    "budget": made("PodDisruptionBudget", "policy/v1", spec={"maxUnavailable": "25%", "selector": {}}),
    "network-policy": made(
        "NetworkPolicy", "networking.k8s.io/v1", spec={"podSelector": {}, "policyTypes": ["Egress"]}
    ),
    "claim": made(
        "PersistentVolumeClaim", "v1",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""},
    ),
    "lease": made("Lease", "coordination.k8s.io/v1", spec={"holderIdentity": "x", "leaseDurationSeconds": 15}),
    "autoscaler": made(
        "HorizontalPodAutoscaler", "autoscaling/v2",
        spec={"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"}},
    ),
}  # fmt: skip


def golden(name: str, space: Space) -> Json:
    found: Json = yaml.safe_load((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8"))
    found["metadata"]["namespace"] = space.name
    for subject in found.get("subjects", []):
        subject["namespace"] = space.name
    return found


def path_of(space: Space, manifest: Json) -> str:
    kind = manifest["kind"]
    plural = PLURALS.get(kind, kind.lower() + "s")
    return f"/{PLACES.get(kind, 'api/v1')}/namespaces/{space.name}/{plural}"


def plain(found: Json, space: Space) -> Json:
    """Without what differs between any two clusters, and what controllers write when they get to it."""
    meta = found["metadata"]
    for name in ("uid", "resourceVersion", "creationTimestamp"):
        meta.pop(name, None)
    found.pop("status", None)
    meta["managedFields"] = [
        {key: value for key, value in one.items() if key != "time"}
        for one in meta.get("managedFields", [])
        if not one["manager"].startswith("kube-")
    ]
    for one in meta["managedFields"]:  # whether somebody was the first to annotate is a race with the controllers
        one.get("fieldsV1", {}).get("f:metadata", {}).get("f:annotations", {}).pop(".", None)
    (meta.get("annotations") or {}).pop("deployment.kubernetes.io/revision", None)
    if not meta.get("annotations"):
        meta.pop("annotations", None)
    text = re.sub(r"10\.96\.\d+\.\d+", "ADDRESS", json.dumps(found).replace(space.name, "SPACE"))
    return json.loads(re.sub(r'"nodePort": \d+', '"nodePort": 1', text))  # type: ignore[no-any-return]


def compared(both: tuple[Space, Space], say: Any) -> None:
    """What both say, compared."""
    real, imitated = (plain(say(space), space) for space in both)
    assert not list(differences(imitated, real))


@pytest.mark.parametrize("name", PRODUCT)
def test_what_llmdash_applies_is_made_of_it_alike(both: tuple[Space, Space], name: str) -> None:
    def applied(space: Space) -> Json:
        manifest = golden(name, space)
        path = f"{path_of(space, manifest)}/{manifest['metadata']['name']}"
        space.server_apply(path, manifest, "llmdash")
        found = space.server_apply(path, manifest, "llmdash").json()
        space.send("DELETE", path)
        return dict(found)

    compared(both, applied)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("way", ["create", "apply", "change"])
def test_a_manifest_comes_back_alike(both: tuple[Space, Space], name: str, way: str) -> None:
    manifest = OTHERS[name]

    def told(space: Space) -> Json:
        collection = path_of(space, manifest)
        path = f"{collection}/{manifest['metadata']['name']}"
        if way == "apply":
            answer = space.server_apply(path, manifest, "first")
        else:
            answer = space.send("POST", collection, manifest)
        if way == "change":
            change = {"metadata": {"labels": {"a": "b", "c": None}, "annotations": {"d": "e"}}}
            answer = space.send("PATCH", f"{path}?fieldManager=third", change, kind="application/merge-patch+json")
        found = answer.json()
        space.send("DELETE", path)
        space.wait_gone(path)
        assert answer.is_success, answer.text
        return dict(found)

    compared(both, told)
