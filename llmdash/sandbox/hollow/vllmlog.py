"""What vLLM prints while it starts, and when it fails. Pure.

Wording and order: vLLM 0.19 to 0.21 as quoted in public bug reports (``gpu_worker.py``, ``kv_cache_utils.py``,
``default_loader.py``), tqdm's progress lines as huggingface_hub and vLLM configure them. Durations inside a line are
those of the simulation, so that a reader's estimate of the remaining time holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from llmdash.sandbox.hollow import images
from llmdash.sandbox.hollow.llm import GIB, Llm
from llmdash.sandbox.hollow.plan import ContainerPlan, LoadStage, kv_gib, kv_tokens

VERSION = "0.21.0"  # of an image whose tag names none
API = "(APIServer pid=1)"
CORE = "(EngineCore pid=271)"
PACKAGES = "/usr/local/lib/python3.12/dist-packages"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log and its epoch second."""

    when: float
    text: str


def _stamp(when: float) -> str:
    return time.strftime("%m-%d %H:%M:%S", time.gmtime(when))


def info(who: str, when: float, where: str, text: str, *, level: str = "INFO") -> Line:
    return Line(when, f"{who} {level} {_stamp(when)} [{where}] {text}")


def clock(seconds: float) -> str:
    """tqdm's mm:ss."""
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"


def bar(share: float, width: int = 10) -> str:
    eighths = int(share * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[part] if part else "")).ljust(width)


def _meter(done: int, total: int, elapsed: float, *, unit: str = "it") -> str:
    if not done:
        return f"{done}/{total} [00:00<?, ?{unit}/s]"
    each = elapsed / done
    rate = f"{each:5.2f}s/{unit}" if each > 1 else f"{1 / max(each, 1e-3):5.2f}{unit}/s"
    return f"{done}/{total} [{clock(elapsed)}<{clock(each * (total - done))}, {rate}]"


def _boot(plan: ContainerPlan, llm: Llm, start: float, stage: LoadStage) -> Iterator[Line]:
    at = [start + stage.seconds * share for share in (0.3, 0.32, 0.6, 0.62, 0.9, 0.95)]
    version = images.version(plan.image) or VERSION
    given = {"model": llm.repo_id, "max_model_len": llm.context, "tensor_parallel_size": llm.gpus}
    yield info(API, at[0], "utils.py:299", f"vLLM API server version {version}")
    yield info(API, at[1], "utils.py:233", f"non-default args: {given}")
    yield info(API, at[2], "model.py:549", "Resolved architecture: ForCausalLM (simulated)")
    yield info(API, at[3], "model.py:1678", f"Using max model len {llm.context}")
    yield info(
        CORE, at[4], "core.py:105", f"Initializing a V1 LLM engine (v{version}) with config: model='{llm.repo_id}', "
        f"dtype=torch.bfloat16, max_seq_len={llm.context}, tensor_parallel_size={llm.gpus}",
    )  # fmt: skip
    yield info(CORE, at[5], "gpu_model_runner.py:4735", f"Starting to load model {llm.repo_id}...")


def _download(plan: ContainerPlan, llm: Llm, start: float, stage: LoadStage) -> Iterator[Line]:
    each, size = stage.seconds / llm.shards, llm.weight_bytes / llm.shards
    for file in range(llm.shards):
        name = f"model-{file + 1:05d}-of-{llm.shards:05d}.safetensors"
        for quarter in (1, 2, 3, 4):
            elapsed = each * quarter / 4
            rate = size / each / 1e6
            yield Line(
                start + each * file + elapsed * 0.99,
                f"{name}: {25 * quarter:3d}%|{bar(quarter / 4)}| {size * quarter / 4e9:.2f}G/{size / 1e9:.2f}G "
                f"[{clock(elapsed)}<{clock(each - elapsed)}, {rate:.0f}MB/s]",
            )
        done = file + 1
        share = done / llm.shards
        progress = _meter(done, llm.shards, each * done)
        yield Line(start + each * (file + 0.995), f"Fetching {llm.shards} files: {share:4.0%}|{bar(share)}| {progress}")
    text = f"Time spent downloading weights for {llm.repo_id}: {stage.seconds:.6f} seconds"
    yield info(CORE, start + stage.seconds, "weight_utils.py:581", text)


