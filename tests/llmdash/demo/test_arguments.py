"""What keeps a demo from starting is said before anything starts."""

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from llmdash.demo import __main__ as command
from llmdash.demo.place import ROOT


def options(**given: object) -> argparse.Namespace:
    return argparse.Namespace(**{"cluster": "sandbox", "port": None, "verbose": False, "reset": False} | given)


def free() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = {**os.environ, "PORT": port, "LLMDASH_STATE_DIR": str(tmp_path / "var")}
        start = [sys.executable, "-m", "llmdash.demo"]
        done = subprocess.run(start, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"Port {port} is taken by another program. Choose another: PORT=8001 make demo\n"
    assert not (tmp_path / "var").exists(), "nothing was made"


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "８０８０"])
def test_what_is_no_port_is_named(tmp_path: Path, port: str) -> None:
    with pytest.raises(command.NotStarted, match="PORT: "):
        command.demo_of(options(), tmp_path, {"PORT": port})


def test_the_sandbox_is_the_default(tmp_path: Path) -> None:
    demo = command.demo_of(options(port=free()), tmp_path, {})
    assert (demo.place.cluster, demo.kubeconfig) == ("sandbox", None)


def test_a_kubeconfig_takes_the_place_of_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    shell = {"KUBECONFIG": str(tmp_path / "config"), "PROMETHEUS_URL": "http://prometheus.example.org"}
    demo = command.demo_of(options(port=free()), tmp_path, shell)
    assert (demo.place.cluster, demo.kubeconfig) == ("own", tmp_path / "config")
    assert demo.prometheus_url == "http://prometheus.example.org"


def test_a_kubeconfig_that_is_not_there_is_named() -> None:
    with pytest.raises(command.NotStarted, match="KUBECONFIG: /nowhere is no file"):
        command.own_kubeconfig("/nowhere")


def test_a_kubeconfig_that_runs_a_program_is_refused_before_any_password_is_made(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "current-context: c\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {exec: {command: aws, apiVersion: client.authentication.k8s.io/v1}}}]\n"
    )
    shell = {"PORT": free(), "LLMDASH_STATE_DIR": str(tmp_path / "var"), "KUBECONFIG": str(tmp_path / "config")}
    start = [sys.executable, "-m", "llmdash.demo"]
    done = subprocess.run(start, env=os.environ | shell, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "exec" in done.stderr
    assert "Password" not in done.stdout
    assert not list((tmp_path / "var").glob("*.sqlite3"))


def test_several_kubeconfigs_are_refused() -> None:
    with pytest.raises(command.NotStarted, match="KUBECONFIG names several files"):
        command.own_kubeconfig("/a:/b")


def test_two_demos_in_one_folder_are_refused(tmp_path: Path) -> None:
    command.only_one(tmp_path)
    environment = {**os.environ, "PORT": free(), "LLMDASH_STATE_DIR": str(tmp_path)}
    start = [sys.executable, "-m", "llmdash.demo"]
    done = subprocess.run(start, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Another demo runs in {tmp_path}" in done.stderr


def test_reset_removes_a_demo_and_nothing_else(tmp_path: Path) -> None:
    mine, other = tmp_path / "var", tmp_path / "home"
    for folder in (mine, other):
        folder.mkdir()
    (mine / "secret_key").touch()
    assert command.reset(mine) == 0
    assert not mine.exists()
    with pytest.raises(command.NotStarted, match="is not a demo's folder"):
        command.reset(other)
    assert other.exists()
    assert command.reset(tmp_path / "never made") == 0
