"""Lists, tables and selectors."""

from typing import Any

import pytest

from tests.contract.space import Space, config_map, gpus, workload

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@pytest.fixture
def maps(space: Space) -> Space:
    for name, labels in (("a", {"tier": "gold"}), ("b", {"tier": "tin", "old": "yes"}), ("c", {})):
        space.send("POST", f"{space.core}/configmaps", config_map(name, labels, word=name))
    return space


def names(space: Space, *arguments: str) -> str:
    found = [one["metadata"]["name"] for one in space.items("configmaps", *arguments)]
    return "".join(name for name in found if len(name) == 1)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("tier=gold", "a"),
        ("tier==gold", "a"),
        ("tier!=gold", "bc"),
        ("tier in (gold,tin)", "ab"),
        ("tier notin (gold)", "bc"),
        ("old", "b"),
        ("!old", "ac"),
        ("tier,old=yes", "b"),
        ("tier in (gold, tin),!old", "a"),
    ],
)
def test_label_selectors_choose_what_they_say(maps: Space, selector: str, expected: str) -> None:
    assert names(maps, "-l", selector) == expected


def test_a_field_selector_chooses_by_name(maps: Space) -> None:
    assert names(maps, "--field-selector", "metadata.name=b") == "b"
    assert names(maps, "--field-selector", "metadata.name!=b") == "ac"


def test_pods_are_selected_by_phase_and_node(space: Space) -> None:
    space.apply(workload("runs"))
    space.apply(workload("waits", container=gpus(64)))
    space.kubectl("rollout", "status", "deploy/runs", "--timeout=60s")
    running = space.items("pods", "--field-selector", "status.phase=Running")
    assert [one["metadata"]["labels"]["app"] for one in running] == ["runs"]
    node = running[0]["spec"]["nodeName"]
    assert space.items("pods", "--field-selector", f"spec.nodeName={node}") == running
    assert len(space.items("pods", "--field-selector", "spec.nodeName=")) == 1


def test_pages_give_everything_once_even_while_things_change(maps: Space) -> None:
    first = maps.send("GET", f"{maps.core}/configmaps?limit=2").json()
    assert len(first["items"]) == 2
    assert first["metadata"]["remainingItemCount"] == 2
    maps.send("DELETE", f"{maps.core}/configmaps/c")
    maps.send("POST", f"{maps.core}/configmaps", config_map("bb"))
    token = first["metadata"]["continue"]
    second = maps.send("GET", f"{maps.core}/configmaps?limit=2&continue={token}").json()
    assert [one["metadata"]["name"] for one in first["items"] + second["items"]] == ["a", "b", "c", "kube-root-ca.crt"]
    assert "continue" not in second["metadata"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_kubectl_reads_in_chunks(maps: Space) -> None:
    assert names(maps, "--chunk-size=1") == "abc"


def test_a_list_of_an_unknown_field_is_refused(maps: Space) -> None:
    answer = maps.send("GET", f"{maps.core}/pods?fieldSelector=spec.nonsense%3Dx")
    assert (answer.status_code, answer.json()["message"]) == (400, "field label not supported: spec.nonsense")


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("deploy", "NAME READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR"),
        ("rs", "NAME DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR"),
        ("pods", "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"),
        ("cm", "NAME DATA AGE"),
        ("sa", "NAME AGE"),
        ("events", "LAST SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME"),
        ("nodes", "NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME"),
        ("ns", "NAME STATUS AGE"),
    ],
)
def test_tables_have_the_columns_that_people_know(space: Space, kind: str, header: str) -> None:
    space.apply(workload("shown"))
    space.kubectl("rollout", "status", "deploy/shown", "--timeout=60s")
    assert " ".join(space.kubectl("get", kind, "-o", "wide").splitlines()[0].split()) == header


def test_a_row_says_what_the_object_is(space: Space) -> None:
    space.apply(workload("shown", replicas=2))
    space.kubectl("rollout", "status", "deploy/shown", "--timeout=60s")
    row = space.kubectl("get", "deploy", "shown", "--no-headers", "-o", "wide").split()
    assert row[:4] == ["shown", "2/2", "2", "2"]
    assert row[5:] == ["main", "registry.example/app:1", "app=shown"]
    pods = [line.split() for line in space.kubectl("get", "pods", "--no-headers").splitlines()]
    assert [pod[1:4] for pod in pods] == [["1/1", "Running", "0"]] * 2


def test_a_table_of_one_has_metadata_in_its_row(maps: Space) -> None:
    found = maps.send("GET", f"{maps.core}/configmaps/a", Accept=TABLE).json()
    assert found["kind"] == "Table"
    assert found["rows"][0]["cells"][:2] == ["a", 1]
    assert found["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert "data" not in found["rows"][0]["object"]


def test_metadata_alone_shows_no_secret(space: Space) -> None:
    body: dict[str, Any] = {"metadata": {"name": "hidden"}, "stringData": {"word": "secret"}}
    made = space.send("POST", f"{space.core}/secrets", body, Accept=PARTIAL)
    assert made.status_code == 201
    found = space.send("GET", f"{space.core}/secrets/hidden", Accept=PARTIAL).json()
    assert found.keys() == {"kind", "apiVersion", "metadata"}
    assert found["kind"] == "PartialObjectMetadata"


def test_lists_in_yaml_are_yaml(maps: Space) -> None:
    answer = maps.send("GET", f"{maps.core}/configmaps", Accept="application/yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert "kind: ConfigMapList" in answer.text


def test_kubectl_explains_and_lists_kinds(space: Space) -> None:
    assert "replicas" in space.kubectl("explain", "deployment.spec")
    kinds = space.kubectl("api-resources", "-o", "name").split()
    assert {"pods", "deployments.apps", "leases.coordination.k8s.io"} <= set(kinds)


def test_an_unknown_kind_is_told_by_kubectl(space: Space) -> None:
    assert 'the server doesn\'t have a resource type "nonsense"' in space.kubectl("get", "nonsense", check=False)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez"])
def test_health_is_ok(space: Space, path: str) -> None:
    assert (space.http.get(path).status_code, space.http.get(path).text) == (200, "ok")


def test_events_are_told_by_kubectl(space: Space) -> None:
    space.apply(workload("told"))
    space.kubectl("rollout", "status", "deploy/told", "--timeout=60s")
    shown = space.wait(lambda: (text := space.kubectl("events", "--for", "deployment/told")) and text)
    assert "Scaled up replica set told-" in shown
    space.wait(lambda: {"Scheduled", "Started"} <= space.reasons("Pod"))
    newer = space.send("GET", f"/apis/events.k8s.io/v1/namespaces/{space.name}/events").json()["items"]
    assert any(one.get("note", "").startswith("Successfully assigned") for one in newer)
