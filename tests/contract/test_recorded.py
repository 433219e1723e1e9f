"""The recorded conversation is held again, word for word, with both clusters: what they answer is what was recorded."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from llmdash.sandbox import recording
from tests.contract.simulated import Simulated
from tests.controlplane import manifests
from tests.controlplane.fixtures import shared_or_skip
from tests.controlplane.plane import ControlPlane
from tests.controlplane.recording import answers, errors, scenarios, workloads
from tests.controlplane.recording.cluster import APPS, CORE, Cluster

Json = dict[str, Any]
LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
# What differs from run to run, and what to write instead.
VARYING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r'"resourceVersion": "\d+"', '"resourceVersion": "N"'),
    (rf"-{LETTERS}{{6,10}}-{LETTERS}{{5}}\b", "-HASH-POD"),
    (rf"-{LETTERS}{{6,10}}\b", "-HASH"),
    (rf"(kube-api-access|generated)-{LETTERS}{{5}}\b", r"\1-RANDOM"),
    (rf'"pod-template-hash": "{LETTERS}+"', '"pod-template-hash": "HASH"'),
    (r"-----BEGIN.*?END CERTIFICATE-----\\n", "PEM"),
    (r"(too old resource version: 1 \(|current: )\d+", r"\1N"),
    (r'"nodeName": "node-\d"', '"nodeName": "NODE"'),
    (r"continue=[\w-]{40,}", "continue=TOKEN"),
    (r'"continue": "\w+"', '"continue": "TOKEN"'),
    (r'"remainingItemCount": \d+', '"remainingItemCount": 0'),
)
# How far a rollout has come when the answer is written, and who wrote last, is a matter of milliseconds.
RACING = {"status", "managedFields", "annotations", "conditions", "resourceVersion", "cells"}
REFUSALS = (
    "not-found", "not-found-on-delete", "not-found-on-patch", "no-such-namespace", "no-such-resource", "no-such-group",
    "no-such-subresource", "method-not-allowed", "already-exists", "stale-resource-version", "apply-conflict",
    "wrong-uid", "delete-precondition", "json-patch-test-failed", "invalid-fields", "invalid-name", "required-field",
    "immutable-field", "request-over-limit", "invalid-quantity", "negative-scale", "name-mismatch",
    "bad-label-selector", "bad-field-selector", "bad-resource-version", "unknown-field", "unknown-field-warned",
    "unknown-field-applied", "duplicate-field", "wrong-type", "not-json", "wrong-kind", "no-name",
    "unsupported-media-type", "not-acceptable", "apply-without-manager", "bad-dry-run", "unauthorized", "forbidden",
    "forbidden-one", "forbidden-cluster-wide", "forbidden-subresource", "forbidden-path", "forbidden-impersonation",
    "forbidden-impersonated", "quota-exceeded", "namespace-terminating", "log-unscheduled", "log-no-such-container",
    "log-kubelet-unreachable", "log-absent", "eviction-over-budget", "future-resource-version", "broken-continue",
)  # fmt: skip
STILL = (
    "dry-run-create", "generate-name", "apply-creates", "scale-get", "scale-patch", "list-empty", "list-page",
    "watch-initial-events", "watch-from-now", "access-allowed", "access-denied", "who-am-i", "delete-background",
    "delete-collection",
)  # fmt: skip
MOVING = ("apply-again", "apply-forced", "strategic-merge", "merge-patch", "json-patch", "status-get", "table-of-one",
          "delete-foreground", "delete-graceful-pod")  # fmt: skip


@pytest.fixture(scope="module", params=["real", "sandbox"])
def conversation(request: pytest.FixtureRequest) -> Iterator[dict[str, Json]]:
    """Everything that was said, by name; in clusters of their own, since it counts nodes and restarts nothing."""
    place: Any = shared_or_skip(ControlPlane if request.param == "real" else Simulated)
    with place, Cluster(place) as cluster:
        yield dict(hold(cluster))


def hold(cluster: Cluster) -> Iterator[tuple[str, Json]]:
    """The recording's own requests, in its order."""
    scheduling = {"no-nodes": scenarios._unschedulable(cluster, "no-nodes", {}), **scenarios._play_scheduling(cluster)}
    yield from ((f"scheduling/{name}", said) for name, said in scheduling.items())
    workloads.create_objects(cluster)
    workloads.roll_out(cluster)
    huge = {"container": workloads.resources(manifests.GPU, "8")}
    late = manifests.deployment("late", replicas=2, pod=huge, progressDeadlineSeconds=2)
    cluster.create(f"{APPS}/deployments", late)
    cluster.wait_condition("late", "ProgressDeadlineExceeded")
    meta = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "first"}}
    cluster.create("/apis/scheduling.k8s.io/v1/priorityclasses", meta | {"value": 1000})
    tolerant = {"container": workloads.resources(manifests.GPU, "2"), "tolerations": [{"operator": "Exists"}]}
    first = manifests.deployment("ousting", pod={**tolerant, "priorityClassName": "first"})
    cluster.create(f"{APPS}/deployments", first)
    cluster.run_pods("ousting", 1)
    workloads.lose_a_node(cluster)
    yield "events", {"items": scenarios._one_of_each(scenarios._events(cluster))}
    yield "histories", dict(cluster.histories)
    yield from answers.record(cluster).items()
    cluster.create(errors.MAPS, manifests.config_map("taken", word="first"))
    for part in (errors._absent, errors._conflicts, errors._invalid, errors._malformed, errors._denied, errors._pods):
        yield from part(cluster).items()
    yield "future-resource-version", cluster.exchange("GET", f"{CORE}/pods?resourceVersion=99999999&timeoutSeconds=1")
    yield "broken-continue", cluster.exchange("GET", f"{CORE}/pods?limit=1&continue=nonsense")


