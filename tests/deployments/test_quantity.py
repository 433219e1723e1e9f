"""Quantities mean what Kubernetes says they mean."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils import quantity as official

from deployments import quantity

NUMBERS = st.from_regex(r"\A([0-9]{1,15}(\.[0-9]{1,9})?|\.[0-9]{1,9})\Z")
SUFFIXES = st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"])


def theirs(text: str) -> Decimal:
    """What the official client reads."""
    read: Decimal = official.parse_quantity(text)  # type: ignore[no-untyped-call]
    return read


@given(NUMBERS, SUFFIXES)
def test_every_suffix_means_what_the_official_client_says(number: str, suffix: str) -> None:
    assert quantity.parse(number + suffix) == theirs(number + suffix)


@given(NUMBERS, st.sampled_from("eE"), st.integers(-99, 99))
def test_an_exponent_is_a_power_of_ten(number: str, letter: str, power: int) -> None:
    assert quantity.parse(f"{number}{letter}{power}") == Decimal(number) * Decimal(10) ** power


@given(st.text("0123456789.eEkKMGTPimnu+- ", max_size=8))
def test_what_is_taken_means_the_same_to_the_official_client_where_that_takes_it(text: str) -> None:
    try:
        ours = quantity.parse(text)
        expected = theirs(text)
    except (ValueError, IndexError):
        return
    assert ours == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [("500m", "0.5"), ("2", "2"), ("16Gi", str(16 * 1024**3)), ("1Ei", str(1024**6)), ("2E", "2e18"), ("1E3", "1000"),
     ("1e+3", "1000"), ("1e-3", "0.001"), (".5", "0.5"), ("0", "0")],
)  # fmt: skip
def test_each_way_of_writing_has_its_value(text: str, value: str) -> None:
    assert quantity.parse(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", " ", "1 ", " 1", "one", "-1", "+1", "1.", ".", "1K", "1ki", "1GiB", "1e", "1e1e1", "1e999", "0x10",
             "1_000", "1,5", "NaN", "Infinity", "١", "1\n", "1" * 16]
)  # fmt: skip
def test_what_is_no_quantity_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity such as 500m, 2 or 16Gi"):
        quantity.parse(text)
