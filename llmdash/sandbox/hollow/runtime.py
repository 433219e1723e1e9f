"""The simulated runtimes of all hollow pods, and the GPU metrics of all hollow nodes, on one loopback port.

``/pods/{namespace}/{name}/…`` answers what a vLLM server answers (health, models, chat, metrics), 503 until it has
loaded; ``/nodes/{node}/metrics`` is the DCGM exporter of a node; ``/discovery/{pods,nodes}`` lists both for Prometheus.
Replies say that they are simulated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol

import msgspec

from llmdash.sandbox.hollow import dcgm, discovery, enginemetrics, vllmmetrics
from llmdash.sandbox.hollow.keeper import Keeper
from llmdash.sandbox.hollow.llm import Llm
from llmdash.sandbox.hollow.nodes import Machine
from llmdash.sandbox.hollow.plan import ContainerPlan
from llmdash.sandbox.hollow.serve import Request, Response, json
from llmdash.sandbox.hollow.states import Run

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
REPLY = "This is a simulated reply: no LLM is running behind this pod."
Json = dict[str, Any]


class Directory(Protocol):
    """Who knows the pods and the nodes."""

    def find(self, namespace: str, name: str) -> Keeper | None: ...

    def on(self, node: str) -> Iterable[Keeper]: ...

    def machine(self, node: str) -> Machine | None: ...

    def every(self) -> Iterable[Keeper]: ...

    def machines(self) -> Iterable[Machine]: ...


class Runtime:
    """Answers for every pod and node."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def handle(self, request: Request) -> Response:
        match request.path:
            case ("healthz",):
                return Response(b"ok")
            case ("discovery", "pods"):
                return json(discovery.pods(self._directory.every()))
            case ("discovery", "nodes"):
                return json(discovery.nodes(self._directory.machines()))
            case ("nodes", node, "metrics"):
                return self._gpu_metrics(node)
            case ("pods", namespace, name, *rest):
                return self._pod(request, namespace, name, tuple(rest))
        return Response(b"not found", 404)

    def _gpu_metrics(self, node: str) -> Response:
        machine, now = self._directory.machine(node), time.time()
        if machine is None or machine.lost:
            return Response(b"no such node", 503 if machine else 404)
        uses = {card: use for keeper in self._directory.on(node) if (use := keeper.use(now)) for card in keeper.cards}
        return Response(dcgm.page(machine.place, uses, now).encode(), 200, PROMETHEUS)

    def _pod(self, request: Request, namespace: str, name: str, rest: tuple[str, ...]) -> Response:
        keeper = self._directory.find(namespace, name)
        if keeper is None:
            return Response(b"no such pod", 404)
        serving = keeper.serving(time.time())
        if serving is None or serving[0].llm is None or keeper.machine.lost:
            return Response(b"the runtime is not serving", 503)
        plan, run = serving
        match (request.method, *rest):
            case ("GET", "health"):
                return Response()
            case ("GET", "v1", "models"):
                return json(models(serving[0].llm, run.started))
            case ("GET", "metrics"):
                return metrics(keeper, plan, run)
            case ("POST", "v1", "chat", "completions"):
                return chat(serving[0].llm, request.body)
        return json({"detail": "Not Found"}, 404)


def metrics(keeper: Keeper, plan: ContainerPlan, run: Run) -> Response:
    load = keeper.load(plan, run)
    if load is None or plan.llm is None:
        return Response(b"", 200, PROMETHEUS)
    if plan.runtime != "vllm":
        page = enginemetrics.page(plan.runtime, load, time.time(), model=plan.llm.served_names[0])
        return Response(page.encode(), 200, PROMETHEUS)
    page = vllmmetrics.page(
        load, time.time(), model=plan.llm.served_names[0], context=plan.llm.context, utilization=plan.llm.utilization
    )
    return Response(page.encode(), 200, PROMETHEUS)


def models(llm: Llm, created: float) -> Json:
    """The body of ``/v1/models``."""
    return {
        "object": "list",
        "data": [
            {
                "id": name, "object": "model", "created": int(created), "owned_by": "vllm", "root": llm.repo_id,
                "parent": None, "max_model_len": llm.context,
            }
            for name in llm.served_names
        ],
    }  # fmt: skip


def _refuse(status: int, message: str, kind: str) -> Response:
    return json({"error": {"message": message, "type": kind, "param": None, "code": status}}, status)


def chat(llm: Llm, body: bytes) -> Response:
    """One chat completion, whole or as server-sent events."""
    try:
        asked = msgspec.json.decode(body, type=Json)
        words = " ".join(str(message.get("content", "")) for message in asked["messages"]).split()
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, AttributeError, TypeError):
        return _refuse(400, "a JSON object with `messages` is expected", "BadRequestError")
    model = str(asked.get("model") or llm.served_names[0])
    if model not in llm.served_names:
        return _refuse(404, f"The model `{model}` does not exist.", "NotFoundError")
    head: Json = {"id": f"chatcmpl-{time.time_ns():x}", "created": int(time.time()), "model": model}
    if asked.get("stream"):
        return Response(_pieces(head), 200, "text/event-stream")
    made = REPLY.split()
    message = {"role": "assistant", "content": REPLY}
    usage = {"prompt_tokens": len(words), "completion_tokens": len(made), "total_tokens": len(words) + len(made)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json(head | {"object": "chat.completion", "choices": [choice], "usage": usage})


async def _pieces(head: Json) -> AsyncIterator[bytes]:
    for word in REPLY.split(" "):
        choice: Json = {"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}
        yield _event(head | {"object": "chat.completion.chunk", "choices": [choice]})
        await asyncio.sleep(0.02)
    last: Json = {"index": 0, "delta": {}, "finish_reason": "stop"}
    yield _event(head | {"object": "chat.completion.chunk", "choices": [last]})
    yield b"data: [DONE]\n\n"


def _event(body: Json) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"
