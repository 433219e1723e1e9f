"""Every refusal has a code of its own for programs."""

import pytest
from rest_framework.exceptions import APIException

from deployments.api.base import LengthRequired
from deployments.http.conditions import PreconditionFailed, PreconditionRequired
from deployments.http.problems import explain
from deployments.http.strict import TooLarge


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(PreconditionRequired(), 428, "precondition-required"), (PreconditionFailed(), 412, "precondition-failed"),
     (TooLarge(), 413, "too-large"), (LengthRequired(), 411, "length-required")],
)  # fmt: skip
def test_a_refusal_of_ours_says_which_it_is(error: APIException, status: int, code: str) -> None:
    said = explain(error)
    assert (said.status, said.code) == (status, code)
