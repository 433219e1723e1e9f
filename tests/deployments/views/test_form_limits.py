"""Mistakes in the forms are told all at once, what this installation allows among them."""

import re
from typing import Any

from tests.deployments.views.people import Team, beside, rows, text

NEW = "/deployments/new/"


def test_the_installations_limits_are_told_with_all_other_mistakes_at_once(team: Team, settings: Any) -> None:
    settings.LLMDASH = settings.LLMDASH | {"MAX_REPLICAS": 4, "MAX_GPUS": 2}
    wrong = {"name": "Not A Name", "llm": "no slash", "replicas": "5", "gpus": "3", "port": "many", "env": "1=x"}
    before = rows()
    answer = team.operator.send(NEW, **wrong)
    assert rows() == before
    assert beside(answer, "replicas") == "Must be 4 or less here."
    assert beside(answer, "gpus") == "Must be 2 or less here."
    assert beside(answer, "port") == "Must be a whole number."
    assert all(beside(answer, name) for name in ("name", "llm", "env"))


def test_the_hints_of_numbers_are_the_installations(team: Team, settings: Any) -> None:
    settings.LLMDASH = settings.LLMDASH | {"MAX_REPLICAS": 4, "MAX_GPUS": 2}
    row = team.make()
    for path in (NEW, f"/deployments/{row.pk}/edit/", f"/deployments/{row.pk}/scale/"):
        page = team.operator.get(path)
        assert re.search(r'<input type="number" name="replicas"[^>]* max="4"', page.content.decode()), path
        assert "At most 4 here." in text(page)
    assert "0 runs on the CPU. At most 2 here." in text(team.operator.get(NEW))


def test_what_runs_beyond_a_limit_that_was_lowered_can_be_stopped_and_made_smaller(team: Team, settings: Any) -> None:
    row = team.make(replicas=10)
    settings.LLMDASH = settings.LLMDASH | {"MAX_REPLICAS": 4}
    at = f"/deployments/{row.pk}"
    for act in ("stop", "start", "restart"):
        assert team.operator.post(f"{at}/{act}/").status_code == 302, act
    assert row.revisions.count() == 4
    assert team.operator.post(f"{at}/scale/", {"replicas": "9"}).status_code == 422
    assert team.operator.post(f"{at}/scale/", {"replicas": "3"}).status_code == 302


def test_mistakes_of_every_kind_are_told_in_one_round(team: Team) -> None:
    team.make("qwen")
    wrong = {
        "name": "qwen", "llm": "", "port": "many", "gpu_type": "H 100", "memory_request": "2Gi", "memory_limit": "1Gi",
        "secret_env": "TOKEN", "files": "=== /dev/shm\nx", "env": "A=1\nA=2", "reason": "x" * 501,
    }  # fmt: skip
    before = rows()
    answer = team.operator.send(NEW, **wrong)
    assert rows() == before
    assert beside(answer, "name") == "A deployment of this name stands in the project already."
    assert beside(answer, "llm") == "The runtime vLLM needs an LLM to serve."
    assert beside(answer, "port") == "Must be a whole number."
    assert beside(answer, "gpu_type").startswith("Must be a product label")
    assert beside(answer, "memory_request") == "Is more than the limit of 1Gi."
    assert beside(answer, "secret_env") == "Line 1 has no stored value; write NAME=value, all in one line."
    assert beside(answer, "files") == "/dev/shm is the place of the shared memory."
    assert beside(answer, "env") == "A stands twice."
    assert "at most 500 characters" in beside(answer, "reason")
    errors = answer.context["form"].errors
    assert set(errors) == set(wrong) - {"memory_limit"}
    assert all(len(found) == 1 for found in errors.values())


def test_a_field_has_no_second_mistake_beside_its_first(team: Team) -> None:
    answer = team.operator.send(NEW, name="x", runtime="ollama", llm="a/b\x00", service_type="Gateway")
    errors = answer.context["form"].errors
    assert {name: len(found) for name, found in errors.items()} == {"runtime": 1, "llm": 1, "service_type": 1}


def test_an_edit_tells_its_mistakes_in_one_round_as_well(team: Team) -> None:
    row = team.make()
    answer = team.operator.send(f"/deployments/{row.pk}/edit/", llm="", replicas="x", cpu_request="2", cpu_limit="1")
    assert set(answer.context["form"].errors) == {"llm", "replicas", "cpu_request"}
