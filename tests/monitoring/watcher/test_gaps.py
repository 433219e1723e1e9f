"""What happened while nobody looked is found, and nothing flickers to empty on the way."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from deployments.models import ClusterStatus, Deployment, DeploymentStatus, NodeStatus
from tests.deployments.kube.servers import Request, answer
from tests.deployments.reconcile.play import HOP_BY_HOP, Play
from tests.monitoring.watcher.watching import (
    LLM,
    Process,
    Watching,
    cluster_status,
    connected,
    eventually,
    processes,
    recovered,
    status,
    until,
)

WATCHED = ("nodes", "pods", "deployments", "replicasets", "services", "configmaps")
pytestmark = [pytest.mark.plane, pytest.mark.usefixtures("hollow_nodes")]


def serving(play: Play, replicas: int = 2) -> Deployment:
    return play.create("qwen", **LLM | {"replicas": replicas})


@contextmanager
def sampled(row: Deployment) -> Iterator[set[tuple[int, int, bool, str]]]:
    """(pods, nodes, GPUs known, connection) as every reader saw them, many times a second."""
    seen: set[tuple[int, int, bool, str]] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            pods = len(DeploymentStatus.objects.get(deployment=row).pods)
            cluster = ClusterStatus.objects.get()
            seen.add((pods, NodeStatus.objects.count(), bool(cluster.capacity.get("gpus")), cluster.connection))
            time.sleep(0.02)
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(10)


def settled(play: Play, row: Deployment) -> None:
    until(row, "serving")
    eventually(lambda: cluster_status(play).capacity.get("gpus") and NodeStatus.objects.count() == 2, "all is counted")


def test_a_pod_that_went_while_the_watcher_was_down_is_pruned(play: Play, watching: Watching) -> None:
    row = serving(play)
    watching.start()
    settled(play, row)
    before = {pod["uid"] for pod in status(row).pods}
    watching.end()
    play.kubectl("scale", "deployment", "qwen", "--replicas=0")
    play.kubectl("wait", "--for=delete", "pod", "-l", "app=qwen", "--timeout=60s")
    assert {pod["uid"] for pod in status(row).pods} == before
    watching.start()
    eventually(lambda: status(row).pods == [], "the pods are gone")


def next_proof_of_life(play: Play) -> None:
    heard = cluster_status(play).seen_at
    eventually(lambda: cluster_status(play).seen_at != heard, "it lives")


def test_starting_the_watcher_again_shows_nothing_but_what_is(play: Play, watching: Watching) -> None:
    row = serving(play)
    watching.start()
    settled(play, row)
    connected(play)
    changed = status(row).changed_at
    with sampled(row) as seen:
        for _ in range(2):
            watching.end()
            watching.start()
            next_proof_of_life(play)
    assert seen == {(2, 2, True, "connected")}
    assert status(row).changed_at == changed


ODD: list[dict[str, Any]] = [
    {"metadata": None},
    {},
    {"metadata": {"name": "odd", "uid": "odd", "labels": {"a": 1}}},
    {"metadata": {"name": "odd2", "uid": "odd2"}, "spec": [], "status": "Running"},
    {"metadata": {"name": "odd3", "uid": "odd3"}, "status": {"phase": "Sideways", "conditions": [{"type": 7}]}},
    {"metadata": {"name": "big", "uid": "big", "labels": {"x": "y" * 2**20}}, "status": {"phase": "Odd"}},
]


def test_one_malformed_object_never_stops_the_rest(play: Play, watching: Watching) -> None:
    row = serving(play, replicas=1)
    with odd_proxy(play):
        watching.start()
        until(row, "serving")
        settled(play, row)
        play.kubectl("scale", "deployment", "qwen", "--replicas=2")
        eventually(lambda: status(row).ready == 2, "the watch goes on behind malformed lines")
        assert cluster_status(play).connection == "connected"


@contextmanager
def odd_proxy(play: Play) -> Iterator[None]:
    """The plane, with malformed objects in each list and each watch."""
    with play.plane.client() as client:

        def spoil(request: Request) -> bytes | None:
            if request.method != "GET" or "?" not in request.target:
                return None
            kept = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
            got = client.get(request.target, headers=kept)
            if got.status_code != 200:
                return answer(got.status_code, got.content)
            if "watch=1" in request.target:
                lines = [json.dumps({"type": kind, "object": odd}) for odd in ODD for kind in ("ADDED", "DELETED")]
                return answer(200, b"\n".join([*(line.encode() for line in lines), got.content]))
            body = got.json()
            body["items"] = [*ODD, *(body["items"] or []), 7, "text", None]
            return answer(200, json.dumps(body))

        with play.through(spoil):
            yield


def test_of_two_watchers_one_watches_and_the_other_takes_over(play: Play, short: None, tmp_path: Path) -> None:
    row = play.create("qwen", replicas=0)
    with processes(tmp_path, "first", "second") as [first, second]:
        first.start()
        connected(play)
        assert first.pid in cluster_status(play).lease_owner
        second.start()
        eventually(lambda: second.log() or second.process, "it has started")
        time.sleep(4)
        assert first.pid in cluster_status(play).lease_owner
        assert "watching" not in second.log()
        first.end()
        eventually(lambda: second.pid in cluster_status(play).lease_owner, "the other has it", seconds=15)
        heard = cluster_status(play).seen_at
        eventually(lambda: cluster_status(play).seen_at != heard, "and watches")
        play.kubectl("scale", "deployment", "qwen", "--replicas=1")
        eventually(lambda: status(row).drift, "it sees")
        second.end()
    assert cluster_status(play).lease_owner == ""


def test_a_watcher_that_was_killed_is_followed_when_its_lease_ends(play: Play, short: None, tmp_path: Path) -> None:
    with processes(tmp_path, "first", "second") as [first, second]:
        first.start()
        connected(play)
        first.end(signal.SIGKILL)
        second.start()
        time.sleep(4)
        held = cluster_status(play)
        assert first.pid in held.lease_owner
        assert held.lease_expires_at is not None
        # Half a minute passes.
        ClusterStatus.objects.update(lease_expires_at=play.cluster.created_at)
        eventually(lambda: second.pid in cluster_status(play).lease_owner, "the other has it", seconds=15)


def test_a_history_that_is_compacted_away_costs_one_list_and_no_flicker(
    play: Play, short: None, tmp_path: Path
) -> None:
    row = serving(play)
    with processes(tmp_path, "only") as [watcher]:
        watcher.start()
        settled(play, row)
        with sampled(row) as seen:
            before = asked(play, "list")
            gap(play, watcher)
            eventually(lambda: {pod["name"] for pod in status(row).pods} == set(alive(play)), "the rows match")
            until(row, "serving")
            time.sleep(1)
            assert {kind: count - before[kind] for kind, count in asked(play, "list").items()} == dict.fromkeys(
                WATCHED, 1
            )
        counts = {pods for pods, _, _, _ in seen}
        assert 0 not in counts
        assert {(nodes, known) for _, nodes, known, _ in seen} == {(2, True)}
        assert "Traceback" not in watcher.log()
    recovered(play.plane)


def asked(play: Play, verb: str) -> Counter[str]:
    """How often llmdash asked for each kind of the whole cluster, from the API server's audit log."""
    entries = map(json.loads, play.audited_lines())
    done = [one for one in entries if one["userAgent"] == "llmdash" and one["stage"] == "ResponseComplete"]
    wide = [one["objectRef"]["resource"] for one in done if one["verb"] == verb and "namespace" not in one["objectRef"]]
    return Counter(kind for kind in wide if kind in WATCHED)


def alive(play: Play) -> list[str]:
    items = json.loads(play.kubectl("get", "pods", "--sort-by=.metadata.creationTimestamp", "-o", "json"))["items"]
    return sorted(item["metadata"]["name"] for item in items)


def gap(play: Play, watcher: Process) -> None:
    """Replace a pod behind a sleeping watcher, forget the history, and begin the API server anew."""
    watcher.send(signal.SIGSTOP)
    time.sleep(3)  # its watches end, so that nothing of what follows waits in their sockets
    gone = alive(play)[0]
    play.kubectl("delete", "pod", gone, "--force", "--grace-period=0")
    eventually(lambda: len(alive(play)) == 2 and gone not in alive(play), "another takes its place")
    etcd = play.plane.layout.etcd_url
    newest = httpx.post(f"{etcd}/v3/kv/range", json={"key": "AA=="}, trust_env=False).json()["header"]["revision"]
    body = {"revision": newest, "physical": True}
    httpx.post(f"{etcd}/v3/kv/compaction", json=body, trust_env=False).raise_for_status()
    play.plane.kill("kube-apiserver")
    play.plane.start("kube-apiserver")
    watcher.send(signal.SIGCONT)
