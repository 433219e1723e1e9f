"""Create, replace and the three plain patches; versions, generations and subresources."""

from typing import Any

from tests.contract.space import Json, Space, config_map, workload

JSON, MERGE, STRATEGIC = (f"application/{kind}+json" for kind in ("json-patch", "merge-patch", "strategic-merge-patch"))


def web(space: Space, **more: Any) -> str:
    """A Deployment without pods."""
    space.send("POST", f"{space.apps}/deployments", workload("web", replicas=0, **more))
    return f"{space.apps}/deployments/web"


def container(found: Json) -> Json:
    one: Json = found["spec"]["template"]["spec"]["containers"][0]
    return one


def test_kubectl_creates_replaces_and_labels(space: Space) -> None:
    assert space.kubectl("create", "-f", "-", given=config_map("m", a="1")) == "configmap/m created\n"
    assert space.kubectl("replace", "-f", "-", given=config_map("m", a="2")) == "configmap/m replaced\n"
    assert space.kubectl("label", "configmap", "m", "tier=gold") == "configmap/m labeled\n"
    assert space.kubectl("annotate", "configmap", "m", "note=x") == "configmap/m annotated\n"
    found = space.get("configmap", "m")
    assert (found["data"], found["metadata"]["labels"]) == ({"a": "2"}, {"tier": "gold"})
    space.kubectl("label", "configmap", "m", "tier-")
    assert "labels" not in space.get("configmap", "m")["metadata"]


def test_a_name_is_generated(space: Space) -> None:
    body = config_map("")
    body["metadata"] = {"generateName": "made-"}
    found = space.send("POST", f"{space.core}/configmaps", body).json()
    assert len(found["metadata"]["name"]) == len("made-") + 5


def test_a_strategic_patch_merges_by_key_and_deletes_on_request(space: Space) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    path = web(space, container={"env": env})
    change = {"name": "main", "env": [{"name": "B", "$patch": "delete"}, {"name": "C", "value": "3"}]}
    body = {"spec": {"template": {"spec": {"containers": [change]}}}}
    found = space.send("PATCH", path, body, kind=STRATEGIC).json()
    assert {one["name"] for one in container(found)["env"]} == {"A", "C"}
    assert container(found)["image"] == "registry.example/app:1"


def test_a_strategic_patch_replaces_on_request_and_drops_nulls(space: Space) -> None:
    path = web(space, container={"env": [{"name": "A", "value": "1"}], "args": ["x", "y"]})
    change = {"name": "main", "args": None, "env": [{"$patch": "replace"}, {"name": "Z", "value": "1"}]}
    found = space.send("PATCH", path, {"spec": {"template": {"spec": {"containers": [change]}}}}, kind=STRATEGIC).json()
    assert [one["name"] for one in container(found)["env"]] == ["Z"]
    assert "args" not in container(found)


def test_a_strategy_is_changed_as_a_whole(space: Space) -> None:
    path = web(space)
    body = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    found = space.send("PATCH", path, body, kind=STRATEGIC).json()
    assert found["spec"]["strategy"] == {"type": "Recreate"}


def test_a_merge_patch_replaces_lists(space: Space) -> None:
    path = web(space, container={"env": [{"name": "A", "value": "1"}]})
    one = {"name": "other", "image": "registry.example/app:2"}
    body = {"spec": {"template": {"spec": {"containers": [one]}}}}
    found = space.send("PATCH", path, body, kind=MERGE).json()
    assert (container(found)["name"], len(found["spec"]["template"]["spec"]["containers"])) == ("other", 1)


def test_a_json_patch_adds_replaces_and_removes(space: Space) -> None:
    space.send("POST", f"{space.core}/configmaps", config_map("m", a="1", b="2"))
    operations = [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "replace", "path": "/data/a", "value": "9"},
        {"op": "remove", "path": "/data/b"},
        {"op": "add", "path": "/metadata/labels", "value": {"x/y": "z"}},
        {"op": "copy", "from": "/data/a", "path": "/data/c"},
        {"op": "replace", "path": "/metadata/labels/x~1y", "value": "w"},
    ]
    found = space.send("PATCH", f"{space.core}/configmaps/m", operations, kind=JSON).json()
    assert (found["data"], found["metadata"]["labels"]) == ({"a": "9", "c": "9"}, {"x/y": "w"})


