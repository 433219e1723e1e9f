"""The parser by itself: whatever arrives, it reads an object or refuses."""

import io
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import APIException

from deployments.http import StrictJSONParser

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.dictionaries(st.text(), st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=8))
SPELLED = [b"{", b"}", b"[", b"]", b'"a"', b":", b",", b"1", b"NaN", b"1e999", b'"\\ud800"', b"\xff", b" ", b"null"]


def parse(body: bytes) -> Any:
    return StrictJSONParser().parse(io.BytesIO(body))


@given(documents)
def test_every_object_is_read_as_it_was_written(document: dict[str, Any]) -> None:
    assert parse(json.dumps(document).encode()) == document
    assert parse(json.dumps(document, ensure_ascii=False).encode()) == document


@given(st.binary(max_size=200) | st.lists(st.sampled_from(SPELLED), max_size=30).map(b"".join))
def test_everything_else_is_refused_by_an_answer(body: bytes) -> None:
    try:
        document = parse(body)
    except APIException as refusal:
        assert refusal.status_code == 400  # noqa: PT017  (either way is right; both are looked at)
    else:
        assert isinstance(document, dict)
        assert not any(isinstance(value, float) and not math.isfinite(value) for value in document.values())


@pytest.mark.parametrize(("extra", "status"), [(0, 400), (1, 413)])
def test_the_limit_counts_bytes(settings: Any, extra: int, status: int) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    with pytest.raises(APIException) as refusal:
        parse(b"x" * (1000 + extra))
    assert refusal.value.status_code == status
