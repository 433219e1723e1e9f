"""How fast workers are: applying, and looking again at what has not changed."""

import json
import os
import signal
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

from tests.bench.table import ROUNDS, Row, row
from tests.bench.world import CHANGE, SOON, World
from tests.faults.site import eventually
from tests.faults.test_workers import family

BATCH = 70  # deployments; two rows of seven rounds make a thousand
CONNECTIONS = 8
MANIFESTS = """
from deployments.reconcile.building import from_spec
rows = Deployment.objects.order_by("name")[%(first)d:%(last)d]
print(json.dumps([made for row in rows for made in from_spec(row, row.revisions.get(number=1))]))
"""


@row(
    "apply-kubectl",
    "apply: objects/s from save ÷ `kubectl apply --server-side`",
    must=1.5,
    aim=3,
    least=True,
    limit="70 ms of a worker's CPU for each deployment: a read before each write (the fence), the inventory's and the "
    "lease's statements. The control plane on the same cores lets eight bare connections reach no more than 1.2 times "
    "kubectl.",
)
def against_kubectl(out: Row, world: World) -> None:
    """70 deployments applied, and the same objects by kubectl in another namespace. Counted from the first applied one:
    the workers are started when all are saved."""
    ours, theirs = [], []
    for number in range(ROUNDS):
        manifests, rate = saved_to_applied(world)
        ours.append(rate)
        theirs.append(by_kubectl(world, elsewhere(world, manifests, f"kubectl-{number}")))
    out.ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    out.said = f"{statistics.median(ours):.0f} against {statistics.median(theirs):.0f} objects/s"


@row(
    "apply-bare",
    "apply: objects/s from save ÷ 8 bare PATCH connections",
    must=0.4,
    aim=0.7,
    least=True,
    limit="as above; the bare loop reads nothing, writes nothing down and heals nothing.",
)
def against_a_bare_loop(out: Row, world: World) -> None:
    """The same by PATCH on eight connections that stay open."""
    ours, theirs = [], []
    for number in range(ROUNDS):
        manifests, rate = saved_to_applied(world)
        ours.append(rate)
        theirs.append(by_patch(world, elsewhere(world, manifests, f"bare-{number}")))
    out.ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    out.said = f"{statistics.median(ours):.0f} against {statistics.median(theirs):.0f} objects/s"


def saved_to_applied(world: World) -> tuple[list[dict[str, Any]], float]:
    """The objects of a batch, and how many of them a second were applied, counted from when the first was taken. The
    workers rest until all are saved, so that saving costs them nothing."""
    first = world.made
    taken = worked(world, lambda: world.make(BATCH))
    manifests = world.run(MANIFESTS, first=first, last=world.made)
    return manifests, len(manifests) / taken


def worked(world: World, ask: Callable[[], object]) -> float:
    """Seconds that the workers take for what is asked for while they rest, from when the first row is taken."""
    rest(world, signal.SIGSTOP)
    ask()
    rest(world, signal.SIGCONT)
    while world.site.rows("select count(*) from deployments_deployment where lease_owner <> ''") == [(0,)]:
        time.sleep(0.01)
    began = time.monotonic()
    world.settle()
    return time.monotonic() - began


def rest(world: World, number: signal.Signals) -> None:
    """Hold the workers, or let them go on: started anew, they would spend most of a batch on starting."""
    for name in ("worker1", "worker2"):
        for pid in family(world.site, name):
            os.kill(int(pid), number)


def elsewhere(world: World, manifests: list[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    """The same objects in a namespace of their own, for somebody who is not llmdash."""
    world.plane.kubectl("create", "namespace", namespace)
    return [one | {"metadata": {"name": one["metadata"]["name"], "namespace": namespace}} for one in manifests]


def by_kubectl(world: World, manifests: list[dict[str, Any]]) -> float:
    """Objects a second."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    began = time.monotonic()
    world.plane.kubectl("apply", "--server-side", "-f", "-", input=text)
    return len(manifests) / (time.monotonic() - began)


def by_patch(world: World, manifests: list[dict[str, Any]]) -> float:
    """Objects a second."""
    clients = [world.plane.client() for _ in range(CONNECTIONS)]

    def send(number: int) -> None:
        for one in manifests[number::CONNECTIONS]:
            plural, group = ("deployments", "/apis/apps/v1") if one["kind"] == "Deployment" else ("services", "/api/v1")
            meta = one["metadata"]
            target = f"{group}/namespaces/{meta['namespace']}/{plural}/{meta['name']}?fieldManager=bare&force=true"
            headers = {"Content-Type": "application/apply-patch+yaml"}
            answer = clients[number].patch(target, content=json.dumps(one), headers=headers)
            assert answer.status_code in (httpx.codes.OK, httpx.codes.CREATED), answer.text

    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(send, range(CONNECTIONS)))
    taken = time.monotonic() - began
    for client in clients:
        client.close()
    return len(manifests) / taken


@row(
    "recheck",
    "looking again at unchanged deployments ÷ applying them",
    must=0.1,
    aim=0.02,
    limit="building the manifests of each row anew, so that another version of llmdash comes through.",
)
def recheck(out: Row, world: World) -> None:
    """Seconds for each deployment: all of them looked at, 200 of them applied; and whether anything was written."""
    world.full()
    looked, applied = [], []
    for number in range(ROUNDS):
        before = versions(world)
        looked.append(looked_at(world) / world.made)
        assert versions(world) == before, "nothing was written"
        applied.append(worked(world, partial(world.run, CHANGE, first=0, last=200, port=81 + number)) / 200)
    out.ratios = [a / b for a, b in zip(looked, applied, strict=True)]
    ours, theirs = (statistics.median(times) * 1000 for times in (looked, applied))
    out.said = f"{ours:.1f} ms against {theirs:.0f} ms a deployment; no object was written"


def looked_at(world: World) -> float:
    """Seconds from the wish to look at every row until every row was looked at."""
    world.run(SOON)
    began = time.monotonic()
    query = """select count(*) from deployments_deployment
               where next_attempt_at is null or next_attempt_at < now() + interval '5 minutes'"""
    eventually(lambda: world.site.rows(query) == [(0,)], 300)
    return time.monotonic() - began


def versions(world: World) -> set[str]:
    """The versions of our objects, which every write in etcd changes."""
    return {item["metadata"]["resourceVersion"] for item in world.site.objects()}
