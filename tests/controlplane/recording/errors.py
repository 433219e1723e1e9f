"""How the API server refuses: one real refusal of each kind a client has to tell apart."""

import json
from typing import Any

import httpx

from tests.controlplane import manifests
from tests.controlplane.recording.cluster import APPS, CORE, NAMESPACE, Cluster

MAPS = f"{CORE}/configmaps"
DEPLOYMENTS = f"{APPS}/deployments"
APPLY = {"Content-Type": "application/apply-patch+yaml"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
Exchange = dict[str, Any]


def record(cluster: Cluster) -> dict[str, Exchange]:
    """Refusals by name. The last ones restart the API server and compact its store."""
    cluster.create(MAPS, manifests.config_map("taken", word="first"))
    return {
        **_absent(cluster),
        **_conflicts(cluster),
        **_invalid(cluster),
        **_malformed(cluster),
        **_denied(cluster),
        **_pods(cluster),
        **_expired(cluster),
    }


def _absent(cluster: Cluster) -> dict[str, Exchange]:
    return {
        "not-found": cluster.exchange("GET", f"{DEPLOYMENTS}/absent"),
        "not-found-on-delete": cluster.exchange("DELETE", f"{MAPS}/absent"),
        "not-found-on-patch": cluster.exchange("PATCH", f"{DEPLOYMENTS}/absent", body={"spec": {"replicas": 1}}),
        "no-such-namespace": cluster.exchange(
            "POST", "/api/v1/namespaces/absent/configmaps", body=manifests.config_map("one")
        ),
        "no-such-resource": cluster.exchange("GET", f"{CORE}/nonsense"),
        "no-such-group": cluster.exchange("GET", "/apis/absent.example/v1/things"),
        "no-such-subresource": cluster.exchange("GET", f"{MAPS}/taken/nonsense"),
        "method-not-allowed": cluster.exchange("POST", f"{MAPS}/taken", body=manifests.config_map("taken")),
    }


def _conflicts(cluster: Cluster) -> dict[str, Exchange]:
    stale = cluster.get(f"{MAPS}/taken")
    cluster.patch(f"{MAPS}/taken", {"data": {"word": "second"}})
    mine = manifests.deployment("contested", replicas=2)
    yours = manifests.deployment("contested", replicas=3)
    cluster.exchange("PATCH", f"{DEPLOYMENTS}/contested?fieldManager=first", body=mine, headers=APPLY)
    wrong_uid = {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}}
    precondition = {"preconditions": wrong_uid["metadata"]}
    return {
        "already-exists": cluster.exchange("POST", MAPS, body=manifests.config_map("taken")),
        "stale-resource-version": cluster.exchange("PUT", f"{MAPS}/taken", body=_bare(stale)),
        "apply-conflict": cluster.exchange(
            "PATCH", f"{DEPLOYMENTS}/contested?fieldManager=second", body=yours, headers=APPLY
        ),
        "wrong-uid": cluster.exchange("PATCH", f"{MAPS}/taken", body=wrong_uid),
        "delete-precondition": cluster.exchange("DELETE", f"{MAPS}/taken", body=precondition),
        "json-patch-test-failed": cluster.exchange(
            "PATCH",
            f"{MAPS}/taken",
            body=[{"op": "test", "path": "/data/word", "value": "first"}],
            headers=JSON_PATCH,
        ),
    }


