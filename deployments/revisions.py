"""Adding a Revision: the one way, for a person's wish and for an adopted change."""

from typing import TYPE_CHECKING

from django.conf import settings

from deployments import audit, doorbell, stream
from deployments import spec as specs
from deployments.choices import Action
from deployments.difference import changes
from deployments.models import Deployment, Revision
from deployments.spec import Spec

if TYPE_CHECKING:
    from llmdash.accounts.models import User


def limits() -> dict[str, int]:
    """The bounds of parameters that this installation sets."""
    return {"replicas": settings.LLMDASH["MAX_REPLICAS"], "gpus": settings.LLMDASH["MAX_GPUS"]}


def add(
    locked: Deployment, spec: Spec, *, by: "User | None", reason: str, action: Action, above: int = 0
) -> Revision:  # fmt: skip
    """Make `spec` the newest Revision of a row that the caller has locked, audit it, and tell workers and pages.

    `by` None is llmdash itself. `above` is a number that the cluster has seen and the database has not.
    """
    before = locked.revisions.filter(number=locked.desired).first()
    locked.desired = max(locked.desired, above) + 1
    locked.save(update_fields=["desired"])
    revision = Revision.objects.create(
        deployment=locked, number=locked.desired, spec_json=specs.dump(spec), author=by,
        author_name=by.get_username() if by else audit.LLMDASH, reason=reason[:500], action=action,
    )  # fmt: skip
    difference = changes(before.spec_json, revision.spec_json) if before else []
    audit.record(by, action, locked, project=locked.project, revision=revision.number, changes=difference,
                 reason=reason[:500])  # fmt: skip
    tell(locked)
    return revision


def tell(deployment: Deployment) -> None:
    """After the commit: there is work, and something to see."""
    doorbell.ring()
    stream.publish(stream.DEPLOYMENT, [deployment.pk])
