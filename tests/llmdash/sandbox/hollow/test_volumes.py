"""Volumes made up for claims."""

from typing import Any

import pytest

from llmdash.sandbox.hollow.volumes import is_left_over, storage_class, volume_for


def claim(**spec: Any) -> dict[str, Any]:
    wanted = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "50Gi"}}}
    return {
        "metadata": {"name": "cache", "namespace": "team", "uid": "u-1"},
        "spec": {"storageClassName": "hollow", **wanted, **spec},
        "status": {"phase": "Pending"},
    }


def test_an_open_claim_of_our_class_gets_a_volume_reserved_for_it() -> None:
    volume = volume_for(claim())
    assert volume
    assert volume["metadata"]["name"] == "pvc-u-1"
    assert volume["spec"]["capacity"] == {"storage": "50Gi"}
    assert volume["spec"]["accessModes"] == ["ReadWriteMany"]
    assert volume["spec"]["claimRef"]["uid"] == "u-1"


@pytest.mark.parametrize("spec", [{"storageClassName": "other"}, {"volumeName": "bound"}, {"storageClassName": None}])
def test_other_claims_are_left_alone(spec: dict[str, Any]) -> None:
    assert volume_for(claim(**spec)) is None


def test_only_our_released_volumes_are_removed() -> None:
    volume: dict[str, Any] = {"metadata": {}, "spec": {"storageClassName": "hollow"}, "status": {"phase": "Released"}}
    assert is_left_over(volume)
    assert not is_left_over(volume | {"status": {"phase": "Bound"}})
    assert not is_left_over(volume | {"spec": {"storageClassName": "other"}})


def test_the_class_is_the_default_only_where_there_is_no_other() -> None:
    for default, text in ((True, "true"), (False, "false")):
        annotations = storage_class(default=default)["metadata"]["annotations"]
        assert annotations["storageclass.kubernetes.io/is-default-class"] == text
