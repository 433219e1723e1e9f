"""Apply, from the client and by the server, and who owns what."""

import json
from typing import Any

import pytest

from tests.contract.space import Json, Space, config_map, workload
from tests.controlplane.plane import KubectlFailed


def managers(found: Json) -> list[tuple[str, str]]:
    return [(one["manager"], one["operation"]) for one in found["metadata"]["managedFields"]]


def owned(found: Json, manager: str) -> Json:
    return next(one["fieldsV1"] for one in found["metadata"]["managedFields"] if one["manager"] == manager)


def place(space: Space, name: str) -> str:
    return f"{space.apps}/deployments/{name}"


def test_apply_creates_configures_and_leaves_alone(space: Space) -> None:
    assert space.apply(workload("web", replicas=0)) == "deployment.apps/web created\n"
    assert space.apply(workload("web", replicas=0)) == "deployment.apps/web unchanged\n"
    assert space.apply(workload("web", replicas=0, minReadySeconds=3)) == "deployment.apps/web configured\n"
    assert space.get("deploy", "web")["spec"]["minReadySeconds"] == 3
    space.apply(workload("web", replicas=0))
    assert "minReadySeconds" not in space.get("deploy", "web")["spec"]


def test_apply_merges_lists_by_their_keys(space: Space) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    space.apply(workload("web", replicas=0, container={"env": env}))
    space.kubectl("set", "env", "deploy/web", "C=3")
    space.apply(workload("web", replicas=0, container={"env": [{"name": "A", "value": "9"}]}))
    found = space.get("deploy", "web")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {one["name"]: one["value"] for one in found} == {"A": "9", "C": "3"}


def test_server_side_apply_says_what_it_did(space: Space) -> None:
    assert space.apply(workload("web", replicas=0), "--server-side") == "deployment.apps/web serverside-applied\n"
    found = space.send("GET", place(space, "web")).json()
    assert managers(found)[0] == ("kubectl", "Apply")
    assert owned(found, "kubectl")["f:spec"].keys() == {"f:replicas", "f:selector", "f:template"}


def test_a_conflict_names_the_manager_and_the_field(space: Space) -> None:
    space.apply(workload("web", replicas=0), "--server-side", "--field-manager=first")
    with pytest.raises(KubectlFailed) as failed:
        space.apply(workload("web", replicas=1), "--server-side", "--field-manager=second")
    assert 'Apply failed with 1 conflict: conflict with "first": .spec.replicas' in str(failed.value)
    assert "--force-conflicts" in str(failed.value)
    space.apply(workload("web", replicas=0, minReadySeconds=1), "--server-side", "--field-manager=second")
    space.apply(workload("web", replicas=1), "--server-side", "--field-manager=second", "--force-conflicts")
    found = space.send("GET", place(space, "web")).json()
    assert "f:replicas" in owned(found, "second")["f:spec"]
    assert "f:replicas" not in owned(found, "first")["f:spec"]
    assert "minReadySeconds" not in found["spec"]


def test_a_conflict_with_an_updater_names_its_version(space: Space) -> None:
    space.server_apply(place(space, "web"), workload("web", replicas=0), "ours")
    space.kubectl("set", "image", "deploy/web", "main=registry.example/app:2", "--field-manager=kubectl-set")
    answer = space.server_apply(place(space, "web"), workload("web", replicas=0), "ours")
    assert answer.status_code == 409
    said = answer.json()
    field = '.spec.template.spec.containers[name="main"].image'
    assert said["message"] == f'Apply failed with 1 conflict: conflict with "kubectl-set" using apps/v1: {field}'
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl-set" using apps/v1', "field": field}
    assert said["details"] == {"causes": [cause]}


def test_several_conflicts_are_listed(space: Space) -> None:
    space.server_apply(f"{space.core}/configmaps/m", config_map("m", a="1", b="1"), "first")
    answer = space.server_apply(f"{space.core}/configmaps/m", config_map("m", a="2", b="2"), "second")
    assert answer.json()["message"] == 'Apply failed with 2 conflicts: conflicts with "first":\n- .data.a\n- .data.b'