def _invalid(cluster: Cluster) -> dict[str, Exchange]:
    two_wrong = manifests.deployment("wrong", replicas=-1, pod={"restartPolicy": "Sometimes"})
    other_labels = {"spec": {"selector": {"matchLabels": {"app": "other"}}}}
    no_image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": ""}]}}}}
    below = {"container": {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}}
    bad_limit = {"container": {"resources": {"limits": {"cpu": "lots"}}}}
    return {
        "invalid-fields": cluster.exchange("POST", DEPLOYMENTS, body=two_wrong),
        "invalid-name": cluster.exchange("POST", MAPS, body=manifests.config_map("Not_A_Name")),
        "required-field": cluster.exchange("PATCH", f"{DEPLOYMENTS}/contested", body=no_image, headers=STRATEGIC),
        "immutable-field": cluster.exchange("PATCH", f"{DEPLOYMENTS}/contested", body=other_labels),
        "request-over-limit": cluster.exchange("POST", DEPLOYMENTS, body=manifests.deployment("wrong", pod=below)),
        "invalid-quantity": cluster.exchange("POST", DEPLOYMENTS, body=manifests.deployment("wrong", pod=bad_limit)),
        "negative-scale": cluster.exchange("PATCH", f"{DEPLOYMENTS}/contested/scale", body={"spec": {"replicas": -1}}),
        "name-mismatch": cluster.exchange("PUT", f"{MAPS}/taken", body=manifests.config_map("other")),
        "bad-label-selector": cluster.exchange("GET", f"{MAPS}?labelSelector=a%20b%20c"),
        "bad-field-selector": cluster.exchange("GET", f"{MAPS}?fieldSelector=data.word%3Dx"),
        "bad-resource-version": cluster.exchange("GET", f"{MAPS}?resourceVersion=soon"),
    }


def _malformed(cluster: Cluster) -> dict[str, Exchange]:
    unknown = manifests.deployment("unknown", replicsa=2)
    twice = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}'
    wrong_type = manifests.deployment("wrong", replicas="two")  # type: ignore[arg-type]  # the point of it
    html = {"Accept": "text/html"}
    return {
        "unknown-field": cluster.exchange("POST", f"{DEPLOYMENTS}?fieldValidation=Strict", body=unknown),
        "unknown-field-warned": cluster.exchange(
            "POST", f"{DEPLOYMENTS}?fieldValidation=Warn&dryRun=All", body=unknown
        ),
        "unknown-field-applied": cluster.exchange(
            "PATCH", f"{DEPLOYMENTS}/unknown?fieldManager=first&fieldValidation=Strict", body=unknown, headers=APPLY
        ),
        "duplicate-field": cluster.exchange("POST", f"{MAPS}?fieldValidation=Strict", body=twice),
        "wrong-type": cluster.exchange("POST", DEPLOYMENTS, body=wrong_type),
        "not-json": cluster.exchange("POST", MAPS, body="{"),
        "wrong-kind": cluster.exchange("POST", DEPLOYMENTS, body=manifests.config_map("one")),
        "no-name": cluster.exchange("POST", MAPS, body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}),
        "unsupported-media-type": cluster.exchange(
            "PATCH", f"{MAPS}/taken", body={}, headers={"Content-Type": "application/json"}
        ),
        "not-acceptable": cluster.exchange("GET", MAPS, headers=html),
        "apply-without-manager": cluster.exchange(
            "PATCH", f"{MAPS}/one", body=manifests.config_map("one"), headers=APPLY
        ),
        "bad-dry-run": cluster.exchange("POST", f"{MAPS}?dryRun=Some", body=manifests.config_map("one")),
    }


