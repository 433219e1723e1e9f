"""What a person may say of a cluster: how to reach it, what measures it, and what it is open to."""

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from deployments import addresses
from deployments.choices import PrometheusAuth
from deployments.kubeconfig import KubeconfigRefused, parse_kubeconfig
from deployments.models import Cluster
from deployments.rules import readable
from deployments.services.saving import clean

PLAIN = (
    "name", "api_url", "ca_pem", "tls_server_name", "prometheus_url", "prometheus_ca_pem", "prometheus_auth",
    "prometheus_user", "prometheus_tenant_header", "prometheus_tenant", "prometheus_matchers", "allowed_namespaces",
    "max_in_flight",
)  # fmt: skip
SECRETS = ("kubeconfig", "token", "prometheus_secret")  # written, never read; left empty, what is stored stays
REACH = ("api_url", "ca_pem", "tls_server_name")
PATTERN = re.compile(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?")
MATCHER = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\\n]|\\.)*)"\s*(?:,|\Z)')
OURS = ("namespace", "pod")  # labels by which every question is bound already
MOST_PATTERNS = 50
TAKEN = {"name": "Another cluster has this name."}


class Faults:
    """What is wrong, by field."""

    def __init__(self) -> None:
        self.found: dict[str, list[str | ValidationError]] = defaultdict(list)

    @contextmanager
    def of(self, field: str) -> Iterator[None]:
        """What is refused in this block is said of this field."""
        try:
            yield
        except ValidationError as error:
            self.found[field] += error.error_list
        except ValueError as error:
            self.found[field].append(str(error))


def stored(cluster: Cluster) -> dict[str, Any]:
    """What people may read of it again."""
    return {name: getattr(cluster, name) for name in PLAIN}


def fill(cluster: Cluster, values: dict[str, Any]) -> None:
    """Put values (keys of PLAIN and SECRETS) into a cluster, saved or new; save it afterwards.

    A kubeconfig decides address, CA and credentials alone. Stored credentials never go to another address than the one
    that they were given for. Raises ValidationError by field; the row is then of no use.
    """
    before, faults = stored(cluster), Faults()
    for name in PLAIN:
        if name in values:
            value = values[name]
            setattr(cluster, name, value.strip() if isinstance(value, str) else value)
    reach_kubernetes(cluster, values, before, faults)
    reach_prometheus(cluster, values, before, faults)
    with faults.of("allowed_namespaces"):
        cluster.allowed_namespaces = patterns(cluster)
    judged = ["api_url"] if "kubeconfig" in faults.found else []  # it would have brought one
    try:
        clean(cluster, TAKEN, exclude=[*faults.found, *judged])
    except ValidationError as error:
        for name, several in error.error_dict.items():
            faults.found[name] += several
    if faults.found:
        raise ValidationError(dict(faults.found))


def reach_kubernetes(cluster: Cluster, values: dict[str, Any], before: dict[str, Any], faults: Faults) -> None:
    """Address, CA, and credentials where some are given."""
    secrets: dict[str, str] = {}
    if kubeconfig := str(values.get("kubeconfig") or "").strip():
        secrets = from_kubeconfig(cluster, kubeconfig, has_token=bool(values.get("token")), faults=faults)
    else:
        with faults.of("token"):
            secrets = credentials(str(values.get("token") or "").strip())
        with faults.of("tls_server_name"):
            if cluster.tls_server_name and not addresses.is_host(cluster.tls_server_name):
                raise ValueError("This is no host name.")
        with faults.of("api_url"):
            cluster.api_url = address(cluster.api_url, "Give an address, or paste a kubeconfig.")
        if not secrets and not faults.found:
            if cluster._state.adding:
                faults.found["token"].append("Give a token, or paste a kubeconfig.")
            elif moves(before["api_url"], cluster.api_url):
                sentence = "Give the credentials again: those stored were given for another address."
                faults.found["token"].append(sentence)
    with faults.of("ca_pem"):
        cluster.ca_pem = certificates(cluster.ca_pem)
    if secrets:
        cluster.seal_credentials(secrets)
    if secrets or any(getattr(cluster, name) != before[name] for name in REACH):
        cluster.credentials_changed_at = timezone.now()
        cluster.tested = {}


def from_kubeconfig(cluster: Cluster, text: str, *, has_token: bool, faults: Faults) -> dict[str, str]:
    """Its credentials; the rest goes into the cluster."""
    if has_token:
        faults.found["token"].append("Give either a kubeconfig or a token.")
    try:
        access = parse_kubeconfig(text)
        cluster.api_url = address(access.url, "")
    except KubeconfigRefused as refused:
        faults.found["kubeconfig"].append(str(refused))
        return {}
    except ValidationError as error:
        faults.found["kubeconfig"] += error.error_list
        return {}
    cluster.ca_pem, cluster.tls_server_name = access.ca_pem, access.tls_server_name
    return access.secrets


