"""An API server that is slow or overloaded, that shows other certificates, and that says odd things."""

import datetime
import json
import time
from typing import Any

import pytest

from tests.deployments.kube.servers import Authority, answer
from tests.faults.conftest import Fault
from tests.faults.proxy import Asked
from tests.faults.site import Site, eventually
from tests.faults.test_cluster import cluster

pytestmark = pytest.mark.plane
HOUR = datetime.timedelta(hours=1)
SECONDS = datetime.timedelta(seconds=1)


@pytest.mark.fault("8", "429 with Retry-After, then an API server that is slow", bound=45)
def test_retry_after_is_honoured_and_other_clusters_go_on(site: Site, fault: Fault) -> None:
    other = site.second_project()
    paused: list[float] = []

    def overloaded(asked: Asked) -> bytes | None:
        if asked.method != "PATCH" or len(paused) >= 2:
            return None
        paused.append(asked.at)
        return answer(429, json.dumps({"kind": "Status", "message": "slow down", "code": 429}), Retry_After="7")

    site.proxy.rule = overloaded
    busy = site.deploy("busy")
    began = time.monotonic()
    beside = site.deploy("beside", project=other)
    eventually(lambda: site.is_applied(beside), 10)
    assert time.monotonic() - began < 10, "the other cluster does not wait"
    fault.until(lambda: site.is_applied(busy))
    assert paused[1] - paused[0] >= 6.9, "not before the time that the server gave"
    between = [one for one in site.proxy.asked if one.method == "PATCH" and paused[0] < one.at < paused[1]]
    assert between == [], "no storm"

    site.proxy.delay = 3.0
    slow = site.deploy("slow")
    began = time.monotonic()
    beside = site.deploy("beside-slow", project=other)
    eventually(lambda: site.is_applied(beside), 10)
    assert not site.is_applied(slow), "it would prove nothing if the slow one were as fast"
    fault.until(lambda: site.is_applied(slow))
    site.proxy.delay = 0


@pytest.mark.fault("12", "the certificate expires, another authority, another name", bound=30)
@pytest.mark.parametrize("what", ["expired", "authority", "name"])
def test_a_certificate_that_is_not_right_is_named_and_never_accepted(site: Site, fault: Fault, what: str) -> None:
    first = site.deploy("before")
    eventually(lambda: site.is_applied(first), 30)
    if what == "expired":
        site.proxy.show(start=-HOUR, lives=HOUR + 4 * SECONDS)
        eventually(lambda: site.proxy.count("GET", "/", since=time.monotonic() - 2), 20)  # it is good for a moment
        time.sleep(4)
        site.proxy.cut()
    elif what == "authority":
        site.proxy.show(Authority.make("another CA"))
    else:
        site.proxy.show(name="elsewhere.example")
    site.proxy.asked.clear()
    said = {"expired": "expired", "authority": "signed by the given CA", "name": "belongs to another host name"}[what]
    fault.until(lambda: cluster(site)["connection"] == "certificate")
    assert said in cluster(site)["message"], cluster(site)["message"]
    waiting = site.deploy("meanwhile")
    eventually(lambda: site.status(waiting)["problem"] == "cluster" or cluster(site)["connection"] == "certificate", 15)
    time.sleep(3)
    assert site.proxy.asked == [], "nothing was sent to a server that is not trusted"
    site.proxy.show()
    fault.until(lambda: site.is_applied(waiting) and cluster(site)["connection"] == "connected")


@pytest.mark.fault("28", "objects without status, of unknown phase, with 1 MB of labels", bound=30)
def test_an_odd_object_stops_nobody(site: Site, fault: Fault) -> None:
    made = site.deploy("qwen")
    eventually(lambda: site.is_applied(made), 30)
    odd: list[str] = []

    def strange(asked: Asked) -> bytes | None:
        if odd or "/pods?" not in asked.target or "watch=" not in asked.target:
            return None
        odd.append(asked.target)
        return answer(200, "".join(json.dumps(one) + "\n" for one in events(site)))

    site.proxy.rule = strange
    site.proxy.cut()
    eventually(lambda: odd, 20)
    site.act(f"/deployments/{made['id']}/scale", {"replicas": 2})
    fault.until(lambda: site.is_applied(made) and site.status(made)["observed_revision"] == 2)
    fault.until(lambda: len(site.get(f"/api/v1/deployments/{made['id']}/pods").json()["results"]) >= 2)
    assert not site.is_stale(made)


def events(site: Site) -> list[dict[str, Any]]:
    """What no API server should say."""
    meta = {"name": "odd", "namespace": site.namespace, "uid": "u-1", "resourceVersion": "1"}
    long = {f"label-{n}": "x" * 60 for n in range(16_000)}
    return [
        {"type": "ADDED", "object": {"kind": "Pod", "metadata": meta}},
        {"type": "ADDED", "object": {"kind": "Pod", "metadata": meta, "spec": {}, "status": {"phase": "Dreaming"}}},
        {"type": "ADDED", "object": {"kind": "Pod", "metadata": meta | {"labels": long}, "spec": {}, "status": {}}},
        {"type": "ADDED", "object": {"kind": "Pod", "metadata": None, "spec": 7, "status": [1]}},
        {"type": "DREAMT", "object": {}},
        {"type": "ADDED"},
    ]