def _load(plan: ContainerPlan, llm: Llm, start: float, stage: LoadStage) -> Iterator[Line]:
    who = CORE if llm.gpus == 1 else "(Worker_TP0 pid=412)"
    head = f"{who} Loading safetensors checkpoint shards:"
    for done in range(llm.shards + 1):
        elapsed = stage.seconds * 0.95 * done / llm.shards
        yield Line(start + elapsed, f"{head} {done / llm.shards:4.0%} Completed | {_meter(done, llm.shards, elapsed)}")
    end = start + stage.seconds * 0.96
    yield info(who, end, "default_loader.py:384", f"Loading weights took {stage.seconds * 0.95:.2f} seconds")
    text = f"Model loading took {llm.weights_gib_per_gpu:.2f} GiB memory and {stage.seconds:.6f} seconds"
    yield info(who, end, "gpu_model_runner.py:4820", text)


def _compile(plan: ContainerPlan, llm: Llm, start: float, stage: LoadStage) -> Iterator[Line]:
    took, tokens = stage.seconds, kv_tokens(llm, plan.gpu)
    if not llm.eager:
        dynamo = f"Dynamo bytecode transform time: {took * 0.2:.2f} s"
        yield info(CORE, start + took * 0.2, "backends.py:1111", dynamo)
        compiled = f"Compiling a graph for compile range (1, 8192) takes {took * 0.45:.2f} s"
        yield info(CORE, start + took * 0.7, "backends.py:390", compiled)
        yield info(CORE, start + took * 0.75, "monitor.py:53", f"torch.compile took {took * 0.65:.2f} s in total")
    yield info(
        CORE, start + took * 0.9, "gpu_worker.py:462", f"Available KV cache memory: {kv_gib(llm, plan.gpu):.2f} GiB"
    )
    yield info(CORE, start + took * 0.95, "kv_cache_utils.py:1314", f"GPU KV cache size: {tokens:,} tokens")
    most = f"Maximum concurrency for {llm.context:,} tokens per request: {tokens / llm.context:.2f}x"
    yield info(CORE, start + took * 0.95, "kv_cache_utils.py:1319", most)


def _capture(plan: ContainerPlan, llm: Llm, start: float, stage: LoadStage) -> Iterator[Line]:
    for kind, total, begin in (("mixed prefill-decode, PIECEWISE", 51, 0.0), ("decode, FULL", 35, 0.55)):
        for step in range(5):
            done, elapsed = total * step // 4, stage.seconds * 0.4 * step / 4
            yield Line(
                start + stage.seconds * begin + elapsed,
                f"{CORE} Capturing CUDA graphs ({kind}): {done / total:4.0%}|{bar(done / total)}| "
                f"{_meter(done, total, elapsed)}",
            )
    text = f"Graph capturing finished in {stage.seconds:.0f} secs, took {0.5 + llm.billions / 60:.2f} GiB"
    yield info(CORE, start + stage.seconds, "gpu_model_runner.py:5912", text)


def _serve(plan: ContainerPlan, end: float, engine_seconds: float) -> Iterator[Line]:
    text = f"init engine (profile, create kv cache, warmup model) took {engine_seconds:.2f} seconds"
    yield info(CORE, end, "core.py:283", text)
    yield info(API, end, "api_server.py:580", f"Starting vLLM server on http://0.0.0.0:{plan.port}")
    for route, method in (("health", "GET"), ("v1/models", "GET"), ("v1/chat/completions", "POST"), ("metrics", "GET")):
        yield info(API, end, "launcher.py:46", f"Route: /{route}, Methods: {method}")
    yield Line(end, f"{API} INFO:     Started server process [1]")
    yield Line(end, f"{API} INFO:     Waiting for application startup.")
    yield Line(end, f"{API} INFO:     Application startup complete.")


_STAGES = {"boot": _boot, "download": _download, "load": _load, "compile": _compile, "capture": _capture}


def startup(plan: ContainerPlan, llm: Llm, started: float, *, warm: bool) -> Iterator[Line]:
    """All lines from the start to "Application startup complete.", in order of time; a hang stops after loading."""
    at, engine = started, 0.0
    for stage in plan.stages(warm=warm):
        if plan.hangs and stage.name in ("compile", "capture"):
            return
        yield from _STAGES[stage.name](plan, llm, at, stage)
        at += stage.seconds
        engine += stage.seconds if stage.name in ("compile", "capture") else 0.0
    if not plan.hangs:
        yield from _serve(plan, at, engine)


