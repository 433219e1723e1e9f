"""The real control plane does what tests and the demo rely on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import manifests
from tests.controlplane.fixtures import heal, namespace, plane
from tests.controlplane.kubelet import log_server
from tests.controlplane.parts import Options
from tests.controlplane.plane import ControlPlane, KubectlFailed
from tests.controlplane.processes import Part, PartFailed

__all__ = ["namespace", "plane"]  # fixtures, found by pytest through their names here

pytestmark = pytest.mark.plane
PATIENCE = 20.0


def eventually(check: Callable[[], Any]) -> Any:
    """The first true thing that a check gives; fails after a while, naming the check."""
    deadline = time.monotonic() + PATIENCE
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {check.__name__}"
        time.sleep(0.05)
    return found


def apply(plane: ControlPlane, namespace: str, manifest: manifests.Manifest) -> str:
    return plane.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(manifest))


def alive(pid: int) -> bool:
    """Whether a process exists and is not merely waiting to be collected."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def test_server_and_kubectl_are_1_36_or_newer(plane: ControlPlane) -> None:
    versions = json.loads(plane.kubectl("version", "-o", "json"))
    for side in ("clientVersion", "serverVersion"):
        assert (int(versions[side]["major"]), int(versions[side]["minor"])) >= (1, 36)


def test_what_is_applied_can_be_read_back(plane: ControlPlane, namespace: str) -> None:
    assert apply(plane, namespace, manifests.config_map("greeting", word="hello")) == "configmap/greeting created\n"
    assert plane.get("configmap", "greeting", "-n", namespace)["data"] == {"word": "hello"}


def test_kubectl_gives_the_servers_refusal(plane: ControlPlane, namespace: str) -> None:
    with pytest.raises(KubectlFailed, match="NotFound"):
        plane.get("configmap", "absent", "-n", namespace)


def test_a_deployment_without_nodes_has_pending_pods_that_say_why(plane: ControlPlane, namespace: str) -> None:
    apply(plane, namespace, manifests.deployment("web", replicas=2))

    def unschedulable() -> list[str]:
        return [
            condition["message"]
            for pod in plane.get("pods", "-n", namespace)["items"]
            for condition in pod["status"].get("conditions", [])
            if pod["status"]["phase"] == "Pending" and condition["reason"] == "Unschedulable"
        ]

    def failed_scheduling() -> bool:
        return any(event["reason"] == "FailedScheduling" for event in plane.get("events", "-n", namespace)["items"])

    assert eventually(lambda: len(unschedulable()) == 2)
    assert eventually(failed_scheduling)
    assert len(plane.get("replicasets", "-n", namespace)["items"]) == 1


def test_rbac_forbids_a_service_account_what_nobody_granted(plane: ControlPlane, namespace: str) -> None:
    token = plane.kubectl("create", "token", "default", "-n", namespace).strip()
    with pytest.raises(KubectlFailed, match="Forbidden"):
        plane.kubectl("get", "pods", "-n", namespace, token=token)
    account = f"--serviceaccount={namespace}:default"
    plane.kubectl("create", "rolebinding", "look", "--clusterrole=view", account, "-n", namespace)
    assert eventually(lambda: "No resources" in plane.kubectl("get", "pods", "-n", namespace, token=token, check=False))


def test_the_admin_certificate_is_accepted_without_a_token(plane: ControlPlane) -> None:
    pair = plane.client_certificate
    who = plane.kubectl(
        "auth", "whoami", "--kubeconfig=/dev/null", f"--server={plane.url}", f"--certificate-authority={plane.ca_file}",
        f"--client-certificate={pair.certificate}", f"--client-key={pair.key}", "-o", "json",
    )  # fmt: skip
    assert "system:masters" in json.loads(who)["status"]["userInfo"]["groups"]