def test_a_patch_may_carry_the_version_that_it_is_for(space: Space) -> None:
    made = space.send("POST", f"{space.core}/configmaps", config_map("m", a="1")).json()
    path, version = f"{space.core}/configmaps/m", made["metadata"]["resourceVersion"]
    body = {"metadata": {"resourceVersion": version}, "data": {"a": "2"}}
    assert space.send("PATCH", path, body, kind=MERGE).status_code == 200
    assert space.send("PATCH", path, body, kind=MERGE).status_code == 409


def test_a_change_that_changes_nothing_keeps_the_version(space: Space) -> None:
    made = space.send("POST", f"{space.core}/configmaps", config_map("m", a="1")).json()
    again = space.send("PATCH", f"{space.core}/configmaps/m", {"data": {"a": "1"}}, kind=MERGE).json()
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_the_generation_counts_changes_of_what_is_wanted(space: Space) -> None:
    path = web(space)
    space.wait(lambda: space.http.get(path).json()["status"].get("observedGeneration") == 1)
    assert (
        space.send("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, kind=MERGE).json()["metadata"]["generation"]
        == 1
    )
    assert space.send("PATCH", path, {"spec": {"paused": True}}, kind=MERGE).json()["metadata"]["generation"] == 2
    assert space.send("PATCH", path, {"status": {"replicas": 7}}, kind=MERGE).json()["metadata"]["generation"] == 2
    assert space.http.get(path).json()["status"].get("replicas") is None


def test_the_status_door_takes_only_the_status(space: Space) -> None:
    path = web(space)
    body = {"spec": {"replicas": 5}, "status": {"conditions": [{"type": "Mine", "status": "True"}]}}
    space.send("PATCH", f"{path}/status", body, kind=MERGE)
    found = space.http.get(path).json()
    assert found["spec"]["replicas"] == 0
    assert found["metadata"]["generation"] == 1


def test_scaling_goes_through_its_own_door(space: Space) -> None:
    web(space)
    assert space.kubectl("scale", "deploy/web", "--replicas=1") == "deployment.apps/web scaled\n"
    answer = space.kubectl("scale", "deploy/web", "--current-replicas=5", "--replicas=2", check=False)
    assert "Expected replicas to be 5, was 1" in answer
    scale = space.http.get(f"{space.apps}/deployments/web/scale").json()
    assert (scale["kind"], scale["spec"]["replicas"], scale["status"]["selector"]) == ("Scale", 1, "app=web")


def test_a_replaced_object_needs_the_version_it_was_read_at(space: Space) -> None:
    made = space.send("POST", f"{space.core}/configmaps", config_map("m", a="1")).json()
    path = f"{space.core}/configmaps/m"
    assert space.send("PUT", path, made | {"data": {"a": "2"}}).status_code == 200
    assert space.send("PUT", path, made | {"data": {"a": "3"}}).status_code == 409
    made["metadata"].pop("resourceVersion")
    assert space.send("PUT", path, made | {"data": {"a": "3"}}).json()["data"] == {"a": "3"}
    assert space.send("PUT", f"{space.core}/configmaps/none", config_map("none")).status_code == 404


def test_quantities_come_back_canonical(space: Space) -> None:
    limits = {"cpu": "0.5", "memory": "1024Mi", "ephemeral-storage": "1e3", "nvidia.com/gpu": 2}
    path = web(space, container={"resources": {"limits": limits}})
    found = container(space.http.get(path).json())["resources"]
    expected = {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1e3", "nvidia.com/gpu": "2"}
    assert found == {"limits": expected}
