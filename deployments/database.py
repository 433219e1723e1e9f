"""What the database says when it takes nothing, or does not answer; and whether this process may write to it.

Who fails to write for want of room, the audit of an act above all, makes the process read-only: pages are read, nothing
is changed, and a probe finds out when there is room again.
"""

import os
import threading
import time

import structlog
from django.db import Error, InterfaceError, InternalError, OperationalError, transaction

from deployments import metrics
from deployments.models import WriteProbe

log = structlog.get_logger(__name__)
FULL = "The database has no room left: nothing can be saved until it has."
READ_ONLY = "The database can only be read: nothing can be saved until it takes writes again."
PROBE_SECONDS = 5.0
PROBE_BYTES = 64 * 1024  # random, so that they need pages of their own and do not fit where a short row would
# https://www.postgresql.org/docs/current/errcodes-appendix.html, https://www.sqlite.org/rescode.html
BY_SQLSTATE = {"53100": FULL, "25006": READ_ONLY}
BY_SQLITE_CODE = {"SQLITE_FULL": FULL, "SQLITE_READONLY": READ_ONLY, "SQLITE_READONLY_DIRECTORY": READ_ONLY}

_lock = threading.Lock()
_sentence = ""
_probed_at = 0.0


def takes_nothing(error: BaseException | None) -> str:
    """Why the database could not be written to, "" when this error says nothing of the kind."""
    if not isinstance(error, OperationalError | InternalError):
        return ""
    cause = error.__cause__
    code = BY_SQLITE_CODE.get(getattr(cause, "sqlite_errorname", ""), "")
    return BY_SQLSTATE.get(getattr(cause, "sqlstate", None) or "", code)


def is_away(error: BaseException | None) -> bool:
    """Whether it could not be reached, or broke off."""
    return isinstance(error, OperationalError | InterfaceError) and not takes_nothing(error)


def note(error: BaseException | None) -> str:
    """Remember that the database takes nothing, if this error says so; the sentence, or ""."""
    global _sentence, _probed_at
    if sentence := takes_nothing(error):
        with _lock:
            _sentence, _probed_at = sentence, time.monotonic()
        metrics.READ_ONLY.set(1)
    return sentence


def read_only() -> str:
    """Why nothing can be written now, "" when it can. While it could not, a write of our own asks every few seconds."""
    global _sentence, _probed_at
    with _lock:
        if not _sentence or time.monotonic() - _probed_at < PROBE_SECONDS:
            return _sentence
        _probed_at = time.monotonic()
    try:
        probe()
    except Error as error:
        log.warning("the database still takes nothing", error=type(error).__name__)
        return note(error) or _sentence
    with _lock:
        _sentence = ""
    metrics.READ_ONLY.set(0)
    log.info("the database takes writes again")
    return ""


def probe() -> None:
    """Write as much as an act may, and remove it again. Raises django.db.Error."""
    with transaction.atomic():
        WriteProbe.objects.create(filling=os.urandom(PROBE_BYTES)).delete()
