"""Values that nobody reads again."""

from typing import TYPE_CHECKING

from django.db import transaction

from deployments import audit
from deployments.choices import Action
from deployments.models import Project, SecretValue
from deployments.services.idempotency import once, sealed
from deployments.services.projects import lock

if TYPE_CHECKING:
    from llmdash.accounts.models import User


def store_secret(*, project: Project, name: str, value: str, by: "User", key: str = "") -> SecretValue:
    """Keep a value that nobody reads again: a new version each time."""

    def make() -> SecretValue:
        lock(project)  # two at once get a version each
        last = SecretValue.objects.filter(project=project, name=name).order_by("-version").first()
        secret = SecretValue(project=project, name=name, version=last.version + 1 if last else 1, created_by=by)
        secret.seal(value)
        secret.save(force_insert=True)
        audit.record(by, Action.SECRET, secret, project=project)
        return secret

    with transaction.atomic():
        wanted = ["write secret", str(project.pk), name, sealed(value) if key else ""]
        return once(SecretValue, make, by=by, key=key, fingerprint=wanted)
