"""Where a live object differs from what was applied, and who did it."""

import json
from typing import Any

import pytest

from deployments.comparison import same
from monitoring.drift import differences
from monitoring.objects import Loose
from tests.monitoring.samples import Json, loose

LABELS = {"app": "qwen", "llmdash.io/deployment-id": "x"}
CONTAINER: Json = {
    "name": "vllm",
    "image": "vllm/vllm-openai:v0.19.1",
    "args": ["--model", "Qwen/Qwen3-8B"],
    "env": [{"name": "HF_HOME", "value": "/cache"}, {"name": "LEVEL", "value": "1"}],
    "ports": [{"name": "http", "containerPort": 8000}],
    "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi", "nvidia.com/gpu": "1"}},
}


def manifest(kind: str = "Deployment", **parts: Any) -> Json:
    return {"kind": kind, "metadata": {"name": "qwen", "labels": LABELS}} | (parts or {"spec": spec()})


def spec(replicas: int = 2, **container: Any) -> Json:
    return {"replicas": replicas, "template": {"spec": {"containers": [CONTAINER | container]}}}


def as_served(**container: Any) -> Json:
    """The spec as the API server gives it back: with defaults, and quantities in its own spelling."""
    given = {
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "1"}},
    }
    found = spec(**given | container)
    found["template"]["spec"] |= {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst"}
    return found | {"revisionHistoryLimit": 10, "strategy": {"type": "RollingUpdate"}}


def live(served: Json | None = None, *, managed: list[Json] | None = None, **labels: str) -> Loose:
    return loose(spec=served or as_served(), labels=LABELS | labels, managed=managed or [])


def fields(found: list[dict[str, Any]]) -> list[tuple[str, Any, Any]]:
    return [(item["field"], item["wanted"], item["live"]) for item in found]


PLACE = "spec.template.spec.containers.vllm"


def test_what_the_api_server_adds_or_spells_otherwise_is_no_drift() -> None:
    assert differences(manifest(), live()) == []


def test_what_others_add_is_theirs() -> None:
    served = as_served(env=[*CONTAINER["env"], {"name": "INJECTED", "value": "x"}])
    served["template"]["spec"]["containers"].append({"name": "istio-proxy"})
    assert differences(manifest(), live(served, team="research")) == []


def test_a_changed_number_is_drift_with_both_values() -> None:
    (found,) = differences(manifest(), live(as_served() | {"replicas": 7}))
    field = {"object": "Deployment/qwen", "field": "spec.replicas"}
    assert found == field | {"wanted": 2, "live": 7, "rival": "", "rewritten": False}


def test_what_the_api_server_made_of_our_write_is_marked_while_it_stands() -> None:
    known = [{"field": "spec.replicas", "wanted": 2, "live": 7}]
    for replicas, marked in ((7, True), (8, False)):
        (found,) = differences(manifest(), live(as_served() | {"replicas": replicas}), known)
        assert found["rewritten"] is marked


@pytest.mark.parametrize(("limit", "drifts"), [("500m", False), (".5", False), ("5e-1", False), ("600m", True)])
def test_a_quantity_is_compared_by_its_value(limit: str, drifts: bool) -> None:
    resources = {"limits": {"cpu": limit, "memory": "1Gi", "nvidia.com/gpu": "1"}}
    found = differences(manifest(), live(as_served(resources=resources)))
    assert [item["field"] for item in found] == ([f"{PLACE}.resources.limits.cpu"] if drifts else [])


def test_text_that_only_looks_like_a_quantity_is_compared_as_text() -> None:
    env = [CONTAINER["env"][0], {"name": "LEVEL", "value": "1000m"}]
    assert fields(differences(manifest(), live(as_served(env=env)))) == [(f"{PLACE}.env.LEVEL.value", "1", "1000m")]
    config = loose("ConfigMap", data={"limit": "1.0"}, labels=LABELS)
    assert fields(differences(manifest("ConfigMap", data={"limit": "1"}), config)) == [("data.limit", "1", "1.0")]


def test_variables_are_compared_by_name_whatever_their_order() -> None:
    assert differences(manifest(), live(as_served(env=CONTAINER["env"][::-1]))) == []
    gone = differences(manifest(), live(as_served(env=CONTAINER["env"][:1])))
    assert fields(gone) == [(f"{PLACE}.env.LEVEL", {"name": "LEVEL", "value": "1"}, None)]


def test_two_mounts_of_one_volume_are_told_apart_by_their_places() -> None:
    mounts = [
        {"name": "files", "mountPath": "/a", "subPath": "0"},
        {"name": "files", "mountPath": "/b", "subPath": "1"},
    ]
    wanted = manifest(spec=spec(volumeMounts=mounts))
    assert differences(wanted, live(as_served(volumeMounts=mounts[::-1]))) == []
    moved = [mounts[0], mounts[1] | {"subPath": "9"}]
    key = 'k:{"mountPath":"/b"}'
    rival = owner("kubectl-edit", in_container({"f:volumeMounts": {key: {".": {}, "f:subPath": {}}}}))
    (found,) = differences(wanted, live(as_served(volumeMounts=moved), managed=[rival]))
    assert (found["field"], found["live"], found["rival"]) == (f"{PLACE}.volumeMounts./b.subPath", "9", "kubectl-edit")


def test_arguments_are_compared_one_by_one_or_as_a_whole() -> None:
    one = differences(manifest(), live(as_served(args=["--model", "other"])))
    assert fields(one) == [(f"{PLACE}.args.1", "Qwen/Qwen3-8B", "other")]
    more = differences(manifest(), live(as_served(args=[*CONTAINER["args"], "--x"])))
    assert fields(more) == [(f"{PLACE}.args", CONTAINER["args"], [*CONTAINER["args"], "--x"])]


def test_a_removed_container_is_one_difference() -> None:
    served = as_served(name="other")
    found = differences(manifest(), live(served))
    assert [item["field"] for item in found] == [PLACE]


def test_a_removed_or_changed_label_is_drift() -> None:
    found = loose(spec=as_served(), labels={"app": "else"})
    assert fields(differences(manifest(), found)) == [
        ("metadata.labels.app", "qwen", "else"),
        ("metadata.labels.llmdash.io/deployment-id", "x", None),
    ]


def test_a_removed_file_of_a_config_map_is_drift() -> None:
    wanted = manifest("ConfigMap", data={"a": "1", "b": "2"})
    assert fields(differences(wanted, loose("ConfigMap", data={"a": "1"}, labels=LABELS))) == [("data.b", "2", None)]
    assert fields(differences(wanted, loose("ConfigMap", data=None, labels=LABELS))) == [
        ("data.a", "1", None), ("data.b", "2", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("wanted", "found"), [("", None), ([], None), ({}, None), (False, None), (None, "")])
def test_empty_and_absent_are_one(wanted: Any, found: Any) -> None:
    assert same(wanted, found)


def test_zero_replicas_are_not_the_same_as_one() -> None:
    assert not same(0, 1)
    assert not same(1, None)
    assert not same("1", None)


# ---- who did it


def owner(manager: str, held: Json) -> Json:
    """An entry of managedFields as the API server writes it."""
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": held,
    }


def in_container(held: Json, name: str = "vllm") -> Json:
    key = "k:" + json.dumps({"name": name}, separators=(",", ":"))
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {key: {".": {}} | held}}}}}


