"""What came of an attempt: the Revision's outcome, the row's error, and when to try again."""

import random
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.utils import timezone

from deployments import kube, metrics
from deployments.choices import Outcome, Problem
from deployments.models import Deployment, Revision
from deployments.reconcile.claim import release
from deployments.reconcile.drift import Contested

log = structlog.get_logger(__name__)


@dataclass
class Progress:
    """How far one Revision came: objects done, of how many, and which by kind and name."""

    total: int = 0
    done: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return {"objects_done": len(self.done), "objects_total": self.total, "done": self.done}


def record_success(revision: Revision, progress: Progress) -> None:
    """The Revision's outcome; earlier ones that never got through were overtaken."""
    now = timezone.now()
    if revision.number > 1:
        waiting = Revision.objects.filter(deployment=revision.deployment_id, number__lt=revision.number)
        waiting.filter(outcome=Outcome.PENDING).update(outcome=Outcome.SUPERSEDED, outcome_at=now)
    if revision.outcome != Outcome.APPLIED:
        fields = {"outcome": Outcome.APPLIED, "outcome_at": now, "outcome_detail": progress.as_json()}
        Revision.objects.filter(pk=revision.pk).update(**fields)


def record_refusal(revision: Revision, error: kube.KubeError, progress: Progress) -> None:
    """What was done of the Revision and what stopped it. What nobody refused leaves it pending."""
    open_yet = error.problem in (Problem.BACK_OFF, Problem.CLUSTER, Problem.NEWER)
    outcome = Outcome.PENDING if open_yet else Outcome.REFUSED
    if progress.done:
        outcome = Outcome.PARTIAL
    detail = progress.as_json() | {"message": error.message, "reason": error.reason}
    Revision.objects.filter(pk=revision.pk).exclude(outcome__in=[Outcome.APPLIED, Outcome.SUPERSEDED]).update(
        outcome=outcome, outcome_at=timezone.now(), outcome_detail=detail
    )


def give_back_failed(
    deployment: Deployment, owner: str, error: kube.KubeError, progress: Progress | None = None
) -> None:
    """Release with the error, due again as its kind demands."""
    problem = Problem.CONTESTED if isinstance(error, Contested) else error.problem
    attempts = deployment.attempts + 1 if deployment.attempted == deployment.desired else 1
    after = {
        Problem.BACK_OFF: back_off(attempts, error.retry_after),
        Problem.CLUSTER: back_off(attempts, None),
        Problem.WAIT: settings.LLMDASH["REFUSED_RETRY_SECONDS"],
        Problem.CONTESTED: None,
        Problem.NEWER: settings.LLMDASH["REFUSED_RETRY_SECONDS"],
    }[problem]
    detail = (progress or Progress()).as_json()
    passing = problem in (Problem.BACK_OFF, Problem.CLUSTER)
    taken = known_take_over(deployment) if passing else take_over(deployment)
    causes = [{"field": c.field, "message": c.message, "manager": c.manager} for c in error.causes]
    metrics.FAILED.labels(problem.value).inc()
    log.warning("not applied", problem=str(problem), status=error.status, message=error.message, again_in=after)
    release(
        deployment, owner, after=after, attempted=deployment.desired, attempts=attempts, problem=problem,
        last_error=detail | {"message": error.message, "reason": error.reason, "status": error.status, "causes": causes,
                             "at": timezone.now().isoformat(), "taken_over_at": taken} | seen(deployment, error),
    )  # fmt: skip


def seen(deployment: Deployment, error: kube.KubeError) -> dict[str, object]:
    """What stands in the way, for a person to decide about: a revision that the database does not know, or somebody's
    object. What passes does not make it forgotten."""
    if isinstance(error, kube.Superseded):
        return {"revision": error.revision}
    if isinstance(error, kube.Stranger):
        return {"stranger": {"object": error.object, "uid": error.uid}}
    passing = error.problem in (Problem.BACK_OFF, Problem.CLUSTER)
    before = deployment.last_error.get("stranger")
    return {"stranger": before} if passing and before else {}


def take_over(deployment: Deployment) -> str:
    """The person's take-over that this attempt knew."""
    return deployment.taken_over_at.isoformat() if deployment.taken_over_at else ""


def known_take_over(deployment: Deployment) -> str:
    """The take-over that had its answer before: one that met a passing failure is still to be done."""
    return str(deployment.last_error["taken_over_at"]) if deployment.last_error else take_over(deployment)


def back_off(attempts: int, retry_after: float | None) -> float:
    """Seconds until the next try: doubling, with jitter, and never before the server's own Retry-After."""
    first, last = settings.LLMDASH["BACKOFF_FIRST_SECONDS"], settings.LLMDASH["BACKOFF_LAST_SECONDS"]
    pause = min(last, first * 2 ** min(attempts - 1, 20))
    return float(max(pause * random.uniform(0.75, 1.25), retry_after or 0))  # noqa: S311  (jitter)
