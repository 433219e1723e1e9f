"""ResourceQuotas: what is refused, in which words, and what is said to be used."""

from typing import Any

import httpx

from tests.contract.space import Json, Space, config_map, gpus, workload

GPUS = "requests.nvidia.com/gpu"


def limit(space: Space, name: str, hard: Json, **spec: Any) -> None:
    """A quota that counts."""
    meta = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}}
    answer = space.send("POST", f"{space.core}/resourcequotas", meta | {"spec": {"hard": hard} | spec})
    assert answer.status_code == 201, answer.text
    space.wait(lambda: "used" in status(space, name))


def status(space: Space, name: str) -> Json:
    found: Json = space.http.get(f"{space.core}/resourcequotas/{name}").json()["status"]
    return found


def use(space: Space, name: str, used: Json) -> None:
    """Wait until so much is said to be used."""
    space.wait(lambda: status(space, name)["used"] == used)


def pod(space: Space, name: str, *, query: str = "", **resources: Json) -> httpx.Response:
    containers = [{"name": "main", "image": "registry.example/app:1", "resources": resources}]
    body = {"metadata": {"name": name}, "spec": {"terminationGracePeriodSeconds": 1, "containers": containers}}
    return space.send("POST", f"{space.core}/pods{query}", body)


def refused(answer: httpx.Response) -> str:
    """The message of a refusal."""
    found = answer.json()
    assert (answer.status_code, found["reason"]) == (403, "Forbidden")
    return str(found["message"])


def test_a_pod_too_many_is_refused_and_room_comes_back(space: Space) -> None:
    limit(space, "few", {"pods": "1"})
    assert pod(space, "one").status_code == 201
    use(space, "few", {"pods": "1"})
    answer = pod(space, "two")
    why = "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"
    assert refused(answer) == f'pods "two" is forbidden: {why}'
    assert answer.json()["details"] == {"name": "two", "kind": "pods"}
    assert refused(pod(space, "three", query="?dryRun=All")) == f'pods "three" is forbidden: {why}'
    assert refused(pod(space, "one")) == f'pods "one" is forbidden: {why}'
    space.kubectl("delete", "pod", "one", "--wait=false")
    use(space, "few", {"pods": "0"})
    assert pod(space, "two").status_code == 201


def test_cpu_and_memory_have_to_be_named_and_are_counted(space: Space) -> None:
    hard = {"requests.cpu": "1500m", "requests.memory": "2Gi", "limits.cpu": "2", "limits.memory": "3Gi"}
    limit(space, "small", hard)
    assert refused(pod(space, "silent", requests={"cpu": "1"})) == (
        'pods "silent" is forbidden: failed quota: small: '
        "must specify limits.cpu for: main; limits.memory for: main; requests.memory for: main"
    )
    one = {"cpu": "1", "memory": "1Gi"}
    assert pod(space, "one", requests=one, limits=one).status_code == 201
    use(space, "small", {"requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "1", "limits.memory": "1Gi"})
    requests, limits = {"cpu": "600m", "memory": "512Mi"}, {"cpu": "1500m", "memory": "1Gi"}
    assert refused(pod(space, "more", requests=requests, limits=limits)) == (
        'pods "more" is forbidden: exceeded quota: small, requested: limits.cpu=1500m,requests.cpu=600m, '
        "used: limits.cpu=1,requests.cpu=1, limited: limits.cpu=2,requests.cpu=1500m"
    )


def test_a_deployment_with_too_many_cards_says_so_until_there_is_room(space: Space) -> None:
    limit(space, "cards", {GPUS: "2"})
    assert pod(space, "plain").status_code == 201
    space.apply(workload("web", replicas=3, container=gpus(1)))
    use(space, "cards", {GPUS: "2"})
    why = f"exceeded quota: cards, requested: {GPUS}=1, used: {GPUS}=2, limited: {GPUS}=2"
    space.wait(lambda: any(one.endswith(why) for one in space.messages("FailedCreate")))
    combined = "(combined from similar events): "  # how the recorder begins from the eleventh on
    told = [one.removeprefix(combined) for one in space.messages("FailedCreate")]
    assert all(one.startswith('Error creating: pods "web-') for one in told), told

    def failure(kind: str) -> Json | None:
        conditions = space.items(kind, "-l", "app=web" if kind == "replicasets" else "")[0]["status"]["conditions"]
        return next((one for one in conditions if one["type"] == "ReplicaFailure"), None)

    for kind in ("replicasets", "deployments"):
        found = space.wait(lambda kind=kind: failure(kind))  # type: ignore[misc]
        assert (found["status"], found["reason"]) == ("True", "FailedCreate")
        assert found["message"].endswith(why)
    space.kubectl("patch", "quota/cards", "--type=merge", "-p", f'{{"spec": {{"hard": {{"{GPUS}": "8"}}}}}}')
    use(space, "cards", {GPUS: "3"})
    space.wait(lambda: failure("deployments") is None)


def test_objects_are_counted_by_kind(space: Space) -> None:
    limit(space, "counts", {"count/configmaps": "2", "count/deployments.apps": "0", "services": "0", "secrets": "1"})
    assert space.send("POST", f"{space.core}/configmaps", config_map("one")).status_code == 201
    use(space, "counts", {"count/configmaps": "2", "count/deployments.apps": "0", "services": "0", "secrets": "0"})
    why = "is forbidden: exceeded quota: counts, requested:"
    assert refused(space.send("POST", f"{space.core}/configmaps", config_map("two"))) == (
        f'configmaps "two" {why} count/configmaps=1, used: count/configmaps=2, limited: count/configmaps=2'
    )
    answer = space.server_apply(f"{space.apps}/deployments/web", workload("web"), "ours")
    told = "count/deployments.apps=1, used: count/deployments.apps=0, limited: count/deployments.apps=0"
    assert refused(answer) == f'deployments.apps "web" {why} {told}'
    assert answer.json()["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    service = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    told = "services=1, used: services=0, limited: services=0"
    assert refused(space.send("POST", f"{space.core}/services", service)) == f'services "web" {why} {told}'


def test_a_scope_leaves_out_other_pods(space: Space) -> None:
    limit(space, "best-effort", {"pods": "0"}, scopes=["BestEffort"])
    assert refused(pod(space, "one")).endswith("requested: pods=1, used: pods=0, limited: pods=0")
    assert pod(space, "two", requests={"cpu": "100m"}).status_code == 201
