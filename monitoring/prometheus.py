"""Prometheus, by prometheus-api-client: short time-outs, no retries, no redirects, bounded answers."""

import math
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests
import urllib3
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from deployments.choices import PrometheusAuth
from deployments.crypto import CannotOpen
from deployments.models import Cluster

T = TypeVar("T")
Labels = dict[str, str]
Points = list[tuple[float, float | None]]  # (Unix seconds, value); NaN and infinity are gaps, None
TIMEOUT_SECONDS = 4  # for all questions of one page part together
MAX_POINTS = 1000
MAX_BYTES = 8 * 1024 * 1024
CHUNK = 64 * 1024


class Unavailable(Exception):
    """Prometheus did not answer, or not with what was asked; the message is for people."""


class Trusting(HTTPAdapter):
    """TLS that trusts these certificate authorities and no others."""

    def __init__(self, ca_pem: str, **more: Any) -> None:
        self.context = ssl.create_default_context(cadata=ca_pem)
        super().__init__(**more)

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, **more | {"ssl_context": self.context})

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Not requests' own list of authorities, which it would add to the context."""
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None


class Bounded(requests.Session):
    """Requests that together end in time, read so much and go nowhere else; the environment's proxies play no part."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.end = time.monotonic() + TIMEOUT_SECONDS

    def request(self, *arguments: Any, **more: Any) -> requests.Response:
        """A whole answer. A time-out of reads alone would wait for ever for a server that drips."""
        bounds = {"allow_redirects": False, "stream": True, "timeout": self.left()}
        response = super().request(*arguments, **more | bounds)
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                self.left()
                if len(body) > MAX_BYTES:
                    raise requests.exceptions.ContentDecodingError("too long")
        except urllib3.exceptions.TimeoutError as error:
            raise requests.exceptions.ReadTimeout from error
        except urllib3.exceptions.HTTPError as error:
            raise requests.exceptions.ConnectionError from error
        finally:
            response.close()
        response._content = bytes(body)
        return response

    def left(self) -> float:
        """Seconds that are left. Raises Timeout."""
        seconds = self.end - time.monotonic()
        if seconds <= 0:
            raise requests.exceptions.Timeout
        return seconds


def connect(cluster: Cluster) -> PrometheusConnect:
    """A client for the questions of one page part; its own default tries again and hangs a page. Raises Unavailable."""
    session, never, url = Bounded(), Retry(total=0, read=False), cluster.prometheus_url
    headers, auth = sign_in(cluster)
    if cluster.prometheus_tenant:
        headers[cluster.prometheus_tenant_header] = cluster.prometheus_tenant
    client = PrometheusConnect(url=url, headers=headers, auth=auth, retry=never, session=session)
    if cluster.prometheus_ca_pem:
        session.mount(url, Trusting(cluster.prometheus_ca_pem, max_retries=never))  # in place of the client's own
    return client


def sign_in(cluster: Cluster) -> tuple[dict[str, str], tuple[str, str] | None]:
    """The header of a token, or the user with the password. Raises Unavailable."""
    try:
        secret = cluster.open_prometheus()
    except CannotOpen as error:
        raise Unavailable("The stored password or token of Prometheus cannot be opened.") from error
    if cluster.prometheus_auth == PrometheusAuth.TOKEN:
        return {"Authorization": f"Bearer {secret}"}, None
    return {}, (cluster.prometheus_user, secret) if cluster.prometheus_auth == PrometheusAuth.BASIC else None


def value(client: PrometheusConnect, query: str) -> float | None:
    """One number now; None when there is no series. Raises Unavailable."""
    found = values(client, query)
    return found[0][1] if found else None


def values(client: PrometheusConnect, query: str) -> list[tuple[Labels, float | None]]:
    """A number now of each series. Raises Unavailable."""
    found = ask(lambda: client.custom_query(query))
    return told(lambda: [(dict(row["metric"]), number(row["value"][1])) for row in found])


def series(client: PrometheusConnect, query: str, *, start: datetime, end: datetime, step: float) -> Points:
    """The points of one series. Raises Unavailable."""
    found = all_series(client, query, start=start, end=end, step=step)
    return found[0][1] if found else []


def all_series(
    client: PrometheusConnect, query: str, *, start: datetime, end: datetime, step: float
) -> list[tuple[Labels, Points]]:
    """The points of each series. Raises Unavailable."""
    step = max(step, (end - start).total_seconds() / MAX_POINTS)
    found = ask(lambda: client.custom_query_range(query, start_time=start, end_time=end, step=f"{step:g}"))
    return told(lambda: [(dict(row["metric"]), [(float(at), number(v)) for at, v in row["values"]]) for row in found])


def number(text: str) -> float | None:
    """A sample; what is no number is a gap."""
    parsed = float(text)
    return parsed if math.isfinite(parsed) else None


def ask(question: Callable[[], Any]) -> Any:
    """Ask, and say in words why there is no answer."""
    try:
        return question()
    except requests.exceptions.Timeout as error:
        raise Unavailable(f"Prometheus did not answer within {TIMEOUT_SECONDS} s.") from error
    except requests.exceptions.JSONDecodeError as error:
        raise Unavailable("What answers at its address is no Prometheus.") from error
    except requests.exceptions.SSLError as error:
        raise Unavailable("The certificate of Prometheus is not trusted.") from error
    except requests.exceptions.RequestException as error:
        raise Unavailable("Prometheus cannot be reached.") from error
    except PrometheusApiClientException as error:
        raise Unavailable(refusal(str(error))) from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Unavailable("Prometheus refused the question.") from error


def refusal(said: str) -> str:
    """The client's "HTTP Status Code 401 (…)" in words; the body is somebody else's and stays out."""
    if said.startswith(("HTTP Status Code 401", "HTTP Status Code 403")):
        return "Prometheus refuses the credentials."
    return "Prometheus refused the question."


def told(read: Callable[[], T]) -> T:
    """What an answer says; something that only looks like one is none."""
    try:
        return read()
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Unavailable("What answers at its address is no Prometheus.") from error


def now() -> datetime:
    """The end of every range."""
    return datetime.now(UTC)
