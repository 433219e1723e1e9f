"""Fields by the names that the API server gives them in a conflict."""

from typing import Any

import pytest

from deployments import fieldpath

PORT = {"name": "http", "containerPort": 80, "protocol": "TCP"}
CONTAINER = {"name": "a", "image": "x:1", "ports": [PORT], "resources": {"limits": {"cpu": "500m"}}}
FOUND = {
    "metadata": {"labels": {"app": "x", "app.kubernetes.io/name": "y"}},
    "spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "b"}, CONTAINER]}}},
}
A = '.spec.template.spec.containers[name="a"]'


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (".spec.replicas", 3),
        (".metadata.labels.app", "x"),
        (".metadata.labels.app.kubernetes.io/name", "y"),
        (f"{A}.image", "x:1"),
        (f'{A}.ports[containerPort=80,protocol="TCP"].name', "http"),
        (f'{A}.ports[containerPort=81,protocol="TCP"].name', fieldpath.ABSENT),
        (f'{A}.env[name="Y"].value', fieldpath.ABSENT),
        ('.spec.template.spec.containers[name="b"].image', fieldpath.ABSENT),
        ('.metadata.finalizers[="x"]', fieldpath.ABSENT),
        (".spec.nothing.below", fieldpath.ABSENT),
        (".spec.replicas.below", fieldpath.ABSENT),
    ],
)
def test_a_field_is_found_by_its_name(field: str, value: Any) -> None:
    assert fieldpath.value(FOUND, field) == value


def test_what_neither_or_only_the_other_has_is_not_the_same() -> None:
    assert fieldpath.same(FOUND, FOUND, f"{A}.image")
    assert not fieldpath.same(FOUND, {"spec": {"replicas": 4}}, ".spec.replicas")
    assert not fieldpath.same({"spec": {}}, FOUND, ".spec.replicas")
    assert not fieldpath.same(FOUND, {}, ".spec.replicas")


def test_two_spellings_of_a_quantity_are_the_same() -> None:
    other = {"spec": {"template": {"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "0.5"}}}]}}}}
    assert fieldpath.same(other, FOUND, f"{A}.resources.limits.cpu")
    assert fieldpath.same(other, FOUND, f"{A}.resources")
