"""A cluster that is changed behind our back, and one that takes our rights away."""

import json
from typing import Any

import httpx
import pytest

from tests.faults.conftest import Fault
from tests.faults.site import Site, eventually

pytestmark = pytest.mark.plane


def kubectl(site: Site, *arguments: str) -> str:
    return site.plane.kubectl("-n", site.namespace, *arguments)


def spec(site: Site) -> dict[str, Any]:
    [found] = site.objects("deployment")
    given: dict[str, Any] = found["spec"]
    return given


@pytest.mark.fault("17", "scaled, given another image, deleted behind its back", bound=15)
def test_what_is_changed_behind_its_back_is_healed_and_audited(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    kubectl(site, "scale", "deployment", "qwen", "--replicas=4")
    fault.until(lambda: spec(site)["replicas"] == 1)
    kubectl(site, "set", "image", "deployment/qwen", "qwen=registry.example/other:2")
    fault.until(lambda: spec(site)["template"]["spec"]["containers"][0]["image"] == "registry.example/app:1")
    kubectl(site, "delete", "service", "qwen")
    fault.until(lambda: len(site.objects()) == 4)
    eventually(lambda: len(healed(site)) >= 3, fault.bound)


def healed(site: Site) -> list[Any]:
    return site.rows("select id from deployments_auditentry where action = 'heal' and actor_name = 'llmdash'")


@pytest.mark.fault("13", "the account of the token is deleted", bound=30)
def test_a_revoked_token_is_named_and_deletes_nothing(site: Site, fault: Fault) -> None:
    kubectl(site, "create", "serviceaccount", "passing")
    binding = f"passing-{site.namespace}"
    account = f"--serviceaccount={site.namespace}:passing"
    site.plane.kubectl("create", "clusterrolebinding", binding, "--clusterrole=cluster-admin", account)
    use(site, kubectl(site, "create", "token", "passing").strip())
    first = site.deploy("before")
    eventually(lambda: site.is_applied(first), 30)
    before = {item["metadata"]["uid"] for item in site.objects()}
    kubectl(site, "delete", "serviceaccount", "passing")
    fault.until(lambda: cluster(site)["connection"] == "rejected")
    second = site.deploy("meanwhile")
    assert {item["metadata"]["uid"] for item in site.objects()} == before
    use(site, site.plane.token)
    fault.until(lambda: site.is_applied(second) and cluster(site)["connection"] == "connected")
    site.plane.kubectl("delete", "clusterrolebinding", binding)


@pytest.mark.fault("10", "410 Gone: the history is compacted during an outage", bound=60)
def test_a_deletion_in_a_lost_history_is_seen_and_nothing_flickers(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen", replicas=2)
    eventually(lambda: site.is_applied(made) and len(seen(site, made)) == 2, 40)
    before = seen(site, made)
    site.proxy.refuse()
    kubectl(site, "delete", "pod", min(before), "--wait=true", "--grace-period=0", "--force")
    compact(site)
    site.proxy.refuse(refusing=False)

    def is_seen() -> bool:
        shown = seen(site, made)
        assert shown, "what is not known anew stays as it was"
        return shown == pods(site) != before

    fault.until(is_seen)


def seen(site: Site, made: dict[str, Any]) -> set[str]:
    """The pods that the API shows."""
    answer = site.get(f"/api/v1/deployments/{made['id']}/pods")
    return {pod["name"] for pod in answer.json()["results"]}


def pods(site: Site) -> set[str]:
    """The pods that kubectl shows."""
    return {name.removeprefix("pod/") for name in kubectl(site, "get", "pods", "-l", "app=qwen", "-o", "name").split()}


def compact(site: Site) -> None:
    """Have etcd forget, and the API server, which keeps what it has seen, begin anew."""
    listed = kubectl(site, "get", "--raw", f"/api/v1/namespaces/{site.namespace}/pods")
    newest = json.loads(listed)["metadata"]["resourceVersion"]
    url = f"{site.plane.layout.etcd_url}/v3/kv/compaction"
    httpx.post(url, content=json.dumps({"revision": newest, "physical": True}), trust_env=False).raise_for_status()
    site.plane.kill("kube-apiserver")
    site.plane.start("kube-apiserver")


def cluster(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.get("/api/v1/clusters").json()["results"][0]
    return found


def use(site: Site, token: str) -> None:
    """Give the cluster another token."""
    path = f"/api/v1/clusters/{cluster(site)['id']}/settings"
    tag = site.get(path).headers["ETag"]
    answer = site.client.patch(path, json={"token": token}, headers={"If-Match": tag})
    assert answer.status_code == 200, answer.text
