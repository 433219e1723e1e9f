"""A Prometheus for the sandbox: it finds the simulated runtimes and GPU exporters and scrapes them.

Pods and nodes carry their address in the annotation ``sandbox.llmdash.io/runtime``; only the path differs. There are
two ways to find them, with the same labels and the same relabelling: through the Kubernetes API, and through the hollow
nodes' own list (``http_sd``), because Debian's package (2.42) is built without Kubernetes discovery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
META = "__meta_kubernetes"
ANNOTATION = "annotation_sandbox_llmdash_io_runtime"


Discovery = Callable[[str], Json]
"""From a role (``pod`` or ``node``) to the part of a scrape configuration that finds its targets."""


def kubernetes_discovery(api_server: str, *, ca_file: Path | None = None, token_file: Path | None = None) -> Discovery:
    """Targets from the Kubernetes API; ``token_file`` holds a bearer token that may list and watch pods and nodes."""

    def find(role: str) -> Json:
        found: Json = {"role": role, "api_server": api_server}
        if ca_file:
            found["tls_config"] = {"ca_file": str(ca_file)}
        if token_file:
            found["authorization"] = {"type": "Bearer", "credentials_file": str(token_file)}
        return {"kubernetes_sd_configs": [found]}

    return find


def agent_discovery(runtime: str, *, refresh_seconds: float = 2) -> Discovery:
    """Targets from the hollow nodes at ``host:port``, for a Prometheus that cannot ask the Kubernetes API."""

    def find(role: str) -> Json:
        url, interval = f"http://{runtime}/discovery/{role}s", f"{int(refresh_seconds * 1000)}ms"
        return {"http_sd_configs": [{"url": url, "refresh_interval": interval}]}

    return find


def _keep(source: str, regex: str) -> Json:
    return {"action": "keep", "source_labels": [source], "regex": regex}


def _copy(target: str, *sources: str, regex: str = "(.+)", replacement: str = "$1", separator: str = ";") -> Json:
    return {
        "action": "replace",
        "source_labels": list(sources),
        "separator": separator,
        "regex": regex,
        "replacement": replacement,
        "target_label": target,
    }


def _pods() -> list[Json]:
    """One target for each running pod with the annotation: a pod's containers and ports give the same target again,
    which Prometheus folds into one."""
    namespace, name = f"{META}_namespace", f"{META}_pod_name"
    return [
        _keep(f"{META}_pod_{ANNOTATION}", ".+"),
        _keep(f"{META}_pod_phase", "Running"),
        _copy("__address__", f"{META}_pod_{ANNOTATION}"),
        _copy("__metrics_path__", namespace, name, regex="(.+);(.+)", replacement="/pods/$1/$2/metrics"),
        _copy("namespace", namespace),
        _copy("pod", name),
        _copy("node", f"{META}_pod_node_name"),
        _copy("instance", f"{META}_pod_ip", replacement="$1:8000"),
    ]


def _nodes() -> list[Json]:
    name = f"{META}_node_name"
    return [
        _keep(f"{META}_node_{ANNOTATION}", ".+"),
        _copy("__address__", f"{META}_node_{ANNOTATION}"),
        _copy("__metrics_path__", name, replacement="/nodes/$1/metrics"),
        _copy("node", name),
        _copy("instance", name, replacement="$1:9400"),
    ]


def config(
    discovery: Discovery, *, scrape_seconds: float = 2, external_labels: Mapping[str, str] | None = None
) -> Json:
    """The content of prometheus.yml; GPU exporters keep their own ``pod`` and ``namespace`` labels."""
    interval = f"{int(scrape_seconds * 1000)}ms"
    jobs: list[tuple[str, str, list[Json], bool]] = [
        ("llmdash-runtimes", "pod", _pods(), False),
        ("llmdash-gpus", "node", _nodes(), True),
    ]
    return {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
            "external_labels": dict(external_labels or {}),
        },
        "scrape_configs": [
            {"job_name": job, "honor_labels": honor, **discovery(role), "relabel_configs": rules}
            for job, role, rules, honor in jobs
        ],
    }


def write(found: Json, path: Path) -> Path:
    """Write a configuration where ``command`` can be pointed at it."""
    path.write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
    return path


def command(
    config_file: Path, data: Path, port: int, *, program: str = "prometheus", retention: str = "15d"
) -> list[str]:
    """How to start it on a loopback port with a data folder of its own; it reloads its file on SIGHUP."""
    return [
        program,
        f"--config.file={config_file}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={retention}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
