"""The official dynamic client, as programs use it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import config, dynamic
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

from tests.contract.space import Space, config_map, workload


def connect(kubeconfig: str, cache: str) -> Any:
    """The client is published without types."""
    make: Any = config.new_client_from_config_dict
    client: Any = dynamic.DynamicClient
    return client(make(yaml.safe_load(kubeconfig)), cache_file=cache)


@pytest.fixture
def client(space: Space, tmp_path: Path) -> Any:
    """With a discovery cache of its own."""
    return connect(space.cluster.kubeconfig.read_text(encoding="utf-8"), str(tmp_path / "discovery.json"))


def test_it_finds_kinds_and_says_the_version(client: Any) -> None:
    assert client.version["kubernetes"]["gitVersion"].startswith("v1.36")
    found = client.resources.get(api_version="apps/v1", kind="Deployment")
    assert (found.name, found.namespaced) == ("deployments", True)
    assert "scale" in found.subresources


def test_it_creates_reads_patches_and_deletes(client: Any, space: Space) -> None:
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(body=config_map("m", a="1"), namespace=space.name)
    found = maps.get(name="m", namespace=space.name)
    assert found.data.a == "1"
    maps.patch(body={"data": {"a": "2"}}, name="m", namespace=space.name, content_type="application/merge-patch+json")
    with pytest.raises(ConflictError):
        maps.replace(body=found.to_dict(), namespace=space.name)
    assert [one.metadata.name for one in maps.get(namespace=space.name, field_selector="metadata.name=m").items] == [
        "m"
    ]
    maps.delete(name="m", namespace=space.name)
    with pytest.raises(NotFoundError):
        maps.get(name="m", namespace=space.name)


def test_it_applies_and_meets_conflicts(client: Any, space: Space) -> None:
    deployments = client.resources.get(api_version="apps/v1", kind="Deployment")
    deployments.server_side_apply(
        body=workload("web", replicas=0), namespace=space.name, name="web", field_manager="first"
    )
    with pytest.raises(ConflictError) as conflict:
        deployments.server_side_apply(
            body=workload("web", replicas=1), namespace=space.name, name="web", field_manager="second"
        )
    assert "FieldManagerConflict" in str(conflict.value.body)
    found = deployments.server_side_apply(
        body=workload("web", replicas=1), namespace=space.name, name="web", field_manager="second",
        force_conflicts=True,
    )  # fmt: skip
    assert found.spec.replicas == 1


def test_it_watches_from_a_version(client: Any, space: Space) -> None:
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    start = maps.get(namespace=space.name).metadata.resourceVersion
    maps.create(body=config_map("seen"), namespace=space.name)
    events = maps.watch(namespace=space.name, resource_version=start, timeout=3)
    told = [(one["type"], one["object"].metadata.name) for one in events if one["object"].metadata.name == "seen"]
    assert told == [("ADDED", "seen")]
