"""A cluster whose policies, quotas and people stand in the way: a refusal is said, and not tried in a hot loop."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.faults.conftest import Fault
from tests.faults.site import BOUNDS, Site, eventually

pytestmark = pytest.mark.plane
API = "admissionregistration.k8s.io/v1"
RETRY = float(BOUNDS["LLMDASH_REFUSED_RETRY_SECONDS"])


@contextmanager
def policy(site: Site, kind: str, resource: str, **spec: Any) -> Iterator[None]:
    """An admission policy of the cluster's owner for one kind of object in the site's namespace, in force."""
    name = f"{kind.lower()[:3]}-{resource}-{site.namespace}"
    group = "apps" if resource == "deployments" else ""
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}
    match = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": site.namespace}}, "resourceRules": [rule],
    }  # fmt: skip
    binding = {"policyName": name} | ({"validationActions": ["Deny"]} if kind.startswith("Validating") else {})
    objects = [
        {"apiVersion": API, "kind": kind, "metadata": {"name": name},
         "spec": {"matchConstraints": match, "failurePolicy": "Fail"} | spec},
        {"apiVersion": API, "kind": f"{kind}Binding", "metadata": {"name": name}, "spec": binding},
    ]  # fmt: skip
    site.plane.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    time.sleep(3)  # a policy is in force a moment after it was stored
    try:
        yield
    finally:
        site.plane.kubectl("delete", f"{kind.lower()}binding,{kind.lower()}", name)
        time.sleep(3)


def denying(site: Site, resource: str, expression: str, message: str) -> Any:
    """A policy that takes only what the expression is true of."""
    validations = [{"expression": expression, "message": message}]
    return policy(site, "ValidatingAdmissionPolicy", resource, validations=validations)


def writes(site: Site, part: str, seconds: float) -> int:
    """How often an object is written to in so many seconds from now."""
    began = time.monotonic()
    time.sleep(seconds)
    return site.proxy.count("PATCH", part, since=began)


@pytest.mark.fault("9", "another manager owns a field", bound=20)
def test_a_field_conflict_names_owner_and_field_and_waits_for_take_over(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen", replicas=1)
    eventually(lambda: site.is_applied(made), 30)
    site.answered(site.send(f"/deployments/{made['id']}/drift-policy", {"drift_policy": "leave"}))
    patch = json.dumps({"spec": {"replicas": 4}})
    site.kubectl("patch", "deployment", "qwen", "--patch", patch, "--field-manager=autoscaler-of-ops")
    site.act(f"/deployments/{made['id']}/scale", {"replicas": 2})
    fault.until(lambda: "autoscaler-of-ops" in str(site.status(made).get("last_error")))
    error = site.status(made)["last_error"]
    assert ".spec.replicas" in error["message"], error
    assert site.replicas("qwen") == 4, "nothing was forced"
    assert writes(site, "/deployments/qwen", 3) <= 1
    site.act(f"/deployments/{made['id']}/take-over", {})
    fault.until(lambda: site.is_applied(made) and site.replicas("qwen") == 2)
    assert len(site.rows("select id from deployments_auditentry where action = 'take over'")) == 1


@pytest.mark.fault("18", "a policy rewrites our field at each write", bound=30)
def test_a_policy_that_rewrites_makes_no_endless_loop(site: Site, fault: Fault) -> None:
    label = "app.kubernetes.io/component"
    change = f'[JSONPatch{{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("{label}"), value: "policy"}}]'
    mutations = [{"patchType": "JSONPatch", "jsonPatch": {"expression": change}}]
    with policy(
        site, "MutatingAdmissionPolicy", "deployments", reinvocationPolicy="Never", mutations=mutations
    ):  # fmt: skip
        made = site.deploy("qwen")
        fault.until(lambda: site.is_applied(made))
        assert site.objects("deployment")[0]["metadata"]["labels"][label] == "policy"
        eventually(lambda: site.status(made)["drift"], 20)  # it is shown
        assert writes(site, "/deployments/qwen", 12) == 0
        site.act(f"/deployments/{made['id']}/scale", {"replicas": 2})
        fault.until(lambda: site.is_applied(made))


@pytest.mark.fault("19", "the namespace is being deleted", bound=30)
def test_a_namespace_on_its_way_out_is_explained_and_retried_slowly(site: Site, fault: Fault) -> None:
    other = site.second_project()
    first = site.deploy("first", project=other)
    eventually(lambda: site.is_applied(first), 30)
    space = f"{site.namespace}-2"
    site.plane.kubectl("-n", space, "create", "configmap", "holds")
    held = json.dumps({"metadata": {"finalizers": ["test/hold"]}})
    site.plane.kubectl("-n", space, "patch", "configmap", "holds", "--type=merge", "-p", held)
    site.plane.kubectl("delete", "namespace", space, "--wait=false")
    second = site.deploy("second", project=other)
    fault.until(lambda: "being terminated" in str(site.status(second).get("last_error")))
    attempts = attempts_of(site, second)
    time.sleep(3 * RETRY)
    assert attempts_of(site, second) - attempts <= 5
    free = json.dumps({"metadata": {"finalizers": None}})
    site.plane.kubectl("-n", space, "patch", "configmap", "holds", "--type=merge", "-p", free)
    eventually(lambda: not site.plane.kubectl("get", "namespace", space, "--ignore-not-found"), 60)
    site.plane.kubectl("create", "namespace", space)
    fault.until(lambda: site.is_applied(second))
    # Its revision was applied before, so that alone proves nothing.
    fault.until(lambda: not site.status(first)["problem"] and len(site.objects("deployment")) == 2)


def attempts_of(site: Site, made: dict[str, Any]) -> int:
    [(found,)] = site.rows(f"select attempts from deployments_deployment where id = '{made['id']}'")
    return int(found)


@pytest.mark.fault("20", "quota exceeded, and a GPU that no node has", bound=40)
def test_what_does_not_fit_keeps_its_spec_and_says_why_in_the_clusters_words(site: Site, fault: Fault) -> None:
    unplaced = site.deploy("unplaced", gpus=1)
    path = f"/api/v1/deployments/{unplaced['id']}/pods"
    fault.until(lambda: re.search("Insufficient nvidia.com/gpu|no nodes available", site.get(path).text))
    site.kubectl("create", "quota", "services", "--hard=services=1")
    eventually(lambda: "services" in site.kubectl("get", "quota", "services", "-o", "jsonpath={.status.used}"), 20)
    refused = site.deploy("refused")
    fault.until(lambda: "exceeded quota: services" in str(site.status(refused).get("last_error")))
    assert site.status(refused)["problem"] == "wait"
    assert site.get(f"/api/v1/deployments/{refused['id']}").json()["spec"]["image"] == "registry.example/app:1"
    assert writes(site, "/services/refused", 3) <= 2, "no hot retry"
    site.kubectl("delete", "quota", "services")
    fault.until(lambda: site.is_applied(refused))


@pytest.mark.fault("21", "admission denied; a webhook that does not answer", bound=40)
def test_a_denial_waits_for_an_edit_and_a_dead_webhook_backs_off(site: Site, fault: Fault) -> None:
    with denying(site, "deployments", "object.spec.replicas <= 2", "at most two replicas here"):
        made = site.deploy("qwen", replicas=3)
        fault.until(lambda: "at most two replicas here" in str(site.status(made).get("last_error")))
        assert site.status(made)["problem"] == "wait"
        assert writes(site, "/deployments/qwen", 3) <= 2
        site.act(f"/deployments/{made['id']}/scale", {"replicas": 2})
        fault.until(lambda: site.is_applied(made))
    with webhook_that_is_dead(site):
        site.act(f"/deployments/{made['id']}/scale", {"replicas": 1})
        fault.until(lambda: site.status(made).get("problem") == "back-off")
        assert "webhook" in site.status(made)["last_error"]["message"]
    fault.until(lambda: site.is_applied(made) and site.replicas("qwen") == 1)


@contextmanager
def webhook_that_is_dead(site: Site) -> Iterator[None]:
    """A validating webhook at a port where nobody listens, which must be asked about every Deployment."""
    name = f"dead-{site.namespace}"
    hook = {
        "name": "dead.llmdash.example", "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 1,
        "failurePolicy": "Fail", "clientConfig": {"url": "https://127.0.0.1:9/deny"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": site.namespace}},
        "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                   "resources": ["deployments"]}],
    }  # fmt: skip
    made = {"apiVersion": API, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}, "webhooks": [hook]}
    site.plane.kubectl("apply", "-f", "-", input=json.dumps(made))
    time.sleep(3)
    try:
        yield
    finally:
        site.plane.kubectl("delete", "validatingwebhookconfiguration", name)
        time.sleep(3)


@pytest.mark.fault("22", "the third of four objects is denied", bound=30)
def test_what_is_half_applied_is_counted_by_object_and_the_old_pods_stay(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    eventually(lambda: site.kubectl("get", "pods", "-l", "app=qwen", "-o", "name"), 20)
    pods = site.kubectl("get", "pods", "-l", "app=qwen", "-o", "jsonpath={.items[*].metadata.uid}")
    image = "registry.example/app:2"
    with denying(site, "deployments", f"object.spec.template.spec.containers[0].image != '{image}'", "not this image"):
        spec = {"image": image, "files": [{"path": "/etc/app/a.txt", "content": "b"}]}
        site.revise(made, spec)
        fault.until(lambda: site.status(made).get("problem") == "wait")
        error = site.status(made)["last_error"]
        assert (error["objects_done"], error["objects_total"]) == (2, 4)
        outcome = site.get(f"/api/v1/deployments/{made['id']}/revisions/2").json()
        assert (outcome["outcome"], outcome["outcome_detail"]["done"]) == (
            "partial", ["ConfigMap/qwen-files", "Secret/qwen-env"],
        )  # fmt: skip
        assert site.kubectl("get", "pods", "-l", "app=qwen", "-o", "jsonpath={.items[*].metadata.uid}") == pods
    fault.until(lambda: site.is_applied(made))
