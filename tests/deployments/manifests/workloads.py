"""Revisions to build manifests of."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from deployments.manifests import Workload, build
from deployments.spec import Spec

ID = "0b1c2d3e-0000-4000-8000-000000000001"
REVISION = "0b1c2d3e-0000-4000-8000-000000000007"
TOKEN = UUID("0b1c2d3e-0000-4000-8000-000000000002")
PLAIN: dict[str, Any] = {
    "runtime": "custom",
    "image": "registry.example.com/team/gpt-4:1",
    "port": 5000,
    "service_type": "LoadBalancer",
}
FULL: dict[str, Any] = {
    "llm": "Qwen/Qwen3-32B",
    "context_length": 32768,
    "args": ["--enable-prefix-caching", "--served-model-name=qwen"],
    "gpus": 2,
    "gpu_type": "NVIDIA-H100-80GB-HBM3",
    "cpu_request": "4",
    "cpu_limit": "8",
    "memory_request": "32Gi",
    "memory_limit": "64Gi",
    "shared_memory": "8Gi",
    "node_selector": {"topology.kubernetes.io/zone": "east-1"},
    "replicas": 3,
    "restarted_at": datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
    "service_type": "NodePort",
    "service_port": 8080,
    "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "HF_TOKEN", "secret": TOKEN}],
    "files": [{"path": "/etc/chat/template.jinja", "content": "{{ messages }}\n"}],
}


def workload(
    name: str = "qwen", *, namespace: str = "team-space", secrets: dict[str, bytes] | None = None, **spec: Any
) -> Workload:
    fields = spec if "runtime" in spec else {"llm": "Qwen/Qwen3-8B"} | spec
    return Workload(
        installation="llmdash",
        deployment_id=ID,
        name=name,
        namespace=namespace,
        project="team",
        revision=7,
        revision_id=REVISION,
        spec=Spec.model_validate(fields),
        secrets=secrets or {},
        secret_checksum="0123456789abcdef" if secrets else "",
    )


def full(namespace: str = "team-space") -> Workload:
    """Every option at once."""
    return workload(namespace=namespace, secrets={"HF_TOKEN": b"hf_canary"}, **FULL)


def built(made: Workload) -> dict[str, dict[str, Any]]:
    """The manifests by kind."""
    return {manifest["kind"]: manifest for manifest in build(made)}


def pod(**spec: Any) -> dict[str, Any]:
    """The pod's spec of a workload."""
    found: dict[str, Any] = built(workload(**spec))["Deployment"]["spec"]["template"]["spec"]
    return found


def container(**spec: Any) -> dict[str, Any]:
    """The one container of a workload."""
    [found] = pod(**spec)["containers"]
    made: dict[str, Any] = found
    return made
