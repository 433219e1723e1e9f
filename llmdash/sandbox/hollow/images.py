"""Container images: their size, how long a pull takes, and how a runtime words a failure. Pure.

The texts are containerd's, as a kubelet passes them on in events and in ``state.waiting.message``.
"""

from __future__ import annotations

import hashlib
import re

BYTES_PER_SECOND = 2.2e8
"""A registry in the same region, layers unpacked in parallel."""

_SIZES = (
    ("vllm", 9_870_000_000),
    ("sglang", 12_400_000_000),
    ("text-generation-inference", 6_100_000_000),
    ("rocm", 14_800_000_000),
    ("llama", 2_300_000_000),
    ("ollama", 1_900_000_000),
    ("cuda", 4_300_000_000),
    ("torch", 4_100_000_000),
)

RUNTIMES = {
    "docker.io/lmsysorg/sglang",
    "docker.io/ollama/ollama",
    "docker.io/vllm/vllm-openai",
    "docker.io/vllm/vllm-openai-cpu",
    "docker.io/vllm/vllm-openai-rocm",
    "ghcr.io/ggml-org/llama.cpp",
    "ghcr.io/huggingface/text-generation-inference",
}
"""Repositories whose tags are known by their form; of any other, every tag is there."""

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*(?:\.?(?:rc|post|dev)\d+)*)")

_TAG_PART = re.compile(
    _VERSION.pattern + r"|[0-9a-f]{7,40}|sha|latest|nightly|dev|main|stable|release|runtime|full|light|server|trtllm"
    r"|cpu|gpu|xpu|tpu|hpu|cu(da)?[\d.]*|rocm[\d.]*|mi\d+x?|vulkan|musa|intel|openvino|neuron|gaudi|npu|cann|a[23]|910b"
    r"|[hb]\d+|gb\d+|blackwell|hopper|x86_64|x86|amd64|arm64|aarch64|ubuntu[\d.]*|debian\d*|srt|xeon|s390x"
    r"|(gptoss|gemma|qwen|deepseek|glm|minimax|kimi|llama|mistral|nemotron|ernie|step)\w*"  # previews of one model
    r"|crash|oom"  # what the sandbox provokes
)
"""What the tags of those repositories are made of, between hyphens."""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def split(image: str) -> tuple[str, str, str]:
    """Host, path and tag with the defaults of the Docker registry.

    >>> split("vllm/vllm-openai:v0.19.0")
    ('docker.io', 'vllm/vllm-openai', 'v0.19.0')
    >>> split("nginx")
    ('docker.io', 'library/nginx', 'latest')
    """
    name, _, _ = image.partition("@")
    host, slash, path = name.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, path = "docker.io", name if slash else f"library/{name}"
    path, colon, tag = path.partition(":")
    return host, path, tag if colon else "latest"


def reference(image: str) -> str:
    """The image's full name, ``docker.io/library/nginx:latest``."""
    return "{}/{}:{}".format(*split(image))


def image_id(image: str) -> str:
    host, path, _ = split(image)
    return f"{host}/{path}@sha256:{digest(reference(image))}"


def size(image: str) -> int:
    """Compressed bytes; small images get a stable figure between 40 and 140 MB."""
    for part, known in _SIZES:
        if part in image.lower():
            return known + int(digest(image)[:6], 16)
    return 40_000_000 + int(digest(image)[:8], 16) % 100_000_000


def pull_seconds(image: str) -> float:
    return 0.8 + size(image) / BYTES_PER_SECOND


def version(image: str) -> str | None:
    """The version that a tag begins with.

    >>> version("vllm/vllm-openai:v0.21.0-cu130"), version("vllm/vllm-openai:nightly")
    ('0.21.0', None)
    """
    found = _VERSION.fullmatch(split(image)[2].partition("-")[0])
    return found[1] if found else None


def exists(image: str) -> bool:
    """Whether a registry could have it. Only a tag that is plainly none is missing: v99.0 may come one day."""
    host, path, tag = split(image)
    if tag == "missing":
        return False
    if "@" in image or f"{host}/{path}" not in RUNTIMES:
        return True
    return all(_TAG_PART.fullmatch(part) for part in tag.split("-"))


def refusal(image: str, *, forced: bool = False) -> str | None:
    """Why a pull fails: no such tag, a host under ``.invalid``, or because it was asked for; None when it works."""
    host, path, tag = split(image)
    full = reference(image)
    head = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": '
    if host.endswith(".invalid"):
        return (
            f'rpc error: code = Unknown desc = {head}failed to do request: Head "https://{host}/v2/{path}/manifests/'
            f'{tag}": dial tcp: lookup {host} on 169.254.169.253:53: no such host'
        )
    if forced or not exists(image):
        return f"rpc error: code = NotFound desc = {head}{full}: not found"
    return None
