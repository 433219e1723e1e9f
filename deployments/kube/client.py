"""One connection to one API server, by the official client's transport, with an identity on every call."""

import contextlib
import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from django.conf import settings
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration

from deployments.choices import Role
from deployments.kube import errors
from deployments.kubeconfig import Access
from deployments.manifests import labels
from deployments.manifests.rbac import account
from deployments.models import Cluster

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
MAX_LIST_BYTES = 256 * 1024 * 1024
MAX_ANSWER_BYTES = 16 * 1024 * 1024
CHUNK = 256 * 1024
STREAMS = {"watch", "follow"}  # queries
# A raw slash in a header name breaks the request, so the extra's key travels percent-encoded.
ACTOR_HEADER = f"Impersonate-Extra-{quote(labels.ACTOR, safe='')}"


@dataclass(frozen=True)
class Identity:
    """As whom a call is made: a role of a project's namespace, for a person; or llmdash itself."""

    namespace: str = ""
    role: Role | None = None
    actor: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The impersonation headers. One ServiceAccount needs no group header."""
        if self.role is None:
            return {}
        headers = {"Impersonate-User": f"system:serviceaccount:{self.namespace}:{account(self.role)}"}
        return headers | ({ACTOR_HEADER: quote(self.actor, safe="@+")} if self.actor else {})


ITSELF = Identity()


class Connection:
    """Calls to one API server. Safe to share between threads; no redirects, no retries, one time-out."""

    def __init__(self, access: Access) -> None:
        self.url = access.url
        self.cluster_uid: str | None = None  # as `access.cluster_uid` read it
        configuration = Configuration()
        configuration.host = access.url
        configuration.ca_cert_data = access.ca_pem or None
        configuration.tls_server_name = access.tls_server_name or None
        configuration.keep_alive = True
        configuration.connection_pool_maxsize = 32
        configuration.retries = False
        if access.token:
            configuration.api_key["authorization"] = f"Bearer {access.token}"
        with client_files(access) as (certificate, key):
            configuration.cert_file, configuration.key_file = certificate, key
            self._api = ApiClient(configuration)
            self._pool: urllib3.PoolManager = self._api.rest_client.pool_manager
            if certificate:
                self._load_certificate(certificate, key, access)
        self._authorization = configuration.get_api_key_with_prefix("authorization") or ""

    def _load_certificate(self, certificate: str | None, key: str | None, access: Access) -> None:
        # The files go away, so the context is made now; urllib3 would read them at the first connection.
        context = urllib3.util.ssl_.create_urllib3_context()
        context.load_verify_locations(cadata=access.ca_pem) if access.ca_pem else context.load_default_certs()
        context.load_cert_chain(str(certificate), key)
        pool = self._pool.connection_pool_kw
        for name in ("cert_file", "key_file", "ca_certs", "ca_cert_data"):
            pool.pop(name, None)
        pool["ssl_context"] = context

    def open(
        self, method: str, path: str, *, identity: Identity, query: dict[str, Any] | None = None, body: Any = None,
        content_type: str = "application/json", accept: str = "application/json",
        timeout: urllib3.Timeout | None = None,
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """Send a request and give back the answer unread. Raises KubeError."""
        # A long list is a tenth as long by gzip: to inflate it takes less time than to decrypt the rest would. What
        # comes bit by bit must not wait for more.
        encoding = "identity" if STREAMS & (query or {}).keys() else "gzip"
        headers = {"Accept": accept, "Accept-Encoding": encoding, "User-Agent": "llmdash"} | identity.headers
        if self._authorization:
            headers["Authorization"] = self._authorization
        if body is not None:
            headers["Content-Type"] = content_type
        url = self.url + path + (f"?{urlencode(query)}" if query else "")
        try:
            response = self._pool.request(
                method, url, body=None if body is None else encode(body), headers=headers, preload_content=False,
                redirect=False, retries=False, timeout=timeout or urllib3.Timeout(settings.LLMDASH["REQUEST_SECONDS"]),
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            raise errors.from_transport(error) from error
        if response.status < 300:
            return response
        raise self._refusal(response)

    def _refusal(self, response: urllib3.BaseHTTPResponse) -> errors.KubeError:
        try:
            if response.status < 400:
                sentence = "The server sends us elsewhere; redirects are not followed."
                return errors.NotKubernetes(sentence, response.status)
            return errors.from_response(response.status, response.read(1024 * 1024), response.headers)
        except urllib3.exceptions.HTTPError as error:
            return errors.from_transport(error)
        finally:
            response.close()  # one that was read to its end has gone back to the pool before

    def read(
        self, method: str, path: str, *, identity: Identity, limit: int = MAX_LIST_BYTES, seconds: float = 60,
        **more: Any,
    ) -> bytes:  # fmt: skip
        """Send a request and read the whole answer, which may have `limit` bytes and take `seconds` to arrive."""
        response = self.open(method, path, identity=identity, **more)
        try:
            return read_all(response, limit, seconds)
        except urllib3.exceptions.HTTPError as error:
            raise errors.from_transport(error) from error
        finally:
            response.close()

    def call(self, method: str, path: str, *, identity: Identity, **more: Any) -> dict[str, Any]:
        """Send a request and decode the JSON object that it answers."""
        bounds = {"limit": MAX_ANSWER_BYTES, "seconds": settings.LLMDASH["REQUEST_SECONDS"]}
        body = self.read(method, path, identity=identity, **bounds | more)
        try:
            decoded = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise errors.NotKubernetes("The server's answer is not JSON.") from error
        if not isinstance(decoded, dict):
            raise errors.NotKubernetes("The server's answer is nothing a Kubernetes API would say.")
        return decoded


def read_all(response: urllib3.BaseHTTPResponse, limit: int, seconds: float) -> bytes:
    """The body. Each read has a time-out of its own, so a server that drips must be stopped by the clock."""
    parts: list[bytes] = []
    size, end = 0, time.monotonic() + seconds
    while chunk := response.read1(CHUNK):
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise errors.NotKubernetes(f"The server's answer is longer than {limit // 1024**2} MiB.")
        if time.monotonic() > end:
            raise errors.Unreachable("The API server did not answer in time.")
    return b"".join(parts)


def encode(body: Any) -> bytes:
    """JSON that is YAML, too: the API server reads what is applied as YAML.

    That knows no pairs of surrogates, so characters stand as they are but for those that YAML takes for line breaks
    or not at all.
    """
    text = json.dumps(body, ensure_ascii=False)
    return NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


@contextlib.contextmanager
def client_files(access: Access) -> Iterator[tuple[str | None, str | None]]:
    """The client certificate and key as private files for as long as OpenSSL needs to read them."""
    if not access.client_certificate:
        yield None, None
        return
    with tempfile.TemporaryDirectory(prefix="llmdash-") as folder:
        paths = []
        for name, text in (("client.crt", access.client_certificate), ("client.key", access.client_key)):
            path = os.path.join(folder, name)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
            paths.append(path)
        yield paths[0], paths[1]


_lock = threading.Lock()
_connections: dict[Any, tuple[Any, Connection]] = {}


def connect(cluster: Cluster) -> Connection:
    """The process's connection to a cluster; made anew when its address or credentials changed."""
    stamp = (cluster.api_url, cluster.ca_pem, cluster.tls_server_name, cluster.credentials_changed_at)
    with _lock:
        known = _connections.get(cluster.pk)
        if known and known[0] == stamp:
            return known[1]
        made = Connection(access_of(cluster))
        _connections[cluster.pk] = (stamp, made)
        return made


def access_of(cluster: Cluster) -> Access:
    """The row's access with its credentials opened."""
    opened = cluster.open_credentials()
    return Access(cluster.api_url, cluster.ca_pem, cluster.tls_server_name, **opened)