def steady(said: Any) -> Any:
    """Without what differs from run to run."""
    text = json.dumps(said, sort_keys=True)
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text)
    return json.loads(text)


def calm(said: Any) -> Any:
    """Without what is a matter of milliseconds."""
    if isinstance(said, dict):
        return {key: calm(value) for key, value in said.items() if key not in RACING}
    return [calm(one) for one in said] if isinstance(said, list) else said


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_the_recorded_one(conversation: dict[str, Json], name: str) -> None:
    assert steady(conversation[name]) == steady(recording.load("errors")[name])


@pytest.mark.parametrize("name", STILL)
def test_an_answer_is_the_recorded_one(conversation: dict[str, Json], name: str) -> None:
    found, expected = steady(conversation[name]), steady(recording.load("answers")[name])
    if name.startswith("scale"):
        found["body"].pop("status"), expected["body"].pop("status")
    assert found == expected


@pytest.mark.parametrize("name", MOVING)
def test_an_answer_is_the_recorded_one_but_for_what_races(conversation: dict[str, Json], name: str) -> None:
    assert calm(steady(conversation[name])) == calm(steady(recording.load("answers")[name]))


@pytest.mark.parametrize("name", [*scenarios.UNSCHEDULABLE, "no-nodes", "one-cordoned"])
def test_the_scheduler_says_what_was_recorded(conversation: dict[str, Json], name: str) -> None:
    assert steady(conversation[f"scheduling/{name}"]) == steady(recording.load("messages")["scheduling"][name])


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("ScalingReplicaSet", "Deployment"),
        ("SuccessfulCreate", "ReplicaSet"),
        ("SuccessfulDelete", "ReplicaSet"),
        ("Scheduled", "Pod"),
        ("FailedScheduling", "Pod"),
        ("NodeNotReady", "Node"),
        ("NodeNotReady", "Pod"),
        ("RegisteredNode", "Node"),
        ("TaintManagerEviction", "Pod"),
    ],
)
def test_an_event_has_the_recorded_shape(conversation: dict[str, Json], reason: str, kind: str) -> None:
    def of(events: list[Json]) -> Json:
        found = next(one for one in events if (one["reason"], one["involvedObject"]["kind"]) == (reason, kind))
        varying = {"message", "metadata", "count", "series", "reportingInstance"}
        shape = {key: value for key, value in steady(found).items() if key not in varying}
        shape["involvedObject"] = sorted(shape["involvedObject"])
        return shape

    assert of(conversation["events"]["items"]) == of(recording.load("messages")["events"])


@pytest.mark.parametrize("name", ["served", "gated"])
def test_a_deployment_goes_through_the_recorded_conditions(conversation: dict[str, Json], name: str) -> None:
    def of(history: list[Json]) -> set[tuple[str, ...]]:
        return {
            (one["type"], one["status"], one["reason"], one["message"])
            for seen in steady(history)
            for one in seen["status"].get("conditions", ())
        }

    assert of(conversation["histories"][name]) == of(recording.load("messages")["histories"][name])
