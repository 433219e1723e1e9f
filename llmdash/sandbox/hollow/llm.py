"""What can be told about an LLM from the way its runtime is started. Pure.

Only as exact as a simulation needs: parameters come from a short table of families whose names do not say them, else
from the ``8B`` in the name. Sizes are decimal gigabytes for files and GiB for GPU memory, as the tools print them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GIB = 2**30
CONTEXT = 16384
"""Tokens of an LLM whose configuration nobody reads here, where the command tells none."""

_FAMILIES: tuple[tuple[str, float], ...] = (
    ("llama-4-scout", 108.6),
    ("llama-4-maverick", 401.6),
    ("deepseek-r1-distill", 0.0),  # says its size
    ("deepseek-v2-lite", 15.7),
    ("deepseek-r1", 671.0),
    ("deepseek-v3", 671.0),
    ("mixtral-8x7b", 46.7),
    ("mixtral-8x22b", 140.6),
    ("minimax-m2", 228.7),
    ("kimi-k2", 1026.0),
    ("phi-4-mini", 3.8),
    ("phi-4", 14.7),
    ("gpt2", 0.124),
)
"""Billions of parameters where the name is silent or misleads; 0 means: read the name."""

_SIZE = re.compile(r"(?:(\d+)x)?(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", re.IGNORECASE)
_EIGHT_BITS = re.compile(r"fp8|w8a8|int8|8bit|q8_|deepseek-(?:r1|v3)(?!-distill)", re.IGNORECASE)
_FOUR_BITS = re.compile(r"awq|gptq|int4|4bit|w4a16|nvfp4|mxfp4|bnb|gguf|q[45]_|gpt-oss", re.IGNORECASE)
_OPTIONS = ("--model", "--model-path", "--model-id", "--model-name", "-m", "-hf", "--hf-repo")
_VARIABLES = ("MODEL", "MODEL_ID", "MODEL_NAME", "HF_MODEL_ID", "LLM", "VLLM_MODEL")
_KV_BYTES = ((1.0, 32768), (4.0, 114688), (9.0, 139264), (20.0, 180224), (40.0, 262144), (120.0, 327680))


@dataclass(frozen=True, slots=True)
class Llm:
    """One LLM as its runtime was told to load it; ``billions`` of parameters at ``bits`` each over ``gpus`` cards."""

    repo_id: str
    billions: float
    bits: int
    served_names: tuple[str, ...]
    context: int
    utilization: float
    eager: bool
    gpus: int

    @property
    def weight_bytes(self) -> float:
        """Bytes on disk: 4-bit checkpoints keep embeddings in 16 bits, hence the factors above bits / 8."""
        return self.billions * 1e9 * {16: 2.0, 8: 1.04, 4: 0.62}[self.bits]

    @property
    def weights_gib_per_gpu(self) -> float:
        return self.weight_bytes / GIB / self.gpus

    @property
    def kv_bytes_per_token(self) -> float:
        """Bytes of KV cache of one token over all layers at 16 bits, by size class."""
        for limit, size in _KV_BYTES:
            if self.billions <= limit:
                return float(size)
        return 516096.0

    @property
    def shards(self) -> int:
        """Files of about 4.9 GB, as most repositories are cut."""
        return max(1, round(self.weight_bytes / 4.9e9 + 0.35))


def words(container: Mapping[str, Any]) -> list[str]:
    """Command and arguments as one list; a shell's ``-c`` script is split at blanks."""
    found: list[str] = []
    for word in [*(container.get("command") or []), *(container.get("args") or [])]:
        found.extend(str(word).split() if " " in str(word) and not str(word).startswith("{") else [str(word)])
    return found


def option(arguments: Sequence[str], *names: str) -> str | None:
    """The value of ``--name value`` or ``--name=value``; the last one wins, as argparse has it."""
    value = None
    for index, word in enumerate(arguments):
        name, equals, rest = word.partition("=")
        if name.replace("_", "-") not in names:
            continue
        value = rest if equals else (arguments[index + 1] if index + 1 < len(arguments) else value)
    return value


def repo_id(container: Mapping[str, Any]) -> str | None:
    """The LLM that a container serves: an option, the word after ``serve``, a variable, or a lone ``owner/name``."""
    arguments = words(container)
    if named := option(arguments, *_OPTIONS):
        return named
    if "serve" in arguments:
        after = arguments[arguments.index("serve") + 1 :]
        if after and not after[0].startswith("-"):
            return after[0]
    for variable in container.get("env") or []:
        if variable.get("name") in _VARIABLES and variable.get("value"):
            return str(variable["value"])
    first = str((container.get("args") or [""])[0])
    return first if re.fullmatch(r"[\w.-]+/[\w.-]+", first) and not first.startswith("-") else None


def billions(repo: str) -> float:
    """Parameters in billions; 7 when the name tells nothing.

    >>> billions("Qwen/Qwen3-30B-A3B"), billions("facebook/opt-125m"), billions("someone/finetune")
    (30.0, 0.125, 7.0)
    """
    name = repo.lower()
    known = next((size for family, size in _FAMILIES if family in name), 0.0)
    if known:
        return known
    sizes = _SIZE.findall(name.rsplit("/", 1)[-1].replace("_", "-"))
    if not sizes:
        return 7.0
    experts, number, unit = sizes[0]
    return float(number) * (int(experts) if experts else 1) / (1000 if unit == "m" else 1)


def bits(repo: str, quantization: str | None = None) -> int:
    """Bits of most weights: 16, 8 or 4, by the checkpoint's name and the runtime's option."""
    told = f"{repo} {quantization or ''}"
    if _FOUR_BITS.search(told) or "bitsandbytes" in told:
        return 4
    return 8 if _EIGHT_BITS.search(told) else 16


def _number(value: str | None, default: float) -> float:
    factors = {"k": 1000.0, "K": 1024.0, "m": 1e6, "M": 1048576.0}
    try:
        if value and value[-1] in factors:
            return float(value[:-1]) * factors[value[-1]]
        return float(value) if value else default
    except ValueError:
        return default


def _served(arguments: Sequence[str], repo: str) -> tuple[str, ...]:
    names: list[str] = []
    for index, word in enumerate(arguments):
        if word.startswith("--served-model-name="):
            names.append(word.partition("=")[2])
        elif word == "--served-model-name":
            for following in arguments[index + 1 :]:
                if following.startswith("-"):
                    break
                names.append(following)
    return tuple(names) or (repo,)


def read(container: Mapping[str, Any], gpus: int) -> Llm | None:
    """The LLM of a container that may use ``gpus`` cards, or None when it names none."""
    repo = repo_id(container)
    if repo is None:
        return None
    arguments = words(container)
    ranks = _number(option(arguments, "--tensor-parallel-size", "-tp", "--tp-size", "--tp"), 0)
    stages = _number(option(arguments, "--pipeline-parallel-size", "-pp"), 0)
    return Llm(
        repo_id=repo,
        billions=billions(repo),
        bits=bits(repo, option(arguments, "--quantization", "-q", "--load-format")),
        served_names=_served(arguments, repo),
        context=int(_number(option(arguments, "--max-model-len", "--context-length"), CONTEXT)),
        utilization=_number(option(arguments, "--gpu-memory-utilization", "--mem-fraction-static"), 0.9),
        eager="--enforce-eager" in arguments,
        gpus=int(max(1, ranks) * max(1, stages)) if ranks or stages else max(1, gpus),
    )
