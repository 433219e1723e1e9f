"""Questions to Prometheus: which pods they count, and that no name gets out of its string."""

import re

import pytest

from monitoring.promql import PRESENCE, QUESTIONS, TRAFFIC, quoted, selector

SELECTOR = re.compile(r'namespace="((?:[^"\\\n]|\\.)*)",pod=~"((?:[^"\\\n]|\\.)*)"')


def pods(name: str, *known: str) -> re.Pattern[str]:
    """The expression for pods as Prometheus understands it: anchored at both ends."""
    found = SELECTOR.fullmatch(selector("team", known, name))
    assert found
    return re.compile(rf"\A(?:{unquoted(found[2])})\Z")


def unquoted(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def test_current_and_past_pods_of_a_deployment_are_chosen() -> None:
    chosen = pods("qwen", "qwen-7d9f8b6c54-x2k9p")
    assert chosen.match("qwen-7d9f8b6c54-x2k9p")
    assert chosen.match("qwen-5bb8d49f6c-zz4wq")
    assert pods("qwen").match("qwen-5bb8d49f6c-zz4wq")


@pytest.mark.parametrize(
    "other",
    ["qwen-2-7d9f8b6c54-x2k9p", "qwen-7d9f8b6c54-7d9f8b6c54-x2k9p", "qwen-2-x2k9p", "qwen-2-0", "qwen-x2k9p",
     "my-qwen-7d9f8b6c54-x2k9p", "qwen2-7d9f8b6c54-x2k9p", "qwen-7d9f8b6c54-x2k9p-extra", "qwen", ""],
)  # fmt: skip
def test_another_workloads_pods_are_never_chosen(other: str) -> None:
    assert not pods("qwen").match(other)
    assert not pods("qwen", "qwen-7d9f8b6c54-aaaaa").match(other)


def test_pods_of_a_name_so_long_that_kubernetes_cuts_it_are_chosen() -> None:
    name = "a" * 50
    cut = f"{name}-7d9f8b6c54-"[:58] + "x2k9p"
    assert len(cut) == 63
    assert pods(name).match(cut)


def test_a_dot_in_a_name_stands_for_itself() -> None:
    assert not pods("q", "a.b").match("axb")
    assert pods("q", "a.b").match("a.b")


HOSTILE = ['"', '"} or vector(1) #', "\\", '\\"', "a\nb", "team|other", ".*", "${S}", "$S", "}", "\x00", "名"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_ends_its_string_early(name: str) -> None:
    for found in (selector(name, [name], name), selector("team", [name], "qwen"), selector("team", [], name)):
        assert SELECTOR.fullmatch(found), found
    parsed = SELECTOR.fullmatch(selector(name, [], "qwen"))
    assert parsed
    assert unquoted(parsed[1]) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pod_name_matches_itself_and_nothing_else(name: str) -> None:
    assert pods("qwen", name).match(name)
    assert not pods("qwen", name).match("other-7d9f8b6c54-x2k9p")


def test_a_string_is_quoted_as_promql_reads_it() -> None:
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


def test_every_question_is_bound_to_the_selector() -> None:
    for question in QUESTIONS["vllm"]:
        asked = question.query("HERE")
        assert "{HERE}" in asked
        assert "$S" not in asked
    assert PRESENCE.count("$S") == TRAFFIC.count("$S") == 1


def test_percentiles_are_taken_over_the_summed_buckets() -> None:
    ttft = next(question for question in QUESTIONS["vllm"] if question.key == "ttft")
    assert re.search(r"histogram_quantile\(0\.95, sum by \(le\) \(\(rate\(", ttft.template)