def _denied(cluster: Cluster) -> dict[str, Exchange]:
    account = cluster.create(f"{CORE}/serviceaccounts/default/token", {"spec": {}})["status"]["token"]
    quota = {"metadata": {"name": "maps"}, "spec": {"hard": {"count/configmaps": "1"}}}
    cluster.create(f"{CORE}/resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    cluster.wait(lambda: cluster.get(f"{CORE}/resourcequotas/maps")["status"].get("used"))
    over = cluster.exchange("POST", MAPS, body=manifests.config_map("over"))
    cluster.delete(f"{CORE}/resourcequotas/maps")
    going = {"metadata": {"name": "going", "finalizers": ["example.com/stays"]}}
    cluster.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", **going})
    cluster.create("/api/v1/namespaces/going/configmaps", _kept_map())
    cluster.delete("/api/v1/namespaces/going")
    someone = {"Impersonate-User": f"system:serviceaccount:{NAMESPACE}:default"}
    return {
        "unauthorized": cluster.exchange("GET", MAPS, token="nobody-has-this-token"),
        "forbidden": cluster.exchange("GET", MAPS, token=account),
        "forbidden-one": cluster.exchange("GET", f"{MAPS}/taken", token=account),
        "forbidden-cluster-wide": cluster.exchange("GET", "/api/v1/nodes", token=account),
        "forbidden-subresource": cluster.exchange(
            "PATCH", f"{DEPLOYMENTS}/contested/scale", body={"spec": {"replicas": 1}}, token=account
        ),
        "forbidden-path": cluster.exchange("GET", "/metrics", token=account),
        "forbidden-impersonation": cluster.exchange("GET", MAPS, headers={"Impersonate-User": "admin"}, token=account),
        "forbidden-impersonated": cluster.exchange("GET", MAPS, headers=someone),
        "quota-exceeded": over,
        "namespace-terminating": cluster.exchange(
            "POST", "/api/v1/namespaces/going/configmaps", body=manifests.config_map("late")
        ),
    }


def _kept_map() -> dict[str, Any]:
    kept = manifests.config_map("kept")
    kept["metadata"]["finalizers"] = ["example.com/stays"]
    return kept


def _pods(cluster: Cluster) -> dict[str, Exchange]:
    """Of pods that have no kubelet behind them."""
    pending = cluster.pods("too-many-gpus")[0]["metadata"]["name"]
    served = cluster.pods("served", "Running")[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": served, "namespace": NAMESPACE}}
    return {
        "log-unscheduled": cluster.exchange("GET", f"{CORE}/pods/{pending}/log"),
        "log-no-such-container": cluster.exchange("GET", f"{CORE}/pods/{served}/log?container=absent"),
        "log-kubelet-unreachable": cluster.exchange("GET", f"{CORE}/pods/{served}/log"),
        "log-absent": cluster.exchange("GET", f"{CORE}/pods/absent/log"),
        "eviction-over-budget": cluster.exchange("POST", f"{CORE}/pods/{served}/eviction", body=eviction),
    }


def _expired(cluster: Cluster) -> dict[str, Exchange]:
    """Pages and watches whose place in the history is gone."""
    page = cluster.get(f"{CORE}/pods", limit="1")["metadata"]
    compact(cluster, int(page["resourceVersion"]))
    # An API server keeps what it has seen and answers from that; a new one has only what the store still has.
    cluster.plane.kill("kube-apiserver")
    cluster.plane.start("kube-apiserver")
    watch = f"{CORE}/pods?watch=1&timeoutSeconds=5"
    future = f"{CORE}/pods?resourceVersion=99999999&timeoutSeconds=1"
    return {
        "expired-continue": cluster.exchange("GET", f"{CORE}/pods?limit=1&continue={page['continue']}"),
        "expired-exact": cluster.exchange("GET", f"{CORE}/pods?resourceVersion=1&resourceVersionMatch=Exact"),
        "expired-watch": cluster.exchange("GET", f"{watch}&resourceVersion=1"),
        "future-resource-version": cluster.exchange("GET", future),
        "broken-continue": cluster.exchange("GET", f"{CORE}/pods?limit=1&continue=nonsense"),
    }


def compact(cluster: Cluster, revision: int) -> None:
    """Have etcd forget older revisions, as the API server has it do every five minutes."""
    cluster.create(f"{CORE}/configmaps", manifests.config_map("after-the-page"))
    url = f"{cluster.plane.layout.etcd_url}/v3/kv/compaction"
    httpx.post(url, content=json.dumps({"revision": str(revision + 1), "physical": True})).raise_for_status()


def _bare(found: dict[str, Any]) -> dict[str, Any]:
    found["metadata"].pop("managedFields", None)
    return found
