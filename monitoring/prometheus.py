"""Prometheus, by prometheus-api-client: short time-outs, no retries, bounded answers."""

import math
from datetime import UTC, datetime
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util import Retry

TIMEOUT_SECONDS = 4
MAX_POINTS = 1000


class Unavailable(Exception):
    """Prometheus did not answer, or not with what was asked; the message is for people."""


def connect(url: str) -> PrometheusConnect:
    """A client that gives up soon: its own default tries again and hangs a page."""
    return PrometheusConnect(url=url, retry=Retry(total=0), timeout=TIMEOUT_SECONDS)


def value(url: str, query: str) -> float | None:
    """One number now; None when there is no series. Raises Unavailable."""
    found = ask(lambda client: client.custom_query(query), url)
    number = float(found[0]["value"][1]) if found else None
    return None if number is None or math.isnan(number) else number


def series(url: str, query: str, *, start: datetime, end: datetime, step: float) -> list[tuple[float, float | None]]:
    """(Unix seconds, value) of one series; NaN and infinity are gaps, None. Raises Unavailable."""
    step = max(step, (end - start).total_seconds() / MAX_POINTS)
    found = ask(lambda client: client.custom_query_range(query, start_time=start, end_time=end, step=f"{step:g}"), url)
    points = found[0]["values"] if found else []
    return [(float(at), number(text)) for at, text in points]


def number(text: str) -> float | None:
    """A sample; what is no number is a gap."""
    parsed = float(text)
    return parsed if math.isfinite(parsed) else None


def ask(question: Any, url: str) -> Any:
    """Ask, and say in words why there is no answer."""
    try:
        return question(connect(url))
    except requests.exceptions.Timeout as error:
        raise Unavailable(f"Prometheus did not answer within {TIMEOUT_SECONDS} s.") from error
    except requests.exceptions.RequestException as error:
        raise Unavailable("Prometheus cannot be reached.") from error
    except (PrometheusApiClientException, ValueError, KeyError, IndexError) as error:
        raise Unavailable("Prometheus refused the question.") from error


def now() -> datetime:
    """The end of every range."""
    return datetime.now(UTC)
