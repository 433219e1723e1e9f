"""Reads a kubeconfig to what one connection needs. Plugins (``exec``, ``auth-provider``) are refused, never run."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class KubeconfigError(ValueError):
    """The file cannot be used; the message names the part."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One API server and one identity; certificates and keys are PEM bytes."""

    server: str
    ca: bytes | None = None
    token: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None
    verify: bool = True

    def tls(self) -> ssl.SSLContext | bool:
        """What httpx wants as ``verify``."""
        if not self.server.startswith("https"):
            return False
        context = ssl.create_default_context(cadata=self.ca.decode() if self.ca else None)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate and self.key:
            _load_pair(context, self.certificate, self.key)
        return context


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Python's ssl reads key pairs from files only; this one exists for a moment, readable by us alone."""
    handle, name = tempfile.mkstemp(prefix="hollow-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(certificate + b"\n" + key)
        context.load_cert_chain(name)
    finally:
        os.unlink(name)


def _named(config: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    for entry in config.get(f"{kind}s") or []:
        if entry.get("name") == name:
            return dict(entry.get(kind) or {})
    raise KubeconfigError(f"no {kind} named {name!r}")


def _pem(section: dict[str, Any], name: str, folder: Path) -> bytes | None:
    if data := section.get(f"{name}-data"):
        return base64.b64decode(data)
    if path := section.get(name):
        return (folder / str(path)).read_bytes()
    return None


def load(path: Path) -> Connection:
    """The current context of a kubeconfig. Raises KubeconfigError or OSError."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(config, dict):
        raise KubeconfigError("not a kubeconfig")
    context = _named(config, "context", str(config.get("current-context", "")))
    cluster = _named(config, "cluster", str(context.get("cluster", "")))
    user = _named(config, "user", str(context["user"])) if context.get("user") else {}
    for plugin in ("exec", "auth-provider"):
        if plugin in user:
            raise KubeconfigError(f"users that need {plugin!r} are not supported")
    token = user.get("token")
    if not token and user.get("tokenFile"):
        token = (path.parent / str(user["tokenFile"])).read_text(encoding="utf-8").strip()
    return Connection(
        server=str(cluster["server"]).rstrip("/"),
        ca=_pem(cluster, "certificate-authority", path.parent),
        token=token,
        certificate=_pem(user, "client-certificate", path.parent),
        key=_pem(user, "client-key", path.parent),
        verify=not cluster.get("insecure-skip-tls-verify", False),
    )
