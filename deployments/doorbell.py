"""Tell the workers that there is work. A message that is lost costs one sweep interval, nothing else."""

import uuid

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)
DRAIN = "deployments.drain"
FORGET = "deployments.forget"
LOOK_AGAIN = "deployments.look_again"
RECHECK = "deployments.recheck"
REMOVE_ORPHANS = "deployments.remove_orphans"
EXPIRES_SECONDS = 2 * 3600  # so that they do not pile up; judged by the worker's clock, which may be an hour off


def ring() -> None:
    """After the commit: something is due."""
    transaction.on_commit(lambda: _send(DRAIN, []), robust=True)


def look_again(deployment_id: uuid.UUID) -> None:
    """After the commit: this row differs from its cluster although nothing was asked for."""
    transaction.on_commit(lambda: _send(LOOK_AGAIN, [str(deployment_id)]), robust=True)


def remove_orphans(deployment_id: uuid.UUID) -> None:
    """After the commit: objects stand in the cluster for a deployment that is gone."""
    transaction.on_commit(lambda: _send(REMOVE_ORPHANS, [str(deployment_id)]), robust=True)


def _send(task: str, arguments: list[str]) -> None:
    # By name: the web need not import the tasks, and with them the Kubernetes client.
    try:
        current_app.send_task(task, args=arguments, ignore_result=True, retry=False, expires=EXPIRES_SECONDS)
    except (OperationalError, OSError) as error:
        log.warning("doorbell not heard; the sweep will find the work", task=task, error=str(error))
