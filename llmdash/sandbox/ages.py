"""Durations as kubectl shows them; after k8s.io/apimachinery/pkg/util/duration/duration.go."""

from __future__ import annotations

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


def human(seconds: float) -> str:  # noqa: PLR0911  (one line for each range is the plainest)
    """Two figures that say enough.

    >>> human(59), human(125), human(601), human(7300), human(100000), human(200 * 86400)
    ('59s', '2m5s', '10m', '121m', '27h', '200d')
    """
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 2 * MINUTE:
        return f"{whole}s"
    if whole < 10 * MINUTE:
        return _pair(whole // MINUTE, "m", whole % MINUTE, "s")
    if whole < 3 * HOUR:
        return f"{whole // MINUTE}m"
    if whole < 8 * HOUR:
        return _pair(whole // HOUR, "h", whole // MINUTE % 60, "m")
    if whole < 2 * DAY:
        return f"{whole // HOUR}h"
    if whole < 8 * DAY:
        return _pair(whole // DAY, "d", whole // HOUR % 24, "h")
    if whole < 2 * YEAR:
        return f"{whole // DAY}d"
    return _pair(whole // YEAR, "y", whole // DAY % 365, "d") if whole < 8 * YEAR else f"{whole // YEAR}y"


def _pair(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"
