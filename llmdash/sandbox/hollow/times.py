"""Times as Kubernetes writes them: RFC 3339 in UTC, whole seconds (``metav1.Time``) or micro (``MicroTime``)."""

from __future__ import annotations

from datetime import UTC, datetime


def text(epoch: float) -> str:
    """
    >>> text(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def epoch(written: str | None) -> float:
    """Epoch seconds of a written time; 0 when there is none or it cannot be read."""
    if not written:
        return 0.0
    try:
        return datetime.fromisoformat(written).timestamp()
    except ValueError:
        return 0.0