def reach_prometheus(cluster: Cluster, values: dict[str, Any], before: dict[str, Any], faults: Faults) -> None:
    """Address, CA, how to sign in, and the matchers of its questions."""
    secret, auth = str(values.get("prometheus_secret") or "").strip(), cluster.prometheus_auth
    signs_in = auth != PrometheusAuth.NONE
    with faults.of("prometheus_url"):
        cluster.prometheus_url = address(cluster.prometheus_url, is_secret=signs_in) if cluster.prometheus_url else ""
    with faults.of("prometheus_ca_pem"):
        cluster.prometheus_ca_pem = certificates(cluster.prometheus_ca_pem)
    with faults.of("prometheus_matchers"):
        cluster.prometheus_matchers = matchers(cluster.prometheus_matchers)
    with faults.of("prometheus_tenant_header"):
        if cluster.prometheus_tenant and not cluster.prometheus_tenant_header:
            raise ValueError("Give the header in which the tenant is sent.")
    with faults.of("prometheus_user"):
        readable(cluster.prometheus_user)
        if auth == PrometheusAuth.BASIC and not cluster.prometheus_user:
            raise ValueError("Give the user.")
        if ":" in cluster.prometheus_user:
            raise ValueError("A user of HTTP's basic authentication has no colon.")
    with faults.of("prometheus_secret"):
        if any(not " " <= char <= "~" for char in secret):
            raise ValueError("Only visible ASCII characters can be sent.")
        known = "prometheus_url" not in faults.found
        moved = (known and moves(before["prometheus_url"], cluster.prometheus_url)) or auth != before["prometheus_auth"]
        if signs_in and not secret and (moved or cluster.sealed_prometheus is None):
            raise ValueError("Give the password or token; one that is stored was given for another address.")
    if secret and signs_in:
        cluster.seal_prometheus(secret)
    elif not signs_in:
        cluster.seal_prometheus("")


def address(url: str, missing: str = "", *, is_secret: bool = True) -> str:
    """The address. Raises ValidationError for one that llmdash may not call."""
    if not url and missing:
        raise ValidationError(missing)
    try:
        allow = settings.LLMDASH["ALLOW_LOOPBACK"]
        return addresses.checked(url, allow_loopback=allow, is_secret=is_secret)
    except addresses.AddressRefused as error:
        raise ValidationError(str(error)) from error


def moves(before: str, after: str) -> bool:
    """Whether a stored credential would go to another server than the one it was given for."""
    old, new = urlsplit(before), urlsplit(after)
    return bool(old.netloc) and (old.scheme, old.netloc) != (new.scheme, new.netloc)


def certificates(pem: str) -> str:
    """PEM certificates, or nothing. Raises ValueError."""
    pem = pem.strip()
    try:
        if pem:
            x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise ValueError("This holds no PEM certificate.") from error
    return f"{pem}\n" if pem else ""


def credentials(token: str) -> dict[str, str]:
    """A bearer token as it is stored. Raises ValueError."""
    if any(not "!" <= char <= "~" for char in token):
        raise ValueError("The token holds characters that no token has.")
    return {"token": token} if token else {}


def patterns(cluster: Cluster) -> list[str]:
    """The patterns of allowed namespaces, which must leave room for the projects that are there. Raises ValueError."""
    given = list(dict.fromkeys(cluster.allowed_namespaces))
    if len(given) > MOST_PATTERNS:
        raise ValueError(f"At most {MOST_PATTERNS} names or patterns.")
    if wrong := [one for one in given if not PATTERN.fullmatch(one)]:
        raise ValueError(f"{wrong[0][:80]!r} is neither a namespace nor a pattern such as team-*.")
    cluster.allowed_namespaces = given
    if not cluster._state.adding:
        used = cluster.projects.order_by("namespace").values_list("namespace", flat=True)
        if outside := [namespace for namespace in used if not cluster.allows(namespace)]:
            raise ValueError(f"Projects stand in other namespaces already: {', '.join(outside[:5])}.")
    return given


def matchers(text: str) -> str:
    """PromQL label matchers, `cluster="east", tier=~"a|b"`, in one form. Raises ValueError."""
    found, at = [], 0
    text = readable(text.strip())
    while at < len(text):
        matcher = MATCHER.match(text, at)
        if matcher is None:
            raise ValueError('Write label matchers as in PromQL: cluster="east", tier=~"a|b"')
        if matcher[1] in OURS:
            raise ValueError(f"{matcher[1]} is bound by llmdash in every question.")
        found.append(f'{matcher[1]}{matcher[2]}"{matcher[3]}"')
        at = matcher.end()
    return ",".join(found)
