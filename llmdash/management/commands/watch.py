"""`manage.py watch`: run the watcher until it is told to stop."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from llmdash import priority, vitals
from monitoring import watcher


class Command(BaseCommand):
    help = "Watch every cluster and write what is seen."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        priority.behind_pages()
        vitals.serve()
        watcher.run(stop)
