"""Somebody else's object of the same name: what the page offers, and what it says before it is done."""

from typing import Any

import pytest

from deployments.choices import Problem
from deployments.kube.apply import Fence, check
from deployments.kube.errors import Stranger
from deployments.models import AuditEntry, Deployment
from tests.deployments.views.people import Team, text


def met(team: Team, kind: str, name: str = "qwen") -> Deployment:
    """A deployment that met an object of somebody else's, as the worker records it."""
    row = team.make()
    live = {"name": name, "namespace": "team", "uid": "theirs"}
    with pytest.raises(Stranger) as refused:
        check({"kind": kind}, live, Fence("llmdash", str(row.pk), 1))
    error = {"message": refused.value.message, "reason": refused.value.reason, "status": 409}
    Deployment.objects.filter(pk=row.pk).update(problem=Problem.WAIT, last_error=error, attempted=1)
    return row


def page(row: Deployment, act: str = "") -> str:
    return f"/deployments/{row.pk}/{act}"


@pytest.mark.parametrize(("kind", "name"), [("Service", "qwen"), ("ConfigMap", "qwen-files"), ("Secret", "qwen-env")])
def test_an_object_that_can_be_adopted_is_offered_with_what_that_means(team: Team, kind: str, name: str) -> None:
    row = met(team, kind, name)
    answer = team.operator.get(page(row))
    assert f"{kind} {name} exists in namespace team and is not ours." in text(answer)
    assert "Next: Adopt it, remove it, or deploy under another name. " in text(answer)
    assert f'href="{page(row, "take-over/")}"' in answer.content.decode()
    said = text(team.operator.get(page(row, "take-over/")))
    assert f"{kind} {name} in namespace team of cluster of-team was not made by llmdash." in said
    assert "When this deployment is deleted the object is left in place" in said
    done = team.operator.post(page(row, "take-over/"))
    assert done["Location"] == page(row)
    row.refresh_from_db()
    assert row.taken_over_at
    assert AuditEntry.objects.filter(action="take over").count() == 1
    assert f"qwen adopts {kind} {name}." in text(team.operator.get(page(row)))


def test_a_deployment_cannot_be_adopted_and_the_page_says_why(team: Team) -> None:
    row = met(team, "Deployment")
    answer = team.operator.get(page(row))
    assert "A Deployment cannot be adopted: its selector is immutable" in text(answer)
    assert page(row, "take-over/") not in answer.content.decode()
    refused: Any = team.operator.post(page(row, "take-over/"))
    assert refused.status_code == 422
    assert "A Deployment cannot be adopted" in text(refused)
    row.refresh_from_db()
    assert row.taken_over_at is None


def test_a_viewer_reads_who_may_adopt(team: Team) -> None:
    row = met(team, "Service")
    answer = team.viewer.get(page(row))
    assert "An operator of the project can adopt it." in text(answer)
    assert page(row, "take-over/") not in answer.content.decode()
    assert team.viewer.post(page(row, "take-over/")).status_code == 403


def test_words_that_name_no_object_offer_nothing(team: Team) -> None:
    row = team.make()
    error = {"message": "<b>odd</b>", "reason": "Stranger"}
    Deployment.objects.filter(pk=row.pk).update(problem=Problem.WAIT, last_error=error)
    assert "Adopt it" not in text(team.operator.get(page(row)))
