"""Kubeconfigs that are read, and those that are refused."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from llmdash.sandbox.hollow.kubeconfig import KubeconfigError, load


def write(folder: Path, user: Mapping[str, object], cluster: Mapping[str, object] | None = None) -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [
                    {"name": "c", "cluster": dict(cluster) if cluster else {"server": "https://127.0.0.1:6443/"}}
                ],
                "users": [{"name": "u", "user": dict(user)}],
            }
        )
    )
    return path


def test_a_token_and_a_ca_are_read(tmp_path: Path) -> None:
    ca = {"server": "https://x", "certificate-authority-data": base64.b64encode(b"PEM").decode()}
    found = load(write(tmp_path, {"token": "t"}, ca))
    assert (found.server, found.token, found.ca) == ("https://x", "t", b"PEM")


def test_files_are_found_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    assert load(write(tmp_path, {"tokenFile": "token"})).token == "from a file"


def test_plugins_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="'exec'"):
        load(write(tmp_path, {"exec": {"command": "rm"}}))


def test_a_missing_context_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("current-context: gone\n")
    with pytest.raises(KubeconfigError, match="no context named 'gone'"):
        load(path)