def test_logs_come_from_the_kubelet_that_a_node_names(plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    name = f"node-{namespace}"
    with log_server(tmp_path, "hello from the pod") as port:
        plane.kubectl("create", "-f", "-", input=json.dumps(manifests.node(name, port=port)))
        apply(plane, namespace, manifests.pod("one", node=name))
        logs = plane.kubectl("logs", "one", "-n", namespace)
    plane.kubectl("delete", "node", name)
    assert logs == f"/containerLogs/{namespace}/one/main hello from the pod\n"


def test_the_audit_log_tells_verb_user_and_whom_the_user_acted_for(plane: ControlPlane, namespace: str) -> None:
    someone = f"system:serviceaccount:{namespace}:default"
    plane.kubectl("get", "pods", "-n", namespace, f"--as={someone}", check=False)
    entries = map(json.loads, plane.audit_log.read_text(encoding="utf-8").splitlines())
    found = [entry for entry in entries if entry.get("impersonatedUser", {}).get("username") == someone]
    last = found[-1]
    assert (last["verb"], last["user"]["username"], last["responseStatus"]["code"]) == ("list", "admin", 403)


def test_a_killed_api_server_comes_back_with_what_it_had(plane: ControlPlane, namespace: str) -> None:
    apply(plane, namespace, manifests.config_map("kept", word="hello"))
    plane.kill("kube-apiserver")
    assert "kube-apiserver" not in plane.running()
    assert "refused" in plane.kubectl("get", "configmaps", "-n", namespace, check=False)
    plane.start("kube-apiserver")
    assert plane.get("configmap", "kept", "-n", namespace)["data"] == {"word": "hello"}


def test_what_a_test_suspends_or_kills_is_mended_for_the_next_module(plane: ControlPlane) -> None:
    plane.signal("kube-scheduler", signal.SIGSTOP)
    plane.kill("kube-controller-manager")
    heal(plane)
    assert plane.running() == ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]


@pytest.mark.usefixtures("plane")
def test_a_given_folder_keeps_objects_ports_and_tokens_and_no_process(tmp_path: Path) -> None:
    with ControlPlane(tmp_path, options=Options(progress_notify="5s")) as first:
        first.kubectl("create", "namespace", "kept")
        pids = [part.process.pid for part in first.parts.values() if part.process]
    assert len(pids) == 4
    assert not any(map(alive, pids))
    with ControlPlane(tmp_path) as second:
        assert second.get("namespace", "kept")["metadata"]["name"] == "kept"
        assert (second.url, second.token) == (first.url, first.token)


@pytest.mark.usefixtures("plane")
def test_no_process_outlives_a_killed_python(tmp_path: Path) -> None:
    code = (
        "import sys, threading\n"
        "from tests.controlplane.plane import ControlPlane\n"
        "plane = ControlPlane(sys.argv[1])\n"
        # From a thread that ends, which must not end what it has started.
        "thread = threading.Thread(target=plane.start, args=('etcd',)); thread.start(); thread.join()\n"
        "print(plane.parts['etcd'].process.pid, plane.running(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as python:
        assert python.stdout is not None
        pid, running = python.stdout.readline().split(maxsplit=1)
        assert running == "['etcd']\n"
        assert alive(int(pid))
        os.kill(python.pid, signal.SIGKILL)
        python.wait()
    assert eventually(lambda: not alive(int(pid)))


@pytest.mark.usefixtures("plane")
def test_a_part_that_does_not_start_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = ControlPlane(tmp_path)
    good = broken.parts["kube-apiserver"]
    broken.parts["kube-apiserver"] = Part(good.name, [*good.command, "--no-such-flag"], good.log)
    with pytest.raises(PartFailed, match=r"(?s)^kube-apiserver ended with 1; .*unknown flag: --no-such-flag"):
        broken.start()
    assert broken.running() == []


@pytest.mark.usefixtures("plane")
def test_run_says_when_it_is_ready_and_stops_everything_when_told_to(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "out" / "kubeconfig"
    command = [
        sys.executable,
        "-m",
        "tests.controlplane",
        "run",
        f"--directory={tmp_path}",
        f"--kubeconfig={kubeconfig}",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = iter(running.stdout.readline, "")
        assert next(line for line in lines if line.startswith("control plane ready: https://127.0.0.1:"))
        parts = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text(encoding="utf-8").split()
        assert kubeconfig.stat().st_mode & 0o777 == 0o600
        running.terminate()
        assert running.wait(PATIENCE) == 0
    assert not any(alive(int(pid)) for pid in parts)
