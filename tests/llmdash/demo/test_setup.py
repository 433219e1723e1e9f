"""Files, ports and the environment of a demo."""

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

from deployments.crypto import Keyring
from llmdash.demo import ports, processes, state
from llmdash.demo.place import Place

PORTS = {"cluster": 16001, "plane": 16005, "kubelet": 16002, "prometheus": 16003, "runtime": 16004}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_and_folders_are_made_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    state.ensure(folder)
    Keyring.parse((folder / "encryption_key").read_text())
    assert len((folder / "secret_key").read_text().strip()) >= 50
    assert {mode(folder / name) for name in ("encryption_key", "secret_key")} == {0o600}
    assert {mode(folder), mode(folder / "broker" / "queue"), mode(folder / "broker" / "control")} == {0o700}


def test_keys_are_never_made_anew(tmp_path: Path) -> None:
    state.ensure(tmp_path)
    before = (tmp_path / "encryption_key").read_text(), (tmp_path / "secret_key").read_text()
    state.ensure(tmp_path)
    assert ((tmp_path / "encryption_key").read_text(), (tmp_path / "secret_key").read_text()) == before


def test_ports_are_kept(tmp_path: Path) -> None:
    first = ports.kept(tmp_path / "ports.json", ["cluster", "runtime"])
    assert ports.kept(tmp_path / "ports.json", ["cluster", "runtime"]) == first
    assert len(set(first.values())) == 2


def test_a_port_that_somebody_took_is_replaced(tmp_path: Path) -> None:
    first = ports.kept(tmp_path / "ports.json", ["cluster", "runtime"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["cluster"]))
        taken.listen()
        second = ports.kept(tmp_path / "ports.json", ["cluster", "runtime"])
    assert second["cluster"] != first["cluster"]
    assert second["runtime"] == first["runtime"]


def test_processes_get_nothing_else_of_the_shell(tmp_path: Path) -> None:
    shell = {
        "PATH": "/bin",
        "HOME": "/root",
        "DATABASE_URL": "postgres://production",
        "REDIS_URL": "redis://production",
        "SECRET_KEY": "production",
        "KUBECONFIG": "/root/.kube/config",
        "LLMDASH_MAX_GPUS": "8",
        "LLMDASH_ALLOW_LOOPBACK": "0",
    }
    found = Place(tmp_path, 8000, "sandbox").environment(shell)
    assert found["LLMDASH_STATE_DIR"] == str(tmp_path)
    assert found["LLMDASH_ALLOW_LOOPBACK"] == "1"
    assert found["LLMDASH_MAX_GPUS"] == "8"
    assert found["PATH"].endswith(":/bin")
    assert not {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "KUBECONFIG"} & found.keys()


def test_each_kind_of_cluster_is_a_few_lines_of_one_table(tmp_path: Path) -> None:
    def names(cluster: str) -> list[str]:
        return [program.name for program in processes.table(Place(tmp_path, 8000, cluster), PORTS)]

    assert names("sandbox") == ["sandbox", "web", "worker", "watcher", "prometheus"]
    assert names("real") == ["plane", "nodes", "web", "worker", "watcher", "prometheus"]
    assert names("own") == ["web", "worker", "watcher"]


def test_the_pages_are_served_on_loopback_only(tmp_path: Path) -> None:
    web = processes.table(Place(tmp_path, 8123, "own"), PORTS)[0]
    assert "--host 127.0.0.1 --port 8123" in web.line
    assert "--timeout-graceful-shutdown" in web.line


def test_nodes_and_prometheus_agree_on_a_port(tmp_path: Path) -> None:
    place = Place(tmp_path, 8000, "real")
    place.prometheus.mkdir()
    processes.write_configurations(place, PORTS)
    assert json.loads((place.nodes / "ports.json").read_text()) == {"kubelet": 16002, "runtime": 16004}
    assert "http://127.0.0.1:16004/discovery/pods" in processes.config_file(place).read_text()


def test_a_program_that_waits_for_a_file_starts_when_the_file_is_filled(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.touch()
    command = [
        sys.executable,
        "-m",
        "llmdash.demo.after",
        str(file),
        sys.executable,
        "-c",
        "import os; print(os.getpid())",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        file.write_text("filled")
        assert process.communicate()[0].strip() == str(process.pid), "the pid stays the one that the supervisor knows"
