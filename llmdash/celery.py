"""The Celery application, and the timer that makes each worker process look for due work by itself.

The timer is a thread and not a message: messages would pile up while no worker runs, and a lost one would be missed.
"""

import os
import threading
import time

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_process_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmdash.settings")

app = Celery("llmdash")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["deployments"])
log = structlog.get_logger(__name__)
FORGET_SECONDS = 3600.0


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery has no types
def keep_our_logging(**_: object) -> None:
    """Django's settings have set up the logs; Celery leaves them alone when this is connected."""


@worker_process_init.connect  # type: ignore[untyped-decorator]  # as above
def start_the_sweep(**_: object) -> None:
    """Sweep in each process of the pool."""
    threading.Thread(target=sweep_for_ever, name="sweep", daemon=True).start()


def sweep_for_ever() -> None:
    """Work on what is due, now and then forget what is old, wait, repeat."""
    pause, forget_at = threading.Event(), 0.0
    while True:
        try:
            app.tasks["deployments.drain"].run()
            if time.monotonic() >= forget_at:
                app.tasks["deployments.forget"].run()
                forget_at = time.monotonic() + FORGET_SECONDS
        except Exception:
            log.exception("the sweep failed; it goes on")
        pause.wait(settings.LLMDASH["SWEEP_SECONDS"])
