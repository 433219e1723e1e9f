"""The stage on which tests play: one project with an owner, teammates by role and a stranger. Plain factories."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from deployments import services
from deployments.choices import Role
from deployments.crypto import new_key_line
from deployments.models import Cluster, Deployment, Membership, Project
from deployments.spec import Spec
from llmdash.accounts.models import User

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True, scope="session")
def encryption_key() -> None:
    """Secrets can be sealed in every test."""
    Path(settings.LLMDASH["ENCRYPTION_KEY_FILE"]).write_text(new_key_line())


@pytest.fixture(autouse=True)
def tasks_stay_here(settings: Any) -> None:
    """Messages to workers go nowhere; tests call the worker's step themselves."""
    settings.CELERY_BROKER_URL = "memory://"
    from llmdash import celery_app

    celery_app.conf.broker_url = "memory://"


def user(name: str, **fields: Any) -> User:
    return User.objects.create_user(name, password=PASSWORD, **fields)


def cluster(name: str = "east", **fields: Any) -> Cluster:
    made = Cluster(name=name, **{"api_url": "https://127.0.0.1:1", "credentials_changed_at": timezone.now()} | fields)
    made.seal_credentials({"token": "a-token"})
    made.save()
    return made


def project(name: str = "team", **fields: Any) -> Project:
    given = {"namespace": name} | fields
    return Project.objects.create(name=name, cluster=given.pop("cluster", None) or cluster(), **given)


def member(project: Project, name: str, role: Role) -> User:
    made = user(name)
    Membership.objects.create(project=project, user=made, role=role)
    return made


def spec(**fields: Any) -> Spec:
    return Spec.model_validate({"llm": "Qwen/Qwen3-8B", "gpus": 1} | fields)


def deployment(project: Project, by: User, name: str = "qwen", **fields: Any) -> Deployment:
    return services.create(project=project, name=name, spec=spec(**fields), by=by)
