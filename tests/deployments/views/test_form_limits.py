"""What this installation allows, in the forms."""

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
