"""The form of a deployment, sent as a browser sends it."""

from typing import Any

from deployments.models import Deployment, Revision
from tests.deployments.views.people import Fields, Person, rows

NEW = "/deployments/new/"
CANARY = "hush-canary-5f2e"
GOOD: Fields = {"name": "qwen", "llm": "Qwen/Qwen3-8B", "gpus": "1"}


def edit(row: Deployment) -> str:
    return f"/deployments/{row.pk}/edit/"


def newest(row: Deployment) -> Revision:
    return Revision.objects.filter(deployment=row).latest("number")


def refused(person: Person, path: str, **changed: str) -> Any:
    """The answer to a form that must save nothing."""
    before = rows()
    answer = person.send(path, **changed)
    assert answer.status_code == 422, answer.status_code
    assert rows() == before
    return answer
