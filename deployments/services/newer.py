"""What holds when the cluster has a revision that the database does not know: it was restored from an older backup.

Nothing is applied until a person chooses.
"""

from typing import TYPE_CHECKING

from django.db import transaction

from deployments import audit, revisions
from deployments.choices import Action, DriftPolicy, Newer, Problem
from deployments.models import Deployment
from deployments.services.deployments import TAKEN, check, lock
from deployments.services.refusals import Conflict, NothingChanged, Refused
from deployments.services.saving import clean, save
from deployments.spec import Spec

if TYPE_CHECKING:
    from llmdash.accounts.models import User

UNTOLD = "What runs does not tell its spec in a way that this version of llmdash reads, so it cannot be adopted."


def choose_newer(
    *, deployment: Deployment, choice: Newer, spec: Spec | None, live: int, by: "User", if_revision: int | None = None
) -> None:
    """Make what runs the newest Revision, or what the database knows, or leave both by the drift policy.

    `spec` is what runs, None when it is not known; `live` is the number of its revision, and the next one is above it.
    Raises Conflict, NothingChanged, BeingDeleted, SpecRefused, Refused.
    """
    with transaction.atomic():
        locked = waiting(deployment, if_revision)
        above = max(live, locked.last_error.get("revision", 0))
        if choice == Newer.LEAVE:
            leave(locked, by)
        elif choice == Newer.APPLY:
            known, reason = locked.revisions.get(number=locked.desired).spec, f"Applied over revision {above}"
            revisions.add(locked, known, by=by, reason=reason, action=Action.APPLY_OVER, above=above)
        elif spec is None:
            raise Refused(UNTOLD)
        else:
            check(spec, locked.project)
            reason = f"Adopted revision {live} of the cluster"
            revisions.add(locked, spec, by=by, reason=reason, action=Action.ADOPT_NEWER, above=above)


def adopt_unknown(*, deployment: Deployment, spec: Spec | None, live: int, by: "User") -> Deployment:
    """Take a deployment that runs and that the database does not know into it, under the id that its objects carry.

    `deployment` is its row, unsaved. Raises ValidationError for a name that another one has, SpecRefused, Refused.
    """
    if spec is None:
        raise Refused(UNTOLD)
    check(spec, deployment.project)
    with transaction.atomic():
        if Deployment.objects.filter(pk=deployment.pk).exists():
            raise NothingChanged("The database knows it already.")
        clean(deployment, TAKEN)
        save(deployment, TAKEN, force_insert=True)
        reason = f"Adopted revision {live} of the cluster"
        revisions.add(deployment, spec, by=by, reason=reason, action=Action.ADOPT_NEWER, above=live)
    return deployment


def waiting(deployment: Deployment, if_revision: int | None) -> Deployment:
    """The row, locked, when it waits for this choice."""
    locked = lock(deployment)
    if if_revision is not None and if_revision != locked.desired:
        raise Conflict(locked.revisions.get(number=locked.desired))
    if locked.problem != Problem.NEWER or locked.attempted != locked.desired:
        raise NothingChanged("The cluster is not newer than the database, so there is nothing to choose.")
    return locked


def leave(locked: Deployment, by: "User") -> None:
    """Leave what runs alone; it can be chosen anew later."""
    locked.drift_policy = DriftPolicy.LEAVE
    locked.save(update_fields=["drift_policy"])
    audit.record(by, Action.LEAVE_NEWER, locked, project=locked.project, revision=locked.desired)
    revisions.tell(locked)
