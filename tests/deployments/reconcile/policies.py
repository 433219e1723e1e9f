"""Admission policies of a cluster's owner, which act on one namespace."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.deployments.reconcile.play import Play, eventually

API = "admissionregistration.k8s.io/v1"
LABEL = "app.kubernetes.io/component"


@contextmanager
def rewriting(play: Play) -> Iterator[str]:
    """Each write of a Deployment in the namespace ends with another component label; gives the label's key."""
    name = f"rewrite-{play.namespace}"
    patch = f'[JSONPatch{{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("{LABEL}"), value: "policy"}}]'
    policy = {
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": play.namespace}},
            "resourceRules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["deployments"],
                }
            ],
        },
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}],
    }
    objects: list[dict[str, Any]] = [
        {"apiVersion": API, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": policy},
        {
            "apiVersion": API,
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name},
        },
    ]
    play.plane.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    try:
        eventually(lambda: acts(play))
        yield LABEL
    finally:
        play.plane.kubectl("delete", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", name)
        time.sleep(0.2)


def acts(play: Play) -> bool:
    """Whether the policy is in force, which it is a moment after it was stored."""
    made = play.kubectl("create", "deployment", "probe", "--image=x", "--dry-run=server", "-o", "json")
    labels: dict[str, str] = json.loads(made)["metadata"]["labels"]
    return labels.get(LABEL) == "policy"