def _traceback(when: float, frames: list[tuple[str, int, str, str]], error: str) -> Iterator[Line]:
    where = "core.py:1136"
    yield info(CORE, when, where, "EngineCore failed to start.", level="ERROR")
    yield info(CORE, when, where, "Traceback (most recent call last):", level="ERROR")
    for file, number, function, code in frames:
        path = f'  File "{PACKAGES}/vllm/{file}", line {number}, in {function}'
        yield info(CORE, when, where, path, level="ERROR")
        yield info(CORE, when, where, f"    {code}", level="ERROR")
    yield info(CORE, when, where, error, level="ERROR")
    yield Line(when, f"{API} Traceback (most recent call last):")
    yield Line(when, f'{API}   File "/usr/local/bin/vllm", line 10, in <module>')
    yield Line(when, f"{API}     sys.exit(main())")
    last = "Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': 1}"
    yield Line(when, f"{API} RuntimeError: {last}")


_CORE_FRAME = ("v1/engine/core.py", 1110, "run_engine_core", "engine_core = EngineCoreProc(*args, **kwargs)")
_LOAD_FRAMES = [
    _CORE_FRAME,
    ("v1/worker/gpu_worker.py", 317, "load_model", "self.model_runner.load_model(load_dummy_weights=dummy_weights)"),
]
_CACHE_FRAMES = [
    _CORE_FRAME,
    ("v1/core/kv_cache_utils.py", 716, "check_enough_kv_cache_memory", "raise ValueError("),
]


def _out_of_memory(plan: ContainerPlan) -> str:
    total = plan.gpu.memory_mib / 1024 if plan.gpu else 79.19
    return (
        f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 896.00 MiB. GPU 0 has a total capacity of "
        f"{total:.2f} GiB of which 739.81 MiB is free. Including non-PyTorch memory, this process has "
        f"{total - 0.75:.2f} GiB memory in use. Of the allocated memory {total - 1.41:.2f} GiB is allocated by "
        "PyTorch, and 1.84 MiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try "
        "setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation."
    )


def _little_room(plan: ContainerPlan, llm: Llm) -> str:
    needed = llm.context * llm.kv_bytes_per_token / llm.gpus / GIB
    return (
        f"ValueError: To serve at least one request with the model's max seq len ({llm.context}), ({needed:.2f} GiB KV "
        f"cache is needed, which is larger than the available KV cache memory ({kv_gib(llm, plan.gpu):.2f} GiB). Based "
        f"on the available memory, the estimated maximum model length is {kv_tokens(llm, plan.gpu)}. Try increasing "
        "`gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine."
    )


def failure(plan: ContainerPlan, kind: str, when: float) -> Iterator[Line]:
    """The last words of a container that ended; none when the kernel killed it."""
    if kind == "cuda-oom":
        yield from _traceback(when, _LOAD_FRAMES, _out_of_memory(plan))
    elif kind == "no-kv-room":
        error = (
            "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when "
            "initializing the engine."
        )
        yield from _traceback(when, _CACHE_FRAMES, error)
    elif kind == "little-kv-room" and plan.llm:
        yield from _traceback(when, _CACHE_FRAMES, _little_room(plan, plan.llm))
    elif kind == "crash":
        yield Line(when, "Traceback (most recent call last):")
        yield Line(when, '  File "<frozen runpy>", line 198, in _run_module_as_main')
        yield Line(when, f'  File "{PACKAGES}/vllm/entrypoints/cli/main.py", line 73, in main')
        yield Line(when, "    args.dispatch_function(args)")
        yield Line(when, "ModuleNotFoundError: No module named 'vllm._C'")
    elif kind == "died":
        text = "AsyncLLM output_handler failed: EngineCore encountered an issue. See stack trace (above)."
        yield info(API, when, "async_llm.py:700", text, level="ERROR")
        yield Line(when, f"{API} vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue.")
    elif kind == "probe":
        yield Line(when, f"{API} KeyboardInterrupt: terminated")
    elif kind == "stopped":
        yield Line(when, f"{API} INFO:     Shutting down")
        yield Line(when, f"{API} INFO:     Application shutdown complete.")
