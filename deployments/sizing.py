"""What an LLM's name and precision say of its memory and of the time it needs to start. Pure."""

import re
from dataclasses import dataclass

GIB = 1024**3
DOWNLOAD_BYTES_PER_SECOND = 100e6  # a slow but usual line to a hub, 0.8 Gbit/s
LOAD_BYTES_PER_SECOND = 500e6  # from network storage into the GPU
ENGINE_SECONDS = 180  # imports, compilation and CUDA graph capture
IMAGE_SECONDS = 420  # pulling a 10 GB image at 25 MB/s; counted in the rollout's deadline only
UNKNOWN_STARTUP_SECONDS = 1800
MIN_STARTUP_SECONDS = 600
MAX_STARTUP_SECONDS = 86_400  # what the spec takes, too

# "8B", "0.6b", "8x7B", "480B-A35B": the last wins nothing, the first counts; A35B is the active part.
SIZE = re.compile(r"(?<![A-Za-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)\s?([bBmM])(?![A-Za-z0-9])")
BITS = {
    "fp8": 8,
    "int8": 8,
    "w8a8": 8,
    "8bit": 8,
    "awq": 4,
    "gptq": 4,
    "w4a16": 4,
    "int4": 4,
    "4bit": 4,
    "fp4": 4,
    "nvfp4": 4,
}


@dataclass(frozen=True)
class Size:
    """`parameters` of the LLM, `weights` in bytes at the precision that its name tells (16 bit when it tells none)."""

    parameters: float
    weights: float


def size_of(llm: str) -> Size | None:
    """The size that a repository id tells, None when it tells none."""
    name = llm.rsplit("/", 1)[-1]
    found = SIZE.search(name.replace("_", "-").replace("-", " "))
    if not found:
        return None
    experts, number, unit = found.groups()
    parameters = float(number) * (1e9 if unit in "bB" else 1e6) * int(experts or 1)
    bits = next((bits for word, bits in BITS.items() if word in name.lower()), 16)
    return Size(parameters, parameters * bits / 8)


def startup_seconds(llm: str) -> int:
    """Seconds that downloading and loading may take before a start counts as failed, in whole minutes.

    Twice (download + load + engine start) at the rates above; at least ten minutes, at most a day, half an hour when
    the size is unknown.
    """
    size = size_of(llm)
    if size is None:
        return UNKNOWN_STARTUP_SECONDS
    estimate = size.weights / DOWNLOAD_BYTES_PER_SECOND + size.weights / LOAD_BYTES_PER_SECOND + ENGINE_SECONDS
    return int(min(MAX_STARTUP_SECONDS, max(MIN_STARTUP_SECONDS, (2 * estimate // 60 + 1) * 60)))
