"""The plain case gives the two objects that a person would write, and nothing else."""

from typing import Any

import pytest
import yaml

from deployments.manifests import build, labels
from tests.deployments.manifests.workloads import PLAIN, workload

BY_HAND = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: gpt-4
  namespace: team-space
  labels:
    app: gpt-4
spec:
  replicas: 1
  selector:
    matchLabels:
      app: gpt-4
  template:
    metadata:
      labels:
        app: gpt-4
    spec:
      containers:
      - name: gpt-4
        image: registry.example.com/team/gpt-4:1
        ports:
        - containerPort: 5000
---
apiVersion: v1
kind: Service
metadata:
  name: gpt-4
  namespace: team-space
  labels:
    app: gpt-4
spec:
  type: LoadBalancer
  selector:
    app: gpt-4
  ports:
  - protocol: TCP
    port: 80
    targetPort: 5000
"""


def without_ours(node: Any) -> Any:
    """The document without labels and annotations of ours, in selectors too, and without maps that held only these."""
    if isinstance(node, list):
        return [without_ours(item) for item in node]
    if not isinstance(node, dict):
        return node
    left = {}
    for key, value in node.items():
        if key.startswith(("app.kubernetes.io/", "llmdash.io/")):
            continue
        kept = without_ours(value)
        if kept != {} or value == {}:
            left[key] = kept
    return left


def test_the_plain_case_is_what_a_person_would_write() -> None:
    made = build(workload("gpt-4", **PLAIN))
    assert [without_ours(manifest) for manifest in made] == list(yaml.safe_load_all(BY_HAND))


def test_our_labels_and_annotations_stand_only_under_our_prefixes() -> None:
    for manifest in build(workload("gpt-4", **PLAIN)):
        for part in ("labels", "annotations"):
            for key in manifest["metadata"].get(part, {}):
                assert key == "app" or key.startswith(("app.kubernetes.io/", "llmdash.io/"))


@pytest.mark.parametrize("key", ["probe", "resources", "env", "volume", "strategy", "command", "args", "toleration"])
def test_the_plain_case_says_nothing_that_was_not_asked_for(key: str) -> None:
    manifests = build(workload("gpt-4", **PLAIN))
    for manifest in manifests:
        manifest["metadata"]["annotations"].pop(labels.SPEC, None)
    assert key not in str(manifests).lower()
