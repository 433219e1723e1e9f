"""Container images: their size, how long a pull takes, and how a runtime words a failure. Pure.

The texts are containerd's, as a kubelet passes them on in events and in ``state.waiting.message``.
"""

from __future__ import annotations

import hashlib

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


def refusal(image: str, *, forced: bool = False) -> str | None:
    """Why a pull fails: tag ``missing``, a host under ``.invalid``, or because it was asked for; None when it works."""
    host, path, tag = split(image)
    full = reference(image)
    head = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": '
    if host.endswith(".invalid"):
        return (
            f'rpc error: code = Unknown desc = {head}failed to do request: Head "https://{host}/v2/{path}/manifests/'
            f'{tag}": dial tcp: lookup {host} on 169.254.169.253:53: no such host'
        )
    if tag == "missing" or forced:
        return f"rpc error: code = NotFound desc = {head}{full}: not found"
    return None
