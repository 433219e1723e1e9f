"""Logging by structlog: coloured lines on a terminal, JSON elsewhere, with the request's id on each line."""

import logging
import logging.config
import sys
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied

LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR"}


def logging_config(level: str, *, as_json: str) -> None:
    """Set up the standard library's logging and structlog to write the same lines to stderr.

    `as_json` is "json", "text", or "auto": JSON unless stderr is a terminal.
    """
    if level.upper() not in LEVELS:
        raise ValueError(f"LLMDASH_LOG_LEVEL: {level!r} is none of {', '.join(sorted(LEVELS))}")
    json = as_json == "json" or (as_json == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
    ]
    logging.captureWarnings(True)
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        "foreign_pre_chain": [without_refusals, *shared, structlog.stdlib.ExtraAdder(), name_request],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level.upper()},
            "loggers": {
                "urllib3": {"level": "ERROR"},
                "httpx": {"level": "WARNING"},
                "kubernetes": {"level": "WARNING"},
                "uvicorn": {"level": "INFO", "handlers": [], "propagate": True},
                "uvicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
                "uvicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
            },
        }
    )


def without_refusals(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """A person who may not do something is no failure of ours, of which a traceback would tell."""
    info = event.get("exc_info")
    if isinstance(info, tuple) and isinstance(info[1], PermissionDenied):
        del event["exc_info"]
        event["detail"] = str(info[1])
    return event


def name_request(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """The id of the request that Django logs an answer of, in place of the request: it does so when the id is bound no
    more."""
    request = event.pop("request", None)
    meta = getattr(request, "META", None) or {}
    if "llmdash.request_id" in meta:
        event.setdefault("request_id", meta["llmdash.request_id"])
    return event
