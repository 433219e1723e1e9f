"""A namespace of a cluster, whichever of the two, as the contract's tests use it."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx

Json = dict[str, Any]
PATIENCE = 40.0
T = TypeVar("T")


class Cluster(Protocol):
    """What a real plane and a simulated one have in common."""

    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def kubeconfig(self) -> Path: ...
    def client(self, token: str | None = None) -> httpx.Client: ...
    def kubectl(
        self, *arguments: str, input: str | None = None, check: bool = True, token: str | None = None
    ) -> str: ...


@dataclass
class Space:
    """kubectl and plain HTTP in one namespace."""

    cluster: Cluster
    name: str
    http: httpx.Client

    @property
    def core(self) -> str:
        return f"/api/v1/namespaces/{self.name}"

    @property
    def apps(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.name}"

    def kubectl(self, *arguments: str, given: Json | str | None = None, check: bool = True) -> str:
        """What kubectl prints; `given` is what `-f -` reads."""
        text = given if isinstance(given, str | None) else json.dumps(given)
        return self.cluster.kubectl("-n", self.name, *arguments, input=text, check=check)

    def get(self, *arguments: str) -> Json:
        found: Json = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found

    def items(self, *arguments: str) -> list[Json]:
        return list(self.get(*arguments)["items"])

    def apply(self, manifest: Json, *options: str) -> str:
        return self.kubectl("apply", *options, "-f", "-", given=manifest)

    def send(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/json", **headers: str
    ) -> httpx.Response:
        """One request; header names are written with `_`."""
        content = body if isinstance(body, str | None) else json.dumps(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent["Content-Type"] = kind
        return self.http.request(method, path, content=content, headers=sent)

    def server_apply(self, path: str, manifest: Json, manager: str, *, force: bool = False) -> httpx.Response:
        query = f"?fieldManager={manager}" + ("&force=true" if force else "")
        return self.send("PATCH", path + query, manifest, kind="application/apply-patch+yaml")

    def wait(self, check: Callable[[], T | None], patience: float = PATIENCE) -> T:
        """The first true thing that a check gives."""
        deadline = time.monotonic() + patience
        while not (found := check()):
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"not within {patience:.0f} s; last: {found!r}\n{self.kubectl('get', 'all,events')}"
                )
            time.sleep(0.05)
        return found

    def wait_gone(self, path: str) -> None:
        self.wait(lambda: self.http.get(path).status_code == httpx.codes.NOT_FOUND)

    def reasons(self, kind: str = "") -> set[str]:
        """Reasons of the events about a kind of object."""
        return {one["reason"] for one in self.items("events") if kind in ("", one["involvedObject"]["kind"])}

    def messages(self, reason: str) -> list[str]:
        return [one["message"] for one in self.items("events") if one["reason"] == reason]


def differences(found: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ, a line for each place."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted(found.keys() | expected.keys()):
            if key not in found:
                yield f"{path}.{key} is missing: {json.dumps(expected[key])}"
            elif key not in expected:
                yield f"{path}.{key} is too much: {json.dumps(found[key])}"
            else:
                yield from differences(found[key], expected[key], f"{path}.{key}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif found != expected:
        yield f"{path} is {json.dumps(found)}, should be {json.dumps(expected)}"


def config_map(name: str, labels: dict[str, str] | None = None, **data: str) -> Json:
    meta: Json = {"name": name} | ({"labels": labels} if labels else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def workload(name: str, *, replicas: int = 1, image: str = "registry.example/app:1", pod: Json | None = None,
             container: Json | None = None, **spec: Any) -> Json:  # fmt: skip
    """A Deployment of one container that starts at once."""
    labels = {"app": name}
    one = {"name": "main", "image": image} | (container or {})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [one]} | (pod or {}),
            },
        }
        | spec,
    }


def gpus(count: int) -> Json:
    return {"resources": {"limits": {"nvidia.com/gpu": str(count)}}}
