"""What others wrote, made fit for every database."""

import json

import pytest

from deployments.models import DeploymentStatus
from monitoring.watcher.storable import MAX_TEXT, MAX_WHOLE, storable
from tests import stage


def test_text_without_end_is_cut_and_says_so() -> None:
    assert storable("x" * (MAX_TEXT + 1)) == "x" * MAX_TEXT + "…"
    assert storable("x" * MAX_TEXT) == "x" * MAX_TEXT


def test_nul_is_replaced_however_deep_it_stands() -> None:
    found = storable([{"a\x00": ["b\x00", {"c": "\x00"}]}])
    assert "\\u0000" not in json.dumps(found)
    assert found[0]["a\ufffd"][0] == "b\ufffd"


@pytest.mark.parametrize("value", [0, 1, -1, 1.5, True, False, None, [], {}, ""])
def test_plain_values_stay(value: object) -> None:
    assert storable(value) == value
    assert type(storable(value)) is type(value)


def test_numbers_beyond_a_column_are_its_largest() -> None:
    assert storable(10**30) == MAX_WHOLE


@pytest.mark.django_db
def test_a_row_of_such_values_can_be_written_and_read() -> None:
    project = stage.project("team")
    row = stage.deployment(project, stage.user("maria"))
    message = storable("a\x00b" + "x" * 10_000)
    DeploymentStatus.objects.create(deployment=row, sentence=message, pods=[{"message": message}])
    assert DeploymentStatus.objects.get().pods[0]["message"].startswith("a\ufffdbx")
