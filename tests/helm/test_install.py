"""The chart on a real control plane: installed, upgraded, tested and uninstalled, in a namespace that enforces Pod
Security `restricted`. There is no kubelet, so the test says of each pod of a hook that it did its work."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from tests.controlplane.plane import ControlPlane, KubectlFailed
from tests.helm.conftest import CHART, Helm

pytestmark = pytest.mark.plane
KINDS = "deploy,rs,svc,sa,role,rolebinding,job,pdb,netpol,secret,ingress,configmap"
CLUSTERED = "clusterrole,clusterrolebinding"
PATIENCE = 60.0


@pytest.fixture
def home(plane: ControlPlane) -> Iterator[str]:
    """A namespace for the release."""
    name = f"h-{secrets.token_hex(4)}"
    plane.kubectl("create", "namespace", name)
    for mode in ("enforce", "warn"):
        plane.kubectl("label", "namespace", name, f"pod-security.kubernetes.io/{mode}=restricted")
    yield name
    plane.kubectl("delete", "namespace", name, "--wait=false", check=False)


@contextmanager
def kubelet(plane: ControlPlane, namespace: str, seen: list[str]) -> Iterator[None]:
    """Says of the hooks' pods that they succeeded."""
    stop = threading.Event()

    def play() -> None:
        while not stop.wait(0.3):
            try:
                pods = plane.get("pods", "-n", namespace)["items"]
            except (KubectlFailed, json.JSONDecodeError):
                continue
            for pod in pods:
                name, part = pod["metadata"]["name"], pod["metadata"]["labels"]["app.kubernetes.io/component"]
                if part in ("migration", "test") and pod["status"].get("phase") != "Succeeded":
                    seen.append(part)
                    status = {"status": {"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "False"}]}}
                    arguments = ["patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge"]
                    plane.kubectl(*arguments, "-p", json.dumps(status), check=False)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def left(plane: ControlPlane, namespace: str) -> set[str]:
    """What of the release is there."""
    labelled = plane.get(KINDS, "-n", namespace, "-l", "app.kubernetes.io/name=llmdash")["items"]
    wide = plane.get(CLUSTERED, "-l", "app.kubernetes.io/name=llmdash")["items"]
    return {f"{one['kind']} {one['metadata']['name']}" for one in labelled + wide}


def eventually(plane: ControlPlane, namespace: str, done: Any) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE
    while True:
        pods: list[dict[str, Any]] = plane.get("pods", "-n", namespace)["items"]
        if done(pods):
            return pods
        assert time.monotonic() < deadline, plane.kubectl("get", "events", "-n", namespace)
        time.sleep(0.3)


def test_it_is_installed_upgraded_tested_and_gone(plane: ControlPlane, helm: Helm, home: str) -> None:
    team = f"{home}-team"
    plane.kubectl("create", "namespace", team)
    reach = ["--kubeconfig", str(plane.kubeconfig), "-n", home]
    values = {
        "ingress": {"enabled": True, "tlsSecret": "tls"}, "hosts": ["llmdash.example.org"],
        "rbac": {"namespaces": [team], "token": True},
    }  # fmt: skip
    seen: list[str] = []

    def run(*arguments: str, **more: Any) -> str:
        given = values | more
        last = ["-f", "-"] if arguments[0] in ("install", "upgrade") else []
        done = helm(*arguments, *reach, *last, input=yaml.dump(given))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "would violate PodSecurity" not in done.stderr
        return done.stdout + done.stderr

    with kubelet(plane, home, seen):
        told = run("install", "llmdash", str(CHART), "--timeout", "90s", "--wait=hookOnly")
        assert seen[0] == "migration"
        assert "get secret llmdash-token" in told
        pods = eventually(plane, home, lambda pods: len(pods) == 6)
        assert {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods} == {
            "web",
            "worker",
            "watcher",
        }
        can = ["auth", "can-i", "list", "pods", f"--as=system:serviceaccount:{home}:llmdash", "-n"]
        assert plane.kubectl(*can, team).strip() == "yes"
        assert plane.kubectl(*can, home, check=False).strip().startswith("no")

        seen.clear()
        run("upgrade", "llmdash", str(CHART), "--timeout", "90s", "--wait=hookOnly", web={"replicas": 3})
        assert seen[0] == "migration"
        eventually(plane, home, lambda pods: len(pods) == 7)

        seen.clear()
        run("test", "llmdash", "--timeout", "60s")
        assert seen[0] == "test"

        run("uninstall", "llmdash", "--cascade", "foreground", "--wait", "--timeout", "60s")
        eventually(plane, home, lambda pods: pods == [])
    assert left(plane, home) == set()
    assert plane.get("role,rolebinding", "-n", team)["items"] == []
    helms_own = [one["metadata"]["name"] for one in plane.get("secret", "-n", home)["items"]]
    assert helms_own == []
    plane.kubectl("delete", "namespace", team, "--wait=false")


def test_every_object_of_the_whole_cluster_form_is_taken_by_the_server(
    plane: ControlPlane, helm: Helm, home: str
) -> None:
    given = yaml.dump(
        {"rbac": {"scope": "cluster"}, "basePath": "/llmdash", "networkPolicy": {"from": [{"podSelector": {}}]}}
    )
    done = helm("template", "llmdash", str(CHART), "-n", home, "-f", "-", input=given)
    told = plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-n", home, "-f", "-", input=done.stdout)
    assert "clusterrole.rbac.authorization.k8s.io/" in told
    assert "job.batch/llmdash-migration created" in told
