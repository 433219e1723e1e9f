"""Kubeconfigs, read by ourselves to an allow-list.

The official loader runs `exec` plugins and opens any file that the kubeconfig names, at load time.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import yaml
from cryptography import x509

MAX_CHARS = 256 * 1024
MAX_DEPTH = 32
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
    chosen = document.get("current-context") or (next(iter(contexts)) if len(contexts) == 1 else "")
    context = pick(contexts, chosen, "context").get("context") or {}
    cluster = pick(clusters, context.get("cluster", ""), "cluster").get("cluster") or {}
    user = pick(users, context.get("user", ""), "user").get("user") or {}
    return Access(**read_cluster(cluster), **read_user(user))


def read_cluster(cluster: dict[str, Any]) -> dict[str, str]:
    """Server, CA and name; anything else is refused."""
    refuse_unknown(cluster, {"server", "certificate-authority-data", "tls-server-name", "extensions"}, "cluster")
    return {
        "url": checked_url(cluster.get("server")),
        "ca_pem": checked_ca(cluster.get("certificate-authority-data") or ""),
        "tls_server_name": text_of(cluster, "tls-server-name"),
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
    return {"token": token} if token else {"client_certificate": certificate, "client_key": key}


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
            way_out = "create a ServiceAccount for llmdash and use its token"
        raise KubeconfigRefused(f"The {where}'s {key!r} is not taken: {why}. Instead, {way_out}.")


def load_yaml(text: str) -> dict[str, Any]:
    """A mapping from YAML or JSON text."""
    if len(text) > MAX_CHARS:
        raise KubeconfigRefused(f"A kubeconfig has at most {MAX_CHARS // 1024} KiB.")
    try:
        refuse_aliases_and_depth(text)
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, KubeconfigRefused):
            raise
        raise KubeconfigRefused("This is not YAML.") from error
    if not isinstance(document, dict):
        raise KubeconfigRefused("This is no kubeconfig: a mapping with clusters, users and contexts is expected.")
    return document


def refuse_aliases_and_depth(text: str) -> None:
    """Look at the events only: nothing is built, so nothing can grow."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.events.AliasEvent):
            raise KubeconfigRefused("YAML aliases are not taken.")
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise KubeconfigRefused("This YAML is nested too deeply.")


def by_name(document: dict[str, Any], part: str) -> dict[str, dict[str, Any]]:
    """The named entries of a part."""
    entries = document.get(part) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KubeconfigRefused(f"The kubeconfig's {part!r} is not a list of entries.")
    return {str(entry.get("name", "")): entry for entry in entries}


def pick(entries: dict[str, dict[str, Any]], name: str, what: str) -> dict[str, Any]:
    """The entry of that name."""
    if name not in entries:
        raise KubeconfigRefused(f"The kubeconfig has no {what} named {name!r}." if name else f"It names no {what}.")
    return entries[name]


def text_of(part: dict[str, Any], key: str) -> str:
    """A text without surrounding white space."""
    value = part.get(key) or ""
    if not isinstance(value, str):
        raise KubeconfigRefused(f"{key!r} is not text.")
    return value.strip()


def decode(part: dict[str, Any], key: str) -> str:
    """A PEM text from base64."""
    try:
        return base64.b64decode(text_of(part, key), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise KubeconfigRefused(f"{key!r} is not base64 of a PEM text.") from error


def checked_url(url: Any) -> str:
    """An absolute https address without user, query or fragment."""
    parts = urlsplit(url if isinstance(url, str) else "")
    if parts.scheme != "https" or not parts.hostname:
        raise KubeconfigRefused("The server must be an https:// address.")
    if parts.username or parts.query or parts.fragment:
        raise KubeconfigRefused("The server's address may hold no user, query or fragment.")
    return str(url).rstrip("/")


def checked_ca(encoded: str) -> str:
    """The CA certificates as PEM."""
    if not encoded:
        return ""
    pem = decode({"certificate-authority-data": encoded}, "certificate-authority-data")
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise KubeconfigRefused("'certificate-authority-data' holds no certificate.") from error
    return pem
