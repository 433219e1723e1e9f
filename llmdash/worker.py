"""What a worker does besides tasks: each process of its pool looks for due work by itself, and the first tells how they
are. Celery imports this in workers only (`CELERY_IMPORTS`).

The timer is a thread and not a message: messages would pile up while no worker runs, and a lost one would be missed.
"""

import threading
import time
from collections.abc import Iterator

import structlog
from celery.signals import worker_process_init, worker_ready
from django.conf import settings
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from deployments import database, metrics, reconcile
from llmdash import priority, vitals
from llmdash.celery import app

log = structlog.get_logger(__name__)
FORGET_SECONDS = 3600.0
RECHECKS = 8  # in the time after which what is applied is looked at again
SWEEP = "sweep"
_vitals: vitals.Vitals | None = None


class RowsDue(Collector):
    """Asked of the database, which is the queue."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(metrics.ROWS_DUE, "Rows that want work and that nobody holds.", reconcile.due().count())


@worker_ready.connect  # type: ignore[untyped-decorator]  # celery has no types
def tell_vitals(**_: object) -> None:
    """From the first process, which starts the others."""
    global _vitals
    _vitals = vitals.serve(RowsDue())


@worker_process_init.connect  # type: ignore[untyped-decorator]  # as above
def start_the_sweep(**_: object) -> None:
    """Sweep in each process of the pool."""
    priority.behind_pages()
    if _vitals:
        _vitals.socket.close()  # one that is started later would hold the port open after the first has died
    threading.Thread(target=sweep_for_ever, name=SWEEP, daemon=True).start()


def sweep_for_ever() -> None:
    """Look at many rows at once, work on what is due, now and then forget what is old, wait, repeat."""
    pause, forget_at, recheck_at = threading.Event(), 0.0, 0.0
    while True:
        metrics.beat(SWEEP)
        try:
            if time.monotonic() >= recheck_at:
                recheck_at = time.monotonic() + settings.LLMDASH["RECHECK_SECONDS"] / RECHECKS
                app.tasks["deployments.recheck"].run()
            app.tasks["deployments.drain"].run()
            if time.monotonic() >= forget_at:
                app.tasks["deployments.forget"].run()
                forget_at = time.monotonic() + FORGET_SECONDS
        except Exception as error:
            database.note(error)
            log.exception("the sweep failed; it goes on")
        metrics.beat(SWEEP)
        pause.wait(settings.LLMDASH["SWEEP_SECONDS"])
