"""Who sits in front of the pages, and what they see there."""

import html
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from deployments.choices import Health, Role
from deployments.models import (
    AuditEntry,
    ClusterStatus,
    Deployment,
    DeploymentStatus,
    IdempotencyKey,
    Project,
    Revision,
    SecretValue,
)
from llmdash.accounts.models import User
from tests import stage

Fields = dict[str, str]


@dataclass
class Person:
    """A signed-in person's browser."""

    user: User
    client: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        self.client.force_login(self.user)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, fields: Fields | None = None) -> Any:
        return self.client.post(path, fields or {})

    def raw(self, path: str, body: bytes, content_type: str = "application/x-www-form-urlencoded") -> Any:
        return self.client.post(path, body, content_type=content_type)

    def send(self, path: str, **changed: str) -> Any:
        """The form as it stands on the page, some of its fields typed anew."""
        return self.post(path, filled(self.get(path)) | changed)


@dataclass
class Team:
    """A project whose cluster was heard of just now, with a person for each role."""

    project: Project
    viewer: Person
    operator: Person
    admin: Person

    def make(self, name: str = "qwen", **spec: Any) -> Deployment:
        return stage.deployment(self.project, self.operator.user, name, **spec)

    def seen(self, row: Deployment, health: Health = Health.SERVING, **fields: Any) -> DeploymentStatus:
        """What the watcher wrote."""
        given: dict[str, Any] = {"health": health, "health_rank": health.rank, "changed_at": timezone.now()}
        found, _ = DeploymentStatus.objects.update_or_create(deployment=row, defaults=given | fields)
        return found


def team(name: str = "team") -> Team:
    project = stage.project(name, cluster=stage.cluster(f"of-{name}"))
    heard(project)
    people = {role: Person(stage.member(project, f"{name}-{role}", role)) for role in Role}
    return Team(project, people[Role.VIEWER], people[Role.OPERATOR], people[Role.ADMIN])


def heard(project: Project, seconds_ago: float = 0, **fields: Any) -> None:
    """When the cluster was last heard of."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    given = {"seen_at": at, "connection": "connected"} | fields
    ClusterStatus.objects.update_or_create(cluster=project.cluster, defaults=given)


def rows() -> dict[str, int]:
    """How many rows of everything there are: a refused request leaves them as they were."""
    kinds = (Deployment, Revision, AuditEntry, SecretValue, IdempotencyKey)
    return {kind.__name__: kind.objects.count() for kind in kinds}


# ---- reading pages


def text(answer: HttpResponse) -> str:
    """The words of a page, white space folded."""
    body = re.sub(r"<(script|style|template)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body))).strip()


def filled(answer: Any) -> Fields:
    """The form of a page as a browser would send it untouched."""
    form = answer.context["form"]
    values = {name: form[name].value() for name in form.fields}
    for name, found in form.fields.items():
        if hasattr(found, "choices") and values[name] is None:
            values[name] = next(iter(found.choices))[0]  # what a browser shows
    return {name: "" if value is None else str(value) for name, value in values.items()}


def beside(answer: Any, name: str) -> str:
    """What stands beside a field."""
    assert answer.status_code in (409, 422), answer.status_code
    found = re.search(rf'<div id="id_{name}_error">(.*?)</div>', answer.content.decode(), re.DOTALL)
    assert found, f"nothing beside {name}; {answer.context['form'].errors.as_json()}"
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1]))).strip()


def typed(answer: Any, name: str) -> str:
    """What a field of the page holds."""
    body = answer.content.decode()
    area = re.search(rf'<textarea name="{name}"[^>]*>\n?(.*?)</textarea>', body, re.DOTALL)
    field = re.search(rf'<input [^>]*name="{name}"[^>]*>', body, re.DOTALL)
    value = re.search(r'value="(.*?)"', field[0], re.DOTALL) if field else None
    found = area or value
    return html.unescape(found[1]) if found else ""
