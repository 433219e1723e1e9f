"""A real Prometheus finds the hollow nodes through the API server and scrapes them."""

import json
import os
import shutil
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from llmdash.sandbox import prometheus
from tests.controlplane.plane import ControlPlane
from tests.llmdash.sandbox.hollow.fixtures import HollowNodes, pod, vllm_container

PATIENCE = 40.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(hollow_nodes: HollowNodes, tmp_path: Path) -> Iterator[str]:
    """The URL of a running Prometheus."""
    if shutil.which("prometheus") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Prometheus is not installed")
        warnings.warn("Prometheus is not installed: its tests are skipped", stacklevel=1)
        pytest.skip("Prometheus is not installed")
    agent = prometheus.agent_discovery(hollow_nodes.runtime.removeprefix("http://"), refresh_seconds=0.5)
    found = prometheus.config(agent, scrape_seconds=0.5)
    file, port = prometheus.write(found, tmp_path / "prometheus.yml"), _free_port()
    with subprocess.Popen(prometheus.command(file, tmp_path / "data", port)) as process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def _ask(server: str, query: str) -> list[dict[str, Any]]:
    """The series that answer a query, as soon as there are any."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            found = httpx.get(f"{server}/api/v1/query", params={"query": query}, trust_env=False).json()
            if found.get("data", {}).get("result"):
                result: list[dict[str, Any]] = found["data"]["result"]
                return result
        except httpx.HTTPError:
            pass  # not listening yet
        time.sleep(0.2)
    raise AssertionError(f"no series for {query}")


@pytest.mark.plane
def test_prometheus_scrapes_runtimes_and_gpus(server: str, plane: ControlPlane, namespace: str) -> None:
    sidecar = {"name": "sidecar", "image": "busybox:1.36", "ports": [{"containerPort": 1}, {"containerPort": 2}]}
    wanted = pod("watched", vllm_container())
    wanted["spec"]["containers"].append(sidecar)
    plane.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(wanted))
    ready = _ask(server, f'vllm:num_requests_running{{namespace="{namespace}"}}')
    assert len(ready) == 1, "a pod of several containers and ports is one target"
    labels = ready[0]["metric"]
    assert (labels["pod"], labels["model_name"], labels["job"]) == ("watched", "Qwen/Qwen3-8B", "llmdash-runtimes")
    assert labels["instance"].startswith("10.244.")
    rate = _ask(server, f'sum(rate(vllm:generation_tokens_total{{namespace="{namespace}"}}[10s])) > 0')
    assert float(rate[0]["value"][1]) > 0
    p95 = (
        "histogram_quantile(0.95, sum by (le)(rate("
        f'vllm:time_to_first_token_seconds_bucket{{namespace="{namespace}"}}[10s]))) > 0'
    )
    assert 0.01 < float(_ask(server, p95)[0]["value"][1]) < 10
    used = _ask(server, f'DCGM_FI_DEV_FB_USED{{namespace="{namespace}",pod="watched"}} > 50000')
    assert {one["metric"]["node"] for one in used} == {labels["node"]}
    assert len(used) == 2


def test_the_api_server_can_be_asked_instead_and_no_secret_is_written(tmp_path: Path) -> None:
    api = prometheus.kubernetes_discovery("https://127.0.0.1:6443", token_file=tmp_path / "token")
    found = prometheus.config(api, external_labels={"cluster": "c"})
    text = prometheus.write(found, tmp_path / "prometheus.yml").read_text()
    assert yaml.safe_load(text) == found
    assert found["global"]["scrape_interval"] == "2000ms"
    assert [job["honor_labels"] for job in found["scrape_configs"]] == [False, True]
    assert found["scrape_configs"][0]["kubernetes_sd_configs"][0]["authorization"] == {
        "type": "Bearer",
        "credentials_file": str(tmp_path / "token"),
    }


def test_the_command_listens_on_loopback_only(tmp_path: Path) -> None:
    assert "--web.listen-address=127.0.0.1:9999" in prometheus.command(tmp_path / "c", tmp_path / "d", 9999)
