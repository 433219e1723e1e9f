"""The Celery doors."""

from celery import shared_task

from deployments import reconcile
from deployments.doorbell import DRAIN, FORGET, LOOK_AGAIN, RECHECK, REMOVE_ORPHANS
from deployments.models import Deployment


@shared_task(name=DRAIN)  # type: ignore[untyped-decorator]  # celery has no types
def drain() -> None:
    """Work on whatever is due."""
    reconcile.drain()


@shared_task(name=LOOK_AGAIN)  # type: ignore[untyped-decorator]  # as above
def look_again(deployment_id: str) -> None:
    """Work on a row that differs from its cluster."""
    reconcile.look_again(deployment_id)
    reconcile.drain()


@shared_task(name=FORGET)  # type: ignore[untyped-decorator]  # as above
def forget() -> None:
    """Forget what was kept long enough."""
    reconcile.forget()


@shared_task(name=RECHECK)  # type: ignore[untyped-decorator]  # as above
def recheck() -> None:
    """Look again at what is applied, many rows at once."""
    reconcile.recheck()


@shared_task(name=REMOVE_ORPHANS)  # type: ignore[untyped-decorator]  # as above
def remove_orphans(deployment_id: str) -> None:
    """Clean up after a deployment that is gone."""
    reconcile.orphans.remove(Deployment.objects.select_related("project__cluster").get(pk=deployment_id))
