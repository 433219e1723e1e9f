"""What the spec takes, a real API server takes: nobody learns of a typing mistake from the cluster."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings

from deployments.kube.client import encode
from deployments.kube.kinds import path_of
from deployments.manifests import build
from tests.controlplane.fixtures import plane
from tests.controlplane.plane import ControlPlane
from tests.deployments.manifests.workloads import FULL, workload
from tests.deployments.specs import WISHES

__all__ = ["plane"]  # a fixture

pytestmark = pytest.mark.plane
MOST: dict[str, Any] = {
    "llm": "a/" + "b" * 198, "gpus": 1024, "replicas": 100_000, "startup_seconds": 86_400,
    "gpu_resource": f"{'a' * 63}.{'b' * 50}/{'c' * 62}", "gpu_type": "x" * 63,
    "cpu_limit": "9E", "memory_limit": "7Ei", "shared_memory": "999999999999999.999999999Ei",
    "node_selector": {f"{'a' * 63}.{'b' * 63}/{i}{'c' * 61}": "d" * 63 for i in range(20)},
    "args": ["x" * 2000] * 100, "command": ["x" * 2000] * 50, "health_path": "/" + "~" * 200,
    "env": [{"name": f"A{i}", "value": "x" * 2500} for i in range(200)],
    "files": [{"path": f"/{'d' * 99}{chr(97 + i)}" * 10, "content": "x" * 45_000} for i in range(20)],
}  # fmt: skip
ODD = " \t\n \N{ROCKET} a\N{LINE SEPARATOR}b\N{PARAGRAPH SEPARATOR}c\ufeff \ufffe \uffff \ue000 \"'\\ # : - ${A} {{ }} "


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[httpx.Client]:
    with plane.client() as made:
        yield made


@pytest.mark.parametrize("name", ["a", "a" * 50])
@settings(max_examples=40, deadline=None)
@example(FULL)
@example(MOST)
@example({"llm": "a/b", "args": [ODD], "env": [{"name": "A", "value": ODD}], "files": [{"path": "/a", "content": ODD}]})
@given(WISHES)
def test_whatever_the_spec_takes_is_taken(client: httpx.Client, name: str, wish: dict[str, Any]) -> None:
    secret = {var["name"]: b"\x00value" for var in wish.get("env", []) if "secret" in var}
    for manifest in build(workload(name, namespace="default", secrets=secret, **wish)):
        answer = client.patch(
            path_of(manifest),
            params={"fieldManager": "llmdash", "dryRun": "All", "fieldValidation": "Strict"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            content=encode(manifest),
        )
        assert answer.status_code == 201, answer.text
        for part in ("data", "spec"):
            assert stands_in(manifest.get(part), answer.json().get(part))


def stands_in(asked: Any, made: Any) -> bool:
    """Whether the answer holds all that was asked for; quantities apart, which the server writes anew."""
    if isinstance(asked, dict):
        compared = asked.keys() - {"limits", "requests", "sizeLimit"}
        return all(stands_in(asked[key], made.get(key, "")) for key in compared)
    if isinstance(asked, list):
        return len(asked) == len(made) and all(map(stands_in, asked, made))
    return bool(asked == made)