OURS = owner("llmdash", {"f:spec": {"f:replicas": {}}})


def rival_of(served: Json, *managed: Json) -> list[str]:
    return [item["rival"] for item in differences(manifest(), live(served, managed=list(managed)))]


def test_the_rival_is_who_owns_the_field_besides_us() -> None:
    kubectl = owner("kubectl-edit", {"f:spec": {"f:replicas": {}}})
    assert rival_of(as_served() | {"replicas": 7}, OURS, kubectl) == ["kubectl-edit"]


def test_a_rival_inside_a_container_is_found_by_the_containers_name() -> None:
    served = as_served(image="evil:1")
    rival = owner("kubectl-set", in_container({"f:image": {}}))
    bystander = owner("sidecar-injector", in_container({"f:image": {}}, "istio-proxy"))
    assert rival_of(served, bystander, OURS, rival) == ["kubectl-set"]
    assert rival_of(served, bystander, OURS) == [""]


def test_a_rival_of_a_variable_or_a_port_is_found() -> None:
    env = [{"name": "HF_HOME", "value": "/cache"}, {"name": "LEVEL", "value": "9"}]
    held: Json = {"f:env": {'k:{"name":"LEVEL"}': {".": {}, "f:name": {}, "f:value": {}}}}
    assert rival_of(as_served(env=env), owner("kubectl-set", in_container(held))) == ["kubectl-set"]
    ports = [{"name": "http", "containerPort": 9000}]
    held = {"f:ports": {'k:{"containerPort":9000,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:name": {}}}}
    assert rival_of(as_served(ports=ports), owner("kubectl-edit", in_container(held))) == ["kubectl-edit"]


def test_a_rival_of_an_atomic_list_is_found() -> None:
    served = as_served(args=["--model", "other"])
    assert rival_of(served, owner("kubectl-edit", in_container({"f:args": {}}))) == ["kubectl-edit"]


@pytest.mark.parametrize("odd", [None, {}, {"f:spec": None}])
def test_managed_fields_that_say_nothing_name_nobody(odd: Any) -> None:
    assert rival_of(as_served() | {"replicas": 7}, owner("odd", odd)) == [""]
