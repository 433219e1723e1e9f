"""How things end: propagation, finalizers, preconditions, grace."""

from typing import Any

import pytest

from tests.contract.space import Json, Space, config_map, workload

MERGE = "application/merge-patch+json"


def options(propagation: str, **more: Any) -> Json:
    return {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation, **more}


@pytest.fixture
def web(space: Space) -> Space:
    space.apply(workload("web", replicas=2))
    space.kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    return space


def test_foreground_takes_the_dependents_first(web: Space) -> None:
    path = f"{web.apps}/deployments/web"
    with (
        web.cluster.client() as client,
        client.stream("GET", f"{web.apps}/replicasets?watch=1&timeoutSeconds=30") as lines,
    ):
        answer = web.send("DELETE", path, options("Foreground"))
        assert answer.json()["metadata"]["finalizers"] == ["foregroundDeletion"]
        assert answer.json()["metadata"]["deletionGracePeriodSeconds"] == 0
        for line in lines.iter_lines():
            if '"type":"DELETED"' in line:
                break
    web.wait_gone(path)
    assert web.items("pods") == []


def test_background_takes_the_owner_first(web: Space) -> None:
    answer = web.send("DELETE", f"{web.apps}/deployments/web", options("Background"))
    assert (answer.json()["kind"], answer.json()["status"]) == ("Status", "Success")
    assert web.http.get(f"{web.apps}/deployments/web").status_code == 404
    web.wait(lambda: not web.items("pods") and not web.items("rs"))


def test_orphans_stay_and_lose_their_owner(web: Space) -> None:
    web.kubectl("delete", "deploy/web", "--cascade=orphan")
    [left] = web.items("rs")
    assert "ownerReferences" not in left["metadata"]
    assert len(web.items("pods")) == 2


def test_kubectl_waits_until_all_is_gone(web: Space) -> None:
    shown = web.kubectl("delete", "deploy/web", "--cascade=foreground", "--wait", "--timeout=60s")
    assert shown.startswith('deployment.apps "web" deleted')
    assert web.items("pods") == []


def test_a_pod_takes_its_time(web: Space) -> None:
    pod = web.items("pods")[0]["metadata"]["name"]
    web.send("PATCH", f"{web.core}/pods/{pod}", {"metadata": {"finalizers": ["example.com/stays"]}}, kind=MERGE)
    found = web.send("DELETE", f"{web.core}/pods/{pod}", {"gracePeriodSeconds": 20}).json()
    assert found["metadata"]["deletionGracePeriodSeconds"] == 20
    assert found["metadata"]["deletionTimestamp"] > found["metadata"]["creationTimestamp"]
    web.wait(lambda: "Terminating" in web.kubectl("get", "pod", pod) or "Completed" in web.kubectl("get", "pod", pod))
    web.send("PATCH", f"{web.core}/pods/{pod}", {"metadata": {"finalizers": None}}, kind=MERGE)
    web.wait_gone(f"{web.core}/pods/{pod}")


def test_a_pod_without_a_node_goes_at_once(space: Space) -> None:
    space.apply(workload("waits", pod={"nodeSelector": {"no": "where"}}))
    pod = space.wait(lambda: space.items("pods"))[0]["metadata"]["name"]
    space.kubectl("delete", "deploy", "waits", "--cascade=orphan")
    space.kubectl("delete", "rs", "--all", "--cascade=orphan")
    space.send("DELETE", f"{space.core}/pods/{pod}")
    assert space.http.get(f"{space.core}/pods/{pod}").status_code == 404


def test_a_finalizer_holds_an_object_until_it_is_taken_off(space: Space) -> None:
    manifest = config_map("m")
    manifest["metadata"]["finalizers"] = ["example.com/stays"]
    space.send("POST", f"{space.core}/configmaps", manifest)
    path = f"{space.core}/configmaps/m"
    found = space.send("DELETE", path).json()
    assert found["metadata"]["deletionTimestamp"]
    assert space.http.get(path).status_code == 200
    again = space.send("DELETE", path).json()
    assert again["metadata"]["deletionTimestamp"] == found["metadata"]["deletionTimestamp"]
    assert space.send("PATCH", path, {"metadata": {"finalizers": ["a.b/c"]}}, kind=MERGE).status_code == 422
    space.send("PATCH", path, {"metadata": {"finalizers": None}}, kind=MERGE)
    assert space.http.get(path).status_code == 404


def test_preconditions_are_kept(space: Space) -> None:
    made = space.send("POST", f"{space.core}/configmaps", config_map("m")).json()["metadata"]
    path = f"{space.core}/configmaps/m"
    assert space.send("DELETE", path, {"preconditions": {"resourceVersion": "1"}}).status_code == 409
    assert space.send("DELETE", path, {"preconditions": {"uid": "other"}}).status_code == 409
    kept = {"uid": made["uid"], "resourceVersion": made["resourceVersion"]}
    assert space.send("DELETE", path, {"preconditions": kept}).status_code == 200


def test_a_dry_run_deletes_nothing(space: Space) -> None:
    space.send("POST", f"{space.core}/configmaps", config_map("m"))
    assert space.send("DELETE", f"{space.core}/configmaps/m?dryRun=All").status_code == 200
    assert space.http.get(f"{space.core}/configmaps/m").status_code == 200


def test_a_collection_is_deleted_by_label(space: Space) -> None:
    for name in ("a", "b"):
        space.send("POST", f"{space.core}/configmaps", config_map(name, {"gone": "yes"}))
    space.send("POST", f"{space.core}/configmaps", config_map("c"))
    answer = space.send("DELETE", f"{space.core}/configmaps?labelSelector=gone").json()
    assert [one["metadata"]["name"] for one in answer["items"]] == ["a", "b"]
    assert {one["metadata"]["name"] for one in space.items("configmaps")} == {"c", "kube-root-ca.crt"}


def test_an_unknown_propagation_is_refused(space: Space) -> None:
    space.send("POST", f"{space.core}/configmaps", config_map("m"))
    answer = space.send("DELETE", f"{space.core}/configmaps/m", options("Sideways"))
    assert answer.status_code == 422


def test_a_namespace_goes_with_all_that_is_in_it(space: Space) -> None:
    name = f"{space.name}-inner"
    space.kubectl("create", "namespace", name)
    inner = f"/api/v1/namespaces/{name}"
    space.wait(lambda: space.http.get(f"{inner}/serviceaccounts/default").is_success)
    space.send("POST", f"{inner}/configmaps", config_map("m"))
    found = space.send("DELETE", inner).json()
    assert found["status"]["phase"] == "Terminating"
    space.wait_gone(inner)
    assert space.http.get(f"{inner}/configmaps/m").status_code == 404


def test_what_names_an_owner_that_is_not_there_is_removed(space: Space) -> None:
    manifest = config_map("m")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "00000000-0000-0000-0000-000000000000"}
    manifest["metadata"]["ownerReferences"] = [owner]
    space.send("POST", f"{space.core}/configmaps", manifest)
    space.wait_gone(f"{space.core}/configmaps/m")
