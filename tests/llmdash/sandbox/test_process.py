"""The program: how it starts, stops, keeps its state, and plays the loss of a node."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmdash.sandbox import __main__ as program
from llmdash.sandbox.hollow.kubeconfig import load
from tests.contract.simulated import Simulated

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
MERGE = {"Content-Type": "application/merge-patch+json"}


def workload(name: str, **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "x/y:1"}], **pod}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, "template": template}}


def until(check: Any, seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Simulated]:
    with Simulated(nodes="small", node_grace=2.0) as running:
        yield running


def available(client: httpx.Client, name: str) -> bool:
    return bool(client.get(f"{DEPLOYMENTS}/{name}").json().get("status", {}).get("availableReplicas") == 1)


def test_it_says_that_it_is_simulated(sandbox: Simulated) -> None:
    with sandbox.client() as client:
        assert client.get("/version").json()["gitVersion"].endswith("+llmdash-sandbox")
        nodes = client.get("/api/v1/nodes?labelSelector=llmdash.io/simulated%3Dtrue").json()["items"]
    assert len(nodes) == 2


def test_the_kubeconfig_is_private_and_whole(sandbox: Simulated) -> None:
    assert sandbox.kubeconfig.stat().st_mode & 0o777 == 0o600
    found = load(sandbox.kubeconfig)
    assert found.server.startswith("https://127.0.0.1:")
    assert found.ca
    assert found.token


def test_a_silent_node_is_marked_and_emptied(sandbox: Simulated) -> None:
    impatient = [{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}]
    host = {"kubernetes.io/hostname": "hollow-l4-0"}
    with sandbox.client() as client:
        client.post(DEPLOYMENTS, json=workload("lost", tolerations=impatient, nodeSelector=host)).raise_for_status()
        until(lambda: available(client, "lost"))
        node = "/api/v1/nodes/hollow-l4-0"
        lost = {"metadata": {"annotations": {"sandbox.llmdash.io/lost": "true"}}}
        client.patch(node, content=json.dumps(lost), headers=MERGE)

        def ready() -> str:
            conditions = client.get(node).json()["status"]["conditions"]
            return str(next(one["status"] for one in conditions if one["type"] == "Ready"))

        until(lambda: ready() == "Unknown")
        effects = until(lambda: [one["effect"] for one in client.get(node).json()["spec"].get("taints", [])])
        assert set(effects) == {"NoSchedule", "NoExecute"}
        until(lambda: any(
            pod["metadata"].get("deletionTimestamp")
            for pod in client.get("/api/v1/namespaces/default/pods?labelSelector=app%3Dlost").json()["items"]
        ))  # fmt: skip
        healed = {"metadata": {"annotations": {"sandbox.llmdash.io/lost": None}}}
        client.patch(node, content=json.dumps(healed), headers=MERGE)
        until(lambda: ready() == "True")
        until(lambda: not client.get(node).json()["spec"].get("taints"))
        until(lambda: available(client, "lost"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_restart_keeps_everything(number: int) -> None:
    with Simulated(nodes="small") as running:
        with running.client() as client:
            client.post(DEPLOYMENTS, json=workload("kept")).raise_for_status()
            until(lambda: available(client, "kept"))
            before = client.get(f"{DEPLOYMENTS}/kept").json()
        time.sleep(1.2)  # the file is written at most a second after a change
        token, port = running.token, running.port
        assert running.stop(number) == (-9 if number == signal.SIGKILL else 0)
        running.start()
        assert (running.token, running.port) == (token, port)
        with running.client() as client:
            until(lambda: available(client, "kept"))
            after = client.get(f"{DEPLOYMENTS}/kept").json()
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_it_stops_while_it_is_watched() -> None:
    with Simulated() as running, running.client() as client, client.stream("GET", "/api/v1/pods?watch=1") as stream:
        assert stream.status_code == 200
        started = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - started < 5
        assert list(stream.iter_lines()) == []


def test_a_taken_port_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Simulated() as running:
        arguments = ["serve", "--port", str(running.port), "--state-dir", str(tmp_path), "--nodes", "none"]
        assert program.main([*arguments, "--kubeconfig", str(tmp_path / "kubeconfig")]) == 2
    assert "Address already in use" in capsys.readouterr().err