def test_a_scale_conflict_names_its_subresource(space: Space) -> None:
    space.server_apply(place(space, "web"), workload("web", replicas=1), "ours")
    space.kubectl("scale", "deploy/web", "--replicas=2")
    answer = space.server_apply(place(space, "web"), workload("web", replicas=1), "ours")
    wanted = 'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'
    assert answer.json()["message"] == f"Apply failed with 1 conflict: {wanted}"


def test_what_is_applied_no_more_goes_unless_another_owns_it(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    space.server_apply(path, config_map("m", mine="1", both="1"), "first")
    space.server_apply(path, config_map("m", both="1"), "second")
    answer = space.server_apply(path, config_map("m"), "first")
    assert answer.json()["data"] == {"both": "1"}
    answer = space.server_apply(path, config_map("m"), "second")
    assert "data" not in answer.json()


def test_applying_the_same_again_changes_nothing(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    first = space.server_apply(path, config_map("m", a="1"), "ours")
    again = space.server_apply(path, config_map("m", a="1"), "ours")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_shared_values_are_owned_together(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    space.server_apply(path, config_map("m", a="1"), "first")
    found = space.server_apply(path, config_map("m", a="1"), "second").json()
    assert sorted(managers(found)) == [("first", "Apply"), ("second", "Apply")]
    times = {one["manager"]: one.get("time") for one in found["metadata"]["managedFields"]}
    assert times["second"] is None  # it changed nothing


def test_list_items_of_two_appliers_stand_side_by_side(space: Space) -> None:
    def with_port(number: int) -> Json:
        port = {"name": f"p{number}", "port": number}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [port]}}

    path = f"{space.core}/services/s"
    space.server_apply(path, with_port(80), "first")
    found = space.server_apply(path, with_port(81), "second").json()
    assert [one["port"] for one in found["spec"]["ports"]] == [80, 81]
    assert list(owned(found, "second")["f:spec"]["f:ports"]) == ['k:{"port":81,"protocol":"TCP"}']
    empty = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    found = space.server_apply(path, empty, "first").json()
    assert [one["port"] for one in found["spec"]["ports"]] == [81]


def test_finalizers_are_a_set(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    for manager in ("first", "second"):
        meta = {"name": "m", "finalizers": [f"example.com/{manager}"]}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
        found = space.server_apply(path, manifest, manager).json()
    assert found["metadata"]["finalizers"] == ["example.com/first", "example.com/second"]
    space.send("PATCH", path, {"metadata": {"finalizers": None}}, kind="application/merge-patch+json")


def test_a_stale_version_is_refused_even_with_force(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    first = space.server_apply(path, config_map("m", a="1"), "ours").json()
    space.server_apply(path, config_map("m", a="2"), "ours")
    late = config_map("m", a="3")
    late["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"]
    answer = space.server_apply(path, late, "ours", force=True)
    assert answer.status_code == 409
    assert "causes" not in (answer.json().get("details") or {})
    assert "the object has been modified" in answer.json()["message"]


def test_an_applied_object_with_a_version_must_exist(space: Space) -> None:
    manifest = config_map("m")
    manifest["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    answer = space.server_apply(f"{space.core}/configmaps/m", manifest, "ours")
    assert answer.status_code == 409


def test_even_an_empty_map_is_owned_by_who_applied_it(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    space.server_apply(path, config_map("m"), "first")
    answer = space.server_apply(path, config_map("m"), "second")
    assert answer.json()["message"] == 'Apply failed with 1 conflict: conflict with "first": .data'


def test_an_object_that_nobody_owns_is_owned_from_the_first_apply_on(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    space.send("POST", f"{space.core}/configmaps", {"metadata": {"name": "m"}})
    found = space.send("PATCH", path, {"data": {"a": "1"}}, kind="application/merge-patch+json").json()
    assert "managedFields" not in found["metadata"]
    answer = space.server_apply(path, config_map("m", a="2"), "ours")
    assert answer.json()["message"].endswith('conflict with "before-first-apply" using v1: .data.a')


def test_a_dry_run_stores_nothing(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    manifest = config_map("m", a="1")
    answer = space.send("PATCH", f"{path}?fieldManager=x&dryRun=All", manifest, kind="application/apply-patch+yaml")
    assert answer.status_code == 201
    assert answer.json()["data"] == {"a": "1"}
    assert space.http.get(path).status_code == 404
    space.server_apply(path, manifest, "x")
    changed = config_map("m", a="2")
    answer = space.send("PATCH", f"{path}?fieldManager=x&dryRun=All", changed, kind="application/apply-patch+yaml")
    assert answer.json()["data"] == {"a": "2"}
    assert space.http.get(path).json()["data"] == {"a": "1"}


def test_kubectl_diff_shows_the_difference(space: Space) -> None:
    space.apply(config_map("m", a="1"))
    shown = space.kubectl("diff", "-f", "-", given=config_map("m", a="2"), check=False)
    assert '-  a: "1"' in shown
    assert '+  a: "2"' in shown


def test_kubectl_moves_from_client_to_server_apply(space: Space) -> None:
    space.apply(config_map("m", a="1", b="1"))
    space.apply(config_map("m", a="2"), "--server-side")
    found = space.send("GET", f"{space.core}/configmaps/m").json()
    assert found["data"] == {"a": "2"}
    assert ("kubectl", "Apply") in managers(found)


def test_an_unknown_field_is_refused_by_name(space: Space) -> None:
    with pytest.raises(KubectlFailed, match=r'unknown field "spec\.replicsa"'):
        space.apply(workload("web", replicsa=1))
    answer = space.server_apply(place(space, "web"), workload("web", replicsa=1), "ours")
    assert ".spec.replicsa: field not declared in schema" in answer.json()["message"]


def test_managed_fields_may_be_cleared(space: Space) -> None:
    path = f"{space.core}/configmaps/m"
    space.server_apply(path, config_map("m", a="1"), "ours")
    cleared: Any = [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]
    answer = space.send("PATCH", path, cleared, kind="application/json-patch+json")
    assert "managedFields" not in answer.json()["metadata"]
    assert json.loads(answer.text)["data"] == {"a": "1"}


def test_secrets_written_as_text_come_back_encoded(space: Space) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"word": "hello"}}
    found = space.server_apply(f"{space.core}/secrets/s", body, "ours").json()
    assert found["data"] == {"word": "aGVsbG8="}
    assert "stringData" not in found
    assert found["type"] == "Opaque"


@pytest.mark.parametrize("kind", ["deployments", "services", "configmaps", "secrets"])
def test_a_version_that_no_object_has_makes_one_and_wins_over_none(space: Space, kind: str) -> None:
    made: dict[str, Json] = {
        "deployments": workload("web", replicas=0),
        "services": {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}},
        "configmaps": config_map("web", a="1"),
        "secrets": {"apiVersion": "v1", "kind": "Secret", "data": {"a": "MQ=="}},
    }
    where = f"{space.apps if kind == 'deployments' else space.core}/{kind}/web"
    manifest = made[kind] | {"metadata": {"name": "web", "resourceVersion": "1"}}
    assert space.server_apply(where, manifest, "first").status_code == 201
    before = space.send("GET", where).json()
    for force in (False, True):
        again = space.server_apply(where, manifest, "first", force=force)
        said = again.json()
        assert (again.status_code, said["reason"], said.get("details", {}).get("causes")) == (409, "Conflict", None)
    after = space.send("GET", where).json()  # controllers may have written its status
    assert [after.get(part) for part in ("spec", "data")] == [before.get(part) for part in ("spec", "data")]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
