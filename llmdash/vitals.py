"""/metrics, /healthz and /readyz of the worker and the watcher, on a port of their own and only when asked for.

It asks for no login: the port is for kubelet and Prometheus, and belongs to no network of people.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from django.conf import settings
from django.db import connection
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from llmdash.health import readiness
from llmdash.metrics import exposition, stuck

log = structlog.get_logger(__name__)
PLAIN = "text/plain; charset=utf-8"


class Vitals(ThreadingHTTPServer):
    """The server, with the collectors of its process."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, port: int, *collectors: Collector) -> None:
        super().__init__(("", port), Handler)
        self.collectors = collectors

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, exposition(*self.collectors)
        if path == "/healthz":
            loops = stuck()
            return (503, PLAIN, f"stuck: {', '.join(loops)}\n".encode()) if loops else (200, PLAIN, b"ok\n")
        if path == "/readyz":
            word = readiness()
            return 200 if word == "ready" else 503, PLAIN, f"{word}\n".encode()
        return 404, PLAIN, b"not found\n"


class Handler(BaseHTTPRequestHandler):
    """One question."""

    server: Vitals
    timeout = 10

    def do_GET(self) -> None:
        try:
            status, kind, body = self.server.answer(self.path.partition("?")[0])
        except Exception:
            log.exception("a question of health could not be answered")
            status, kind, body = 500, PLAIN, b"error\n"
        finally:
            connection.close()  # this thread's, which ends
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """They ask every few seconds."""


def serve(*collectors: Collector) -> Vitals | None:
    """Answer in a thread, on LLMDASH_METRICS_PORT; nothing is served without one."""
    port = settings.METRICS_PORT
    if not port:
        return None
    server = Vitals(port, *collectors)
    threading.Thread(target=server.serve_forever, name="vitals", daemon=True).start()
    log.info("vitals are told", port=port)
    return server
