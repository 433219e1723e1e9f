"""Somebody who calls the API, and what stands there to call about."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.http import HttpResponse
from django.test import Client

from deployments.choices import Role
from deployments.models import Deployment, Project
from llmdash.accounts.models import User
from tests import stage

ROOT = "/api/v1"
PROBLEM = "application/problem+json"


@dataclass
class Caller:
    """A signed-in person's client; `str` and `bytes` are sent as they are, everything else as JSON."""

    person: User | None
    client: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        if self.person:
            self.client.force_login(self.person)

    def __call__(self, method: str, path: str, body: Any = None, /, **headers: str) -> Any:
        raw = body if isinstance(body, str | bytes) else json.dumps({} if body is None else body)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        content_type = given.pop("Content-Type", "application/json")
        data = b"" if body is None else raw
        return self.client.generic(method, ROOT + path, data, content_type=content_type, headers=given)

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)


@dataclass
class Team:
    """A project with one deployment, and a caller for each role."""

    project: Project
    viewer: Caller
    operator: Caller
    admin: Caller
    deployment: Deployment

    @property
    def path(self) -> str:
        return f"/deployments/{self.deployment.pk}"


def team(name: str = "team") -> Team:
    made = stage.project(name, cluster=stage.cluster(f"of-{name}"))
    callers = {role: Caller(stage.member(made, f"{name}-{role}", role)) for role in Role}
    operator = callers[Role.OPERATOR]
    assert operator.person
    return Team(
        made,
        callers[Role.VIEWER],
        operator,
        callers[Role.ADMIN],
        stage.deployment(made, operator.person, f"{name}-llm"),
    )


def wish(project: Project, /, **changed: Any) -> dict[str, Any]:
    """A body that creates a deployment."""
    return {"project": project.name, "name": "new", "spec": {"llm": "Qwen/Qwen3-8B", "gpus": 1}} | changed


def rows() -> dict[str, int]:
    """How many rows of everything there are: a refused request leaves them as they were."""
    kinds = [kind for label in ("deployments", "accounts") for kind in apps.get_app_config(label).get_models()]
    return {kind.__name__: kind._default_manager.count() for kind in kinds}


def pointers(answer: HttpResponse) -> list[str]:
    """Where the problem answer says that faults are."""
    return [error["pointer"] for error in json.loads(answer.content).get("errors", [])]


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem details of an answer, checked for the members that each has."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer["X-Request-ID"]
    return body
