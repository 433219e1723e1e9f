"""Values that nobody reads again."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from deployments import audit
from deployments.choices import Action
from deployments.models import AppliedObject, Project, Revision, SecretValue
from deployments.services.idempotency import once, sealed
from deployments.services.projects import lock, tell
from deployments.services.refusals import InUse, NothingChanged

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
        tell(project)
        return secret

    with transaction.atomic():
        wanted = ["write secret", str(project.pk), name, sealed(value) if key else ""]
        return once(SecretValue, make, by=by, key=key, fingerprint=wanted)


def remove_secret(*, project: Project, name: str, by: "User") -> None:
    """Forget every version of a secret. Older revisions that name it can no longer be gone back to. Raises InUse while
    what is wanted or applied of a deployment needs it, NothingChanged where there is none of that name."""
    with transaction.atomic():
        lock(project)
        versions = list(SecretValue.objects.filter(project=project, name=name).defer("sealed"))
        if not versions:
            raise NothingChanged("There is no secret of this name.")
        if users := users_of(project, {str(version.pk) for version in versions}):
            more = f" and {len(users) - 5} more" if len(users) > 5 else ""
            raise InUse(f"{name} is used by {', '.join(users[:5])}{more}; take it out of there first.")
        audit.record(by, Action.REMOVE, versions[0], project=project, versions=len(versions))
        tell(project)
        SecretValue.objects.filter(pk__in=[version.pk for version in versions]).delete()


def users_of(project: Project, ids: set[str]) -> list[str]:
    """The living deployments that need one of these secrets, by name: for the revision that is wanted, that was
    applied, or that stands in the cluster in part."""
    standing = AppliedObject.objects.filter(deployment=OuterRef("deployment"), revision=OuterRef("number"))
    current = Q(number=F("deployment__desired")) | Q(number=F("deployment__applied")) | Q(Exists(standing))
    rows = Revision.objects.filter(current, deployment__project=project, deployment__gone_at__isnull=True)
    specs = rows.values_list("deployment__name", "spec_json__env")
    return sorted({name for name, env in specs if any(str(var.get("secret")) in ids for var in env or [])})
