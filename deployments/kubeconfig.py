"""Kubeconfigs, read by ourselves to an allow-list.

The official loader runs `exec` plugins and opens any file that the kubeconfig names, at load time.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from deployments import addresses, strictyaml

MAX_CHARS = 256 * 1024
FLATTEN = "kubectl config view --raw --flatten --minify"


class KubeconfigRefused(ValueError):
    """The kubeconfig holds something that is not taken, named in the message."""


@dataclass(frozen=True)
class Access:
    """How to reach one API server. `ca_pem` empty means the system's certificate authorities."""

    url: str
    ca_pem: str = ""
    tls_server_name: str = ""
    token: str = field(default="", repr=False)
    client_certificate: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)

    @property
    def secrets(self) -> dict[str, str]:
        """What is stored sealed."""
        if self.token:
            return {"token": self.token}
        return {"client_certificate": self.client_certificate, "client_key": self.client_key}


def parse_kubeconfig(text: str) -> Access:
    """The access that the current context gives. Raises KubeconfigRefused with the way out."""
    document = load_yaml(text)
    contexts, clusters, users = (by_name(document, part) for part in ("contexts", "clusters", "users"))
    chosen = text_of(document, "current-context") or (next(iter(contexts)) if len(contexts) == 1 else "")
    context = pick(contexts, chosen, "context")
    cluster = pick(clusters, text_of(context, "cluster"), "cluster")
    user = pick(users, text_of(context, "user"), "user")
    return Access(**read_cluster(cluster), **read_user(user))


def read_cluster(cluster: dict[str, Any]) -> dict[str, str]:
    """Server, CA and name; anything else is refused."""
    refuse_unknown(cluster, {"server", "certificate-authority-data", "tls-server-name", "extensions"}, "cluster")
    return {
        "url": checked_url(cluster.get("server")),
        "ca_pem": checked_ca(decode(cluster, "certificate-authority-data")),
        "tls_server_name": checked_name(text_of(cluster, "tls-server-name")),
    }


def read_user(user: dict[str, Any]) -> dict[str, str]:
    """A token, or a client certificate with its key."""
    refuse_unknown(user, {"token", "client-certificate-data", "client-key-data"}, "user")
    token = text_of(user, "token")
    certificate, key = (decode(user, name) for name in ("client-certificate-data", "client-key-data"))
    if not token and not (certificate and key):
        raise KubeconfigRefused("The user holds neither a token nor a client certificate with its key.")
    if any(ord(char) < 33 or ord(char) > 126 for char in token):
        raise KubeconfigRefused("The token holds characters that no token has.")
    if token:
        return {"token": token}
    check_pair(certificate, key)
    return {"client_certificate": certificate, "client_key": key}


def check_pair(certificate: str, key: str) -> None:
    """Refuse what OpenSSL would stumble over later; for an encrypted key it would even ask at the terminal."""
    try:
        public = x509.load_pem_x509_certificates(certificate.encode())[0].public_key()
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except TypeError as error:
        raise KubeconfigRefused("The client key is encrypted; give it without a passphrase.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KubeconfigRefused("The client certificate or its key cannot be read.") from error
    if private.public_key() != public:
        raise KubeconfigRefused("The client key does not belong to the client certificate.")


REASONS = {
    "exec": "it runs a program on this machine",
    "auth-provider": "it runs a login plugin",
    "tokenFile": "it reads a file of this machine",
    "client-certificate": "it reads a file of this machine",
    "client-key": "it reads a file of this machine",
    "certificate-authority": "it reads a file of this machine",
    "insecure-skip-tls-verify": "it would accept any server",
    "proxy-url": "it would send our credentials through another host",
}


def refuse_unknown(part: dict[str, Any], known: set[str], where: str) -> None:
    """Name the first key that is not taken, why, and what to do instead."""
    for key, value in part.items():
        if key in known or value in (None, "", False):
            continue
        why = REASONS.get(key, "it is not known here")
        way_out = f"make the kubeconfig self-contained with `{FLATTEN}`"
        if key in ("exec", "auth-provider"):
            way_out = "create a ServiceAccount for llmdash and use its token; `llmdash cluster-access` prints one"
        raise KubeconfigRefused(f"The {where}'s {strictyaml.shown(key)} is not taken: {why}. Instead, {way_out}.")


def load_yaml(text: str) -> dict[str, Any]:
    """A mapping from YAML or JSON text. Raises KubeconfigRefused."""
    if len(text) > MAX_CHARS:
        raise KubeconfigRefused(f"A kubeconfig has at most {MAX_CHARS // 1024} KiB.")
    try:
        documents = strictyaml.load(text)
    except strictyaml.YamlRefused as refused:
        raise KubeconfigRefused(str(refused)) from refused
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise KubeconfigRefused("This is no kubeconfig: a mapping with clusters, users and contexts is expected.")
    return documents[0]


def by_name(document: dict[str, Any], part: str) -> dict[str, dict[str, Any]]:
    """What the named entries of a part hold: of `contexts` each entry's `context`, and so on."""
    entries = document.get(part) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KubeconfigRefused(f"The kubeconfig's {part!r} is not a list of entries.")
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        name, inner = text_of(entry, "name"), entry.get(part.removesuffix("s")) or {}
        if name in found:
            raise KubeconfigRefused(f"The kubeconfig has two {part} named {strictyaml.shown(name)}.")
        if not isinstance(inner, dict):
            raise KubeconfigRefused(f"What the kubeconfig says of {strictyaml.shown(name)} in {part!r} is no mapping.")
        found[name] = inner
    return found


def pick(entries: dict[str, dict[str, Any]], name: str, what: str) -> dict[str, Any]:
    """The entry of that name."""
    if name not in entries:
        raise KubeconfigRefused(
            f"The kubeconfig has no {what} named {strictyaml.shown(name)}." if name else f"It names no {what}."
        )
    return entries[name]


def text_of(part: dict[str, Any], key: str) -> str:
    """A text without surrounding white space, empty when it is not there."""
    value = part.get(key)
    if not isinstance(value, str | None):
        raise KubeconfigRefused(f"{key!r} is not text.")
    return (value or "").strip()


def decode(part: dict[str, Any], key: str) -> str:
    """A PEM text from base64."""
    try:
        return base64.b64decode(text_of(part, key), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise KubeconfigRefused(f"{key!r} is not base64 of a PEM text.") from error


def checked_url(url: Any) -> str:
    """An absolute https address without user, query or fragment."""
    text = url.strip() if isinstance(url, str) else ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(ord(char) < 33 or ord(char) > 126 for char in text):
        raise KubeconfigRefused("The server must be an https:// address.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise KubeconfigRefused("The server's address may hold no user, query or fragment.")
    return text.rstrip("/")


def checked_name(name: str) -> str:
    """A host name or address, as TLS compares it with the certificate; or nothing."""
    if name and not addresses.is_host(name):
        raise KubeconfigRefused("'tls-server-name' is no host name.")
    return name


def checked_ca(pem: str) -> str:
    """The CA certificates as PEM, or nothing."""
    if not pem:
        return ""
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise KubeconfigRefused("'certificate-authority-data' holds no certificate.") from error
    return pem
