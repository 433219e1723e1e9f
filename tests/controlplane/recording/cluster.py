"""The API server as the recording sees it: requests, waiting, and playing the kubelet."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpx

from tests.controlplane import manifests
from tests.controlplane.manifests import Manifest
from tests.controlplane.plane import ControlPlane

NAMESPACE = "recorded"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
PATIENCE = 40.0
HEARTBEAT = 2.0
NODES = 4
KEPT_HEADERS = ("content-type", "retry-after", "warning", "allow", "location")
TYPES = {
    "POST": "application/json",
    "PUT": "application/json",
    "DELETE": "application/json",
    "PATCH": "application/merge-patch+json",
}


class Cluster:
    """A plane with a namespace of its own, and a watch that notes every status a Deployment goes through."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.client = plane.client()
        self.histories: dict[str, list[Any]] = {}
        self.silent: set[str] = set()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        self.wait(lambda: self.client.get(f"{CORE}/serviceaccounts/default").is_success)
        for work in (self._watch_deployments, self._beat):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.client.close()

    def get(self, path: str, **parameters: str) -> Any:
        return self.client.get(path, params=parameters).raise_for_status().json()

    def items(self, path: str, **parameters: str) -> list[Any]:
        return list(self.get(path, **parameters)["items"])

    def create(self, path: str, manifest: Manifest) -> Any:
        return self.client.post(path, json=manifest).raise_for_status().json()

    def patch(self, path: str, change: Manifest) -> Any:
        """A merge patch."""
        headers = {"Content-Type": TYPES["PATCH"]}
        return self.client.patch(path, content=json.dumps(change), headers=headers).raise_for_status().json()

    def delete(self, path: str, **parameters: str) -> None:
        self.client.delete(path, params=parameters).raise_for_status()

    def exchange(
        self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None, token: str = ""
    ) -> dict[str, Any]:
        """One request and what came back, as it is recorded; credentials are left out."""
        kind = {"Content-Type": TYPES[method]} if body is not None else {}
        sent = {**kind, **(headers or {})}
        content = body if isinstance(body, str | None) else json.dumps(body)
        secret = {"Authorization": f"Bearer {token}"} if token else {}
        response = self.client.request(method, path, content=content, headers={**sent, **secret})
        return {
            "request": {"method": method, "path": path, "headers": sent, "body": body},
            "code": response.status_code,
            "headers": {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
            "body": _events(response.text) if "watch=1" in path else _decoded(response),
        }

    def wait(self, check: Callable[[], Any]) -> Any:
        """The first true thing that a check gives."""
        deadline = time.monotonic() + PATIENCE
        while not (found := check()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {PATIENCE:.0f} s: {check.__qualname__}")
            time.sleep(0.05)
        return found

    def pods(self, app: str, phase: str = "") -> list[Any]:
        found = self.items(f"{CORE}/pods", labelSelector=f"app={app}")
        return [pod for pod in found if pod["status"]["phase"] == phase or not phase]

    def run_pods(self, app: str, count: int) -> None:
        """Be the kubelet of so many pods that have a node: they run and are ready."""
        self.wait(lambda: len([pod for pod in self.pods(app) if pod["spec"].get("nodeName")]) >= count)
        for pod in self.pods(app, "Pending"):
            self.patch(f"{CORE}/pods/{pod['metadata']['name']}/status", {"status": manifests.running(pod)})

    def bury_pods(self, app: str) -> None:
        """Be the kubelet of pods that are to go: they are gone."""
        for pod in self.pods(app):
            if pod["metadata"].get("deletionTimestamp"):
                self.delete(f"{CORE}/pods/{pod['metadata']['name']}", gracePeriodSeconds="0")

    def deployment(self, name: str) -> Any:
        return self.get(f"{APPS}/deployments/{name}")

    def wait_condition(self, name: str, reason: str) -> None:
        """Wait until a Deployment has, or has had for a moment, a condition for that reason."""

        def had_reason() -> bool:
            conditions = [c for seen in self.histories.get(name, ()) for c in seen["status"].get("conditions", ())]
            return any(condition["reason"] == reason for condition in conditions)

        self.wait(had_reason)

    def _watch_deployments(self) -> None:
        try:
            with self.plane.client().stream("GET", f"{APPS}/deployments", params={"watch": "1"}, timeout=None) as lines:
                for line in lines.iter_lines():
                    self._note(json.loads(line)["object"])
        except httpx.TransportError:
            return  # the recording stops the API server while this waits

    def _beat(self) -> None:
        """Be the kubelets that say every few seconds that their nodes are alive, those that fell silent excepted."""
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        with self.plane.client() as client:
            while not self._over.wait(HEARTBEAT):
                content = json.dumps({"status": {"conditions": [manifests.ready()]}})
                for name in {f"node-{number}" for number in range(NODES)} - self.silent:
                    # The recording restarts the API server meanwhile.
                    with suppress(httpx.TransportError):
                        client.patch(f"/api/v1/nodes/{name}/status", content=content, headers=headers)

    def _note(self, deployment: Any) -> None:
        seen = self.histories.setdefault(deployment["metadata"]["name"], [])
        status = {
            "generation": deployment["metadata"]["generation"],
            "replicas": deployment["spec"]["replicas"],
            "status": deployment["status"],
        }
        if not seen or seen[-1] != status:
            seen.append(status)


def _events(lines: str) -> list[Any]:
    return [json.loads(line) for line in lines.splitlines()]


def _decoded(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text
