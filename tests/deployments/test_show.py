"""Words and values as pages show them."""

import pytest

from deployments.templatetags.show import plain


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "nothing"), ("", "nothing"), ([], "nothing"), (0, "0"), (True, "yes"), ("9Ti", "9Ti"),
        ({"name": "A", "value": "1", "secret": None}, "A=1"),
        ({"name": "T", "value": None, "secret": "c687"}, "T (secret)"), ({"a": 1}, '{"a": 1}'),
    ],
)  # fmt: skip
def test_a_value_is_told_as_people_write_it(value: object, told: str) -> None:
    assert plain(value) == told
