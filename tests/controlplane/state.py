"""What a plane writes into its folder before it starts: ports, tokens, kubeconfigs, the audit policy.

Ports and tokens are kept for the next start in the same folder, so that a kubeconfig handed out stays good.
"""

import base64
import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from tests.controlplane.certs import ensure_certificates
from tests.controlplane.parts import Layout, Ports
from tests.controlplane.ports import free_ports, is_free

ADMIN = "admin"
# The parts are known by their usual names, so that the audit log tells them apart, but all may do everything: the roles
# that Kubernetes has for them would not exist yet when they first ask.
USERS = {
    ADMIN: "admin",
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
}
OWN_USERS = [name for user, name in USERS.items() if user != ADMIN]
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # The parts' own traffic would bury that of the program under test; what they change stays visible.
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "None", "users": OWN_USERS, "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}


def prepare(directory: Path, port: int | None) -> tuple[Layout, str]:
    """Fill a folder with what a start needs; returns where everything is, and the admin's token."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = directory / "state.json"
    state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    tokens: dict[str, str] = state.get("tokens") or {user: secrets.token_urlsafe(24) for user in USERS}
    layout = Layout(directory, ensure_certificates(directory / "pki"), _ports(state.get("ports", {}), port))
    _write_private(file, json.dumps({"ports": asdict(layout.ports), "tokens": tokens}))
    _write_private(layout.tokens, "".join(f'{tokens[u]},{name},{u},"system:masters"\n' for u, name in USERS.items()))
    layout.audit_policy.write_text(json.dumps(AUDIT_POLICY), encoding="utf-8")
    for user, token in tokens.items():
        _write_private(layout.kubeconfig(user), kubeconfig(layout, token))
    return layout, tokens[ADMIN]


def kubeconfig(layout: Layout, token: str) -> str:
    """A kubeconfig that names no files, for whoever holds the token."""
    authority = base64.b64encode(layout.certificates.ca.certificate.read_bytes()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": layout.url, "certificate-authority-data": authority}}],
        "users": [{"name": "local", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local"}}],
        "current-context": "local",
    }
    return yaml.safe_dump(document, sort_keys=False)


def _ports(before: dict[str, int], wanted: int | None) -> Ports:
    """The ports of the last start as far as they are free, and the API server's as asked for."""
    chosen = {name: port for name, port in before.items() if is_free(port)}
    if wanted is not None:
        chosen["apiserver"] = wanted
    missing = [name for name in Ports.__dataclass_fields__ if name not in chosen]
    chosen.update(zip(missing, free_ports(len(missing), chosen.values()), strict=True))
    return Ports(**chosen)


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
