"""One golden manifest for each kind, read by people and taken by a real API server."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deployments.kube.client import encode
from deployments.kube.kinds import path_of
from deployments.manifests import build, rbac
from tests.controlplane.fixtures import namespace, plane
from tests.controlplane.plane import ControlPlane
from tests.deployments.manifests.workloads import PLAIN, full, workload

__all__ = ["namespace", "plane"]  # fixtures

GOLDEN = Path(__file__).parent / "golden"
KINDS = ["configmap", "secret", "deployment", "service", "namespace", "serviceaccount", "role", "rolebinding"]


def golden(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((GOLDEN / f"{kind}.yaml").read_text(encoding="utf-8"))
    return found


def manifests(namespace: str = "team-space") -> dict[str, dict[str, Any]]:
    """What every golden file stands for; of the three roles the strongest."""
    roles = rbac.build(namespace, "llmdash", create_namespace=True)
    return {manifest["kind"].lower(): manifest for manifest in [*build(full(namespace)), *roles]}


def dry_run(client: httpx.Client, manifest: dict[str, Any]) -> httpx.Response:
    return client.patch(
        path_of(manifest),
        params={"fieldManager": "llmdash", "dryRun": "All", "fieldValidation": "Strict"},
        headers={"Content-Type": "application/apply-patch+yaml"},
        content=encode(manifest),
    )


def test_each_kind_has_its_golden_file() -> None:
    assert sorted(manifests()) == sorted(KINDS) == sorted(path.stem for path in GOLDEN.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_is_what_its_golden_file_shows(kind: str) -> None:
    assert manifests()[kind] == golden(kind)


def test_objects_come_in_the_order_in_which_others_need_them() -> None:
    assert [manifest["kind"] for manifest in build(full())] == ["ConfigMap", "Secret", "Deployment", "Service"]


@pytest.mark.plane
@pytest.mark.parametrize("kind", KINDS)
def test_a_real_api_server_takes_every_golden_strictly(plane: ControlPlane, namespace: str, kind: str) -> None:
    text = (GOLDEN / f"{kind}.yaml").read_text(encoding="utf-8").replace("team-space", namespace)
    with plane.client() as client:
        answer = dry_run(client, yaml.safe_load(text))
    assert answer.status_code in (200, 201), answer.text
    assert "Warning" not in answer.headers


@pytest.mark.plane
def test_a_real_api_server_takes_the_plain_case_strictly(plane: ControlPlane, namespace: str) -> None:
    with plane.client() as client:
        for manifest in build(workload("gpt-4", namespace=namespace, **PLAIN)):
            answer = dry_run(client, manifest)
            assert answer.status_code == 201, answer.text


@pytest.mark.plane
def test_the_strict_check_would_find_a_field_that_does_not_exist(plane: ControlPlane, namespace: str) -> None:
    wrong = yaml.safe_load((GOLDEN / "service.yaml").read_text(encoding="utf-8").replace("team-space", namespace))
    wrong["spec"]["prots"] = []
    with plane.client() as client:
        answer = dry_run(client, wrong)
    assert answer.status_code >= 400
    assert "prots" in answer.text
