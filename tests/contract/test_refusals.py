"""What people get wrong is refused by both in the same words."""

import pytest

from tests.contract.space import Space

SELECTORS = {
    "a in": "unable to parse requirement: found '' expected: '('",
    "a in (b": "unable to parse requirement: found '', expected: ',' or ')'",
    "a in (b c)": "unable to parse requirement: found 'c', expected: ',' or ')'",
    "a=b c": "found 'c', expected: ',' or 'end of string'",
    "=b": "found '=', expected: !, identifier, or 'end of string'",
    "a,": "found '', expected: identifier after ','",
    "!": "unable to parse requirement: found '', expected: identifier",
    "a>b": (
        'unable to parse requirement: values[0]: Invalid value: "b": '
        "for 'Gt', 'Lt' operators, the value must be an integer"
    ),
}
OTHER_SELECTORS = (
    "a in (", "a in b", "a in (b,", "a in ((b))", "a in (=)", "a in (b))", "a in (b) c", "==b", "!=b", "!a=b", "!!a",
    "!,a", ",", ",a", "a,,b", "a,=b", "a=b=c", "a=(", "(a)", "a=!b", "a===b", "a>=5", "a>", "a>-1", "-a=b", "a=-b",
    "a/b/c=d", "A_/b=c", "a/=b", "/a=b", "a=" + "b" * 64, "a" * 64, "a:b", 'a="b"', "a=é", "x in (-y,z_)",
)  # fmt: skip


def test_a_broken_label_selector_is_answered_in_the_same_words(both: tuple[Space, Space]) -> None:
    for selector in (*SELECTORS, *OTHER_SELECTORS):
        real, imitated = (
            space.http.get(f"{space.core}/configmaps", params={"labelSelector": selector}) for space in both
        )
        assert real.status_code == imitated.status_code == 400
        assert imitated.json() == real.json(), selector
        assert real.json()["message"] == SELECTORS.get(selector, real.json()["message"])


@pytest.mark.parametrize("selector", ["a in ()", "a in (,b)", "in=b", "in", "notin", "a in (in)", " ", "a = b", "a>5"])
def test_an_odd_label_selector_is_none_the_less_one(both: tuple[Space, Space], selector: str) -> None:
    for space in both:
        assert space.http.get(f"{space.core}/configmaps", params={"labelSelector": selector}).status_code == 200
