"""The pod template and its one container."""

from typing import Any

from deployments.manifests import configmap, labels, probes
from deployments.manifests.workload import Workload
from deployments.spec import SHARED_MEMORY_PATH

GPU_TYPE_LABELS = {"nvidia.com": "nvidia.com/gpu.product", "amd.com": "amd.com/gpu.product-name"}
DEFAULT_SHARED_MEMORY = "2Gi"  # what vLLM's own Kubernetes examples give NVIDIA pods


def template(workload: Workload) -> dict[str, Any]:
    """Metadata without the revision, and the pod's spec."""
    metadata: dict[str, Any] = {"labels": labels.of_pods(workload)}
    if noted := annotations(workload):
        metadata["annotations"] = noted
    return {"metadata": metadata, "spec": pod_spec(workload)}


def annotations(workload: Workload) -> dict[str, str]:
    """What replaces the pods when it changes, although nothing else of the template does."""
    noted: dict[str, str] = {}
    if workload.spec.files:
        noted[labels.CONFIG_CHECKSUM] = configmap.checksum(workload)
    if workload.secrets:
        noted[labels.SECRET_CHECKSUM] = workload.secret_checksum
    if workload.spec.restarted_at:
        noted[labels.RESTARTED_AT] = workload.spec.restarted_at.isoformat()
    return noted


def pod_spec(workload: Workload) -> dict[str, Any]:
    """One container, its volumes and where it may run."""
    spec: dict[str, Any] = {"containers": [container(workload)]}
    if mounted := volumes(workload):
        spec["volumes"] = mounted
    if wanted := node_selector(workload):
        spec["nodeSelector"] = wanted
    if workload.spec.gpus:
        # GPU nodes are often kept free by a taint of the resource's name.
        spec["tolerations"] = [{"key": workload.spec.gpu_resource, "operator": "Exists", "effect": "NoSchedule"}]
    if workload.runtime.needs_llm:
        spec["automountServiceAccountToken"] = False
        # Seconds to end running generations after a TERM.
        spec["terminationGracePeriodSeconds"] = 60
    return spec


def container(workload: Workload) -> dict[str, Any]:
    """The runtime."""
    built: dict[str, Any] = {
        "name": workload.name,
        "image": workload.spec.image,
        "ports": [{"containerPort": workload.port}],
    }
    optional = {
        "command": workload.spec.command or list(workload.runtime.command),
        "args": arguments(workload),
        "env": environment(workload),
        "resources": resources(workload),
        "volumeMounts": mounts(workload),
    }
    built |= {key: value for key, value in optional.items() if value}
    if workload.runtime.needs_llm:
        # The kubelet then keeps the end of the log of a run that failed with the pod's status: why it ended.
        built["terminationMessagePolicy"] = "FallbackToLogsOnError"
    return built | probes.build(workload)


def arguments(workload: Workload) -> list[str]:
    """vLLM's flags from the spec, then the person's own, which win."""
    spec = workload.spec
    if workload.runtime.name != "vllm":
        return list(spec.args)
    flags = [spec.llm, "--port", str(workload.port)]
    if spec.gpus > 1:
        flags += ["--tensor-parallel-size", str(spec.gpus)]
    if spec.context_length:
        flags += ["--max-model-len", str(spec.context_length)]
    return flags + list(spec.args)


def environment(workload: Workload) -> list[dict[str, Any]]:
    """Plain values as they are; secret ones by reference to our Secret."""
    return [
        {"name": var.name, "value": var.value}
        if var.secret is None
        else {"name": var.name, "valueFrom": {"secretKeyRef": {"name": workload.secret_name, "key": var.name}}}
        for var in workload.spec.env
    ]


def resources(workload: Workload) -> dict[str, Any]:
    """Requests and limits. GPUs stand in the limits; the request follows by itself."""
    spec = workload.spec
    requests = {"cpu": spec.cpu_request, "memory": spec.memory_request}
    limits = {"cpu": spec.cpu_limit, "memory": spec.memory_limit}
    if spec.gpus:
        limits[spec.gpu_resource] = str(spec.gpus)
    built = {"requests": requests, "limits": limits}
    filled = {part: {key: value for key, value in values.items() if value} for part, values in built.items()}
    return {part: values for part, values in filled.items() if values}


def shared_memory(workload: Workload) -> str:
    """The size of /dev/shm. Tensor-parallel workers talk through it; the container default of 64 MiB stops them."""
    return workload.spec.shared_memory or (DEFAULT_SHARED_MEMORY if workload.spec.gpus else "")


def volumes(workload: Workload) -> list[dict[str, Any]]:
    """Shared memory and the files."""
    built: list[dict[str, Any]] = []
    if size := shared_memory(workload):
        built.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": size}})
    if workload.spec.files:
        built.append({"name": "files", "configMap": {"name": workload.config_name}})
    return built


def mounts(workload: Workload) -> list[dict[str, Any]]:
    """Where the volumes appear in the container."""
    built: list[dict[str, Any]] = []
    if shared_memory(workload):
        built.append({"name": "shm", "mountPath": SHARED_MEMORY_PATH})
    for place, file in enumerate(workload.spec.files):
        key = configmap.key(place, file.path)
        built.append({"name": "files", "mountPath": file.path, "subPath": key, "readOnly": True})
    return built


def node_selector(workload: Workload) -> dict[str, str]:
    """The person's own labels, and the GPU type by the label that its vendor's discovery puts on nodes."""
    spec = workload.spec
    wanted = dict(spec.node_selector)
    if spec.gpus and spec.gpu_type:
        vendor = spec.gpu_resource.split("/", 1)[0]
        wanted[GPU_TYPE_LABELS.get(vendor, f"{vendor}/gpu.product")] = spec.gpu_type
    return wanted
