"""The Celery application. What its worker does besides tasks stands in `llmdash.worker`."""

import atexit
import os
import shutil
import sys
import tempfile

from celery import Celery
from celery.signals import setup_logging

from llmdash import folderqueue  # noqa: F401  (names its transport)
from llmdash.environment import text

TOGETHER = "PROMETHEUS_MULTIPROC_DIR"


def count_together() -> None:
    """Let the processes of the pool count in one folder. prometheus-client reads its variable once, at its import."""
    if TOGETHER in os.environ:
        return
    folder, owner = tempfile.mkdtemp(prefix="llmdash-metrics-"), os.getpid()
    os.environ[TOGETHER] = folder
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmdash.settings")
if "worker" in sys.argv[1:] and text("LLMDASH_METRICS_PORT", "0") != "0":
    count_together()  # every process imports this; only a worker has a pool

app = Celery("llmdash")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["deployments"])


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery has no types
def keep_our_logging(**_: object) -> None:
    """Django's settings have set up the logs; Celery leaves them alone when this is connected."""
