"""Requests that succeed, with everything the server adds: defaults, managed fields, watch events."""

from typing import Any

from tests.controlplane import manifests
from tests.controlplane.recording.cluster import APPS, CORE, NAMESPACE, Cluster
from tests.controlplane.recording.errors import APPLY, JSON_PATCH, STRATEGIC

PLACE = f"{APPS}/deployments"
ONE = f"{PLACE}/answered"
MAPS = f"{CORE}/configmaps"
REVIEWS = "/apis/authorization.k8s.io/v1"


def record(cluster: Cluster) -> dict[str, Any]:
    """Exchanges by name, in the order they were made: each works on what the last one left."""
    return {**_write(cluster), **_read(cluster), **_review(cluster), **_remove(cluster)}


def _write(cluster: Cluster) -> dict[str, Any]:
    first = manifests.deployment("answered", replicas=0)
    second = {**first, "spec": {**first["spec"], "replicas": 1, "minReadySeconds": 5}}
    image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "1"}]}]}}}}
    named = {**first, "metadata": {"generateName": "generated-"}}
    return {
        "dry-run-create": cluster.exchange("POST", f"{PLACE}?dryRun=All", body=first),
        "generate-name": cluster.exchange("POST", f"{PLACE}?dryRun=All", body=named),
        "apply-creates": cluster.exchange("PATCH", f"{ONE}?fieldManager=first", body=first, headers=APPLY),
        "apply-again": cluster.exchange("PATCH", f"{ONE}?fieldManager=first", body=first, headers=APPLY),
        "apply-forced": cluster.exchange("PATCH", f"{ONE}?fieldManager=second&force=true", body=second, headers=APPLY),
        "strategic-merge": cluster.exchange("PATCH", ONE, body=image, headers=STRATEGIC),
        "merge-patch": cluster.exchange("PATCH", ONE, body={"metadata": {"labels": {"tier": "gold"}}}),
        "json-patch": cluster.exchange(
            "PATCH", ONE, body=[{"op": "remove", "path": "/metadata/labels/tier"}], headers=JSON_PATCH
        ),
        "scale-get": cluster.exchange("GET", f"{ONE}/scale"),
        "scale-patch": cluster.exchange("PATCH", f"{ONE}/scale", body={"spec": {"replicas": 0}}),
        "status-get": cluster.exchange("GET", f"{ONE}/status"),
    }


def _read(cluster: Cluster) -> dict[str, Any]:
    page = cluster.exchange("GET", f"{CORE}/configmaps?limit=1")
    metadata = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    quiet = "fieldSelector=metadata.name%3Dkube-root-ca.crt"
    return {
        "list-empty": cluster.exchange("GET", f"{CORE}/secrets"),
        "list-page": page,
        "list-metadata-only": cluster.exchange("GET", f"{PLACE}?limit=2", headers=metadata),
        "watch-initial-events": cluster.exchange("GET", f"{MAPS}?watch=1&timeoutSeconds=1&{initial}&{quiet}"),
        "watch-from-now": cluster.exchange("GET", f"{MAPS}?watch=1&timeoutSeconds=1&{quiet}"),
        "table-of-one": cluster.exchange(
            "GET", ONE, headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        ),
    }


def _review(cluster: Cluster) -> dict[str, Any]:
    account = {"Impersonate-User": f"system:serviceaccount:{NAMESPACE}:default"}
    asked = {
        "resourceAttributes": {"namespace": NAMESPACE, "verb": "create", "group": "apps", "resource": "deployments"}
    }
    access = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": asked}
    rules = {**access, "kind": "SelfSubjectRulesReview", "spec": {"namespace": NAMESPACE}}
    who = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    reviews = f"{REVIEWS}/selfsubjectaccessreviews"
    return {
        "access-allowed": cluster.exchange("POST", reviews, body=access),
        "access-denied": cluster.exchange("POST", reviews, body=access, headers=account),
        "rules": cluster.exchange("POST", f"{REVIEWS}/selfsubjectrulesreviews", body=rules, headers=account),
        "who-am-i": cluster.exchange("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=who),
    }


def _remove(cluster: Cluster) -> dict[str, Any]:
    for name in ("one", "two"):
        marked = manifests.config_map(name)
        marked["metadata"]["labels"] = {"marked": "yes"}
        cluster.create(MAPS, marked)
    background = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    foreground = {**background, "propagationPolicy": "Foreground"}
    return {
        "delete-foreground": cluster.exchange("DELETE", f"{PLACE}/late", body=foreground),
        "delete-background": cluster.exchange("DELETE", ONE, body=background),
        "delete-graceful-pod": cluster.exchange("DELETE", f"{CORE}/pods/{_running_pod(cluster)}"),
        "delete-collection": cluster.exchange("DELETE", f"{MAPS}?labelSelector=marked%3Dyes"),
    }


def _running_pod(cluster: Cluster) -> str:
    return str(cluster.pods("ousting", "Running")[0]["metadata"]["name"])
