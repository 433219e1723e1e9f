"""Values that nobody reads again."""

from typing import TYPE_CHECKING

from django.db import transaction

from deployments import audit
from deployments.choices import Action
from deployments.models import Project, SecretValue
from deployments.services.projects import lock

if TYPE_CHECKING:
    from llmdash.accounts.models import User


def store_secret(*, project: Project, name: str, value: str, by: "User") -> SecretValue:
    """Keep a value that nobody reads again: a new version each time."""
    with transaction.atomic():
        lock(project)  # two at once get a version each
        last = SecretValue.objects.filter(project=project, name=name).order_by("-version").first()
        secret = SecretValue(project=project, name=name, version=last.version + 1 if last else 1, created_by=by)
        secret.seal(value)
        secret.save(force_insert=True)
        audit.record(by, Action.SECRET, secret, project=project)
    return secret
