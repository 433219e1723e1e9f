"""A cluster that is changed behind our back, and one that takes our rights away."""

import json
import time
from collections import Counter
from functools import partial
from typing import Any

import httpx
import pytest

from tests.deployments.kube.servers import answer
from tests.faults.conftest import Fault
from tests.faults.proxy import Asked
from tests.faults.site import Site, eventually
from tests.faults.test_servers import is_list

pytestmark = pytest.mark.plane
DRIFT_GRACE = 4.0  # an object that was just applied may not have come back by the watch yet
DRIFTS = {  # what somebody does, and what is shown of it
    "scale deployment qwen --replicas=4": "spec.replicas",
    "set image deployment/qwen qwen=registry.example/other:2": "image",
    "label service qwen app=other --overwrite": "metadata.labels.app",
    "delete service qwen": "gone",
}


def spec(site: Site) -> dict[str, Any]:
    [found] = site.objects("deployment")
    given: dict[str, Any] = found["spec"]
    return given


@pytest.mark.fault("17", "drift is shown, with who did it", bound=2)
def test_drift_is_shown_at_once(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    site.answered(site.send(f"/deployments/{made['id']}/drift-policy", {"drift_policy": "leave"}))
    eventually(lambda: site.is_applied(made) and site.status(made).get("observed_revision") == 1, 30)
    time.sleep(DRIFT_GRACE)
    for act, sign in DRIFTS.items():
        site.kubectl(*act.split())
        fault.until(partial(shows_drift, site, made, sign))
    assert "kubectl" in str(site.status(made)["drift"]), "who did it"
    site.answered(site.send(f"/deployments/{made['id']}/drift-policy", {"drift_policy": "heal"}))
    eventually(lambda: len(site.objects()) == 4 and site.replicas("qwen") == 1, 30)
    eventually(lambda: site.is_applied(made), 30)


def shows_drift(site: Site, made: dict[str, Any], sign: str) -> bool:
    return sign in str(site.status(made).get("drift"))


@pytest.mark.fault("17", "a rival that changes it again and again", bound=30)
def test_a_rival_makes_it_contested_and_is_named(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    patch = json.dumps({"spec": {"replicas": 5}})
    for _ in range(20):
        if site.status(made).get("problem") == "contested":
            break
        site.kubectl("patch", "deployment", "qwen", "-p", patch, "--field-manager=autoscaler-of-ops")
        eventually(lambda: site.replicas("qwen") == 1 or site.status(made).get("problem") == "contested", 30)
    fault.until(lambda: site.status(made).get("problem") == "contested")
    assert "autoscaler-of-ops" in site.status(made)["last_error"]["message"]
    time.sleep(3)
    assert site.replicas("qwen") == 5, "nobody forces it any more"
    site.act(f"/deployments/{made['id']}/take-over", {})
    fault.until(lambda: site.is_applied(made) and site.replicas("qwen") == 1)
    assert len(healed(site)) >= 2


@pytest.mark.fault("17", "scaled, given another image, deleted behind its back", bound=15)
def test_what_is_changed_behind_its_back_is_healed_and_audited(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    site.kubectl("scale", "deployment", "qwen", "--replicas=4")
    fault.until(lambda: spec(site)["replicas"] == 1)
    site.kubectl("set", "image", "deployment/qwen", "qwen=registry.example/other:2")
    fault.until(lambda: spec(site)["template"]["spec"]["containers"][0]["image"] == "registry.example/app:1")
    site.kubectl("delete", "service", "qwen")
    fault.until(lambda: len(site.objects()) == 4)
    eventually(lambda: len(healed(site)) >= 3, fault.bound)


def healed(site: Site) -> list[Any]:
    return site.rows("select id from deployments_auditentry where action = 'heal' and actor_name = 'llmdash'")


@pytest.mark.fault("13", "the account of the token is deleted", bound=30)
def test_a_revoked_token_is_named_and_deletes_nothing(site: Site, fault: Fault) -> None:
    site.kubectl("create", "serviceaccount", "passing")
    binding = f"passing-{site.namespace}"
    account = f"--serviceaccount={site.namespace}:passing"
    site.plane.kubectl("create", "clusterrolebinding", binding, "--clusterrole=cluster-admin", account)
    use(site, site.kubectl("create", "token", "passing").strip())
    first = site.deploy("before")
    eventually(lambda: site.is_applied(first), 30)
    before = {item["metadata"]["uid"] for item in site.objects()}
    site.kubectl("delete", "serviceaccount", "passing")
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
    site.kubectl("delete", "pod", min(before), "--wait=true", "--grace-period=0", "--force")
    compact(site)
    healed_at = time.monotonic()
    site.proxy.refuse(refusing=False)

    def is_seen() -> bool:
        shown = seen(site, made)
        assert shown, "what is not known anew stays as it was"
        return shown == pods(site) != before

    fault.until(is_seen)
    eventually(lambda: not site.is_stale(made), 30)
    lists = Counter(one.target.split("?")[0] for one in site.proxy.asked if one.at > healed_at and is_list(one.target))
    assert lists["/api/v1/pods"] == 1
    assert max(lists.values()) == 1, "each kind is listed anew once at most"


@pytest.mark.fault("10", "a list whose continue token has expired", bound=30)
def test_an_expired_continue_token_begins_the_list_anew(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen", replicas=2)
    eventually(lambda: site.is_applied(made) and len(seen(site, made)) == 2, 40)
    asked: list[str] = []

    def expired(one: Asked) -> bytes | None:
        path = one.target.split("?")[0]
        if path != "/api/v1/pods" or not is_list(one.target):
            return None
        asked.append(one.target)
        if len(asked) == 1:  # a first page, whose next one is gone by then
            return answer(200, json.dumps({"kind": "PodList", "metadata": {"resourceVersion": "1", "continue": "old"},
                                           "items": []}))  # fmt: skip
        gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "The provided continue is too old."}
        return answer(410, json.dumps(gone)) if "continue=old" in one.target else None

    site.proxy.rule = expired
    site.restart("watcher")
    shown: list[bool] = []

    def is_back() -> bool:
        shown.append(len(seen(site, made)) == 2)
        return len(asked) >= 3 and not site.is_stale(made)

    fault.until(is_back)
    assert all(shown), "never flickers to empty"
    assert len(asked) == 3, "a page, its expired next one, and the list anew"


def seen(site: Site, made: dict[str, Any]) -> set[str]:
    """The pods that the API shows."""
    answer = site.get(f"/api/v1/deployments/{made['id']}/pods")
    return {pod["name"] for pod in answer.json()["results"]}


def pods(site: Site) -> set[str]:
    """The pods that kubectl shows."""
    return {name.removeprefix("pod/") for name in site.kubectl("get", "pods", "-l", "app=qwen", "-o", "name").split()}


def compact(site: Site) -> None:
    """Have etcd forget, and the API server, which keeps what it has seen, begin anew."""
    listed = site.kubectl("get", "--raw", f"/api/v1/namespaces/{site.namespace}/pods")
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
