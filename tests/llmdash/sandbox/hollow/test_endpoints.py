"""The kubelet's log endpoint and the runtimes' port, asked without a network."""

import asyncio
import json
import time
from collections.abc import Iterable

import time_machine

from llmdash.sandbox.hollow.catalog import places
from llmdash.sandbox.hollow.keeper import Keeper
from llmdash.sandbox.hollow.kubelet import Kubelet
from llmdash.sandbox.hollow.logs import PERIOD
from llmdash.sandbox.hollow.nodes import Machine
from llmdash.sandbox.hollow.runtime import Runtime
from llmdash.sandbox.hollow.serve import Request, Response
from llmdash.sandbox.hollow.states import Life, Run, Stage
from tests.llmdash.sandbox.hollow.samples import bound, planned


class Directory:
    """One pod on one machine."""

    def __init__(self, run: Run) -> None:
        self.there = Machine(places("small")[0], 0, "127.0.0.1:1", uid="n")
        life = Life(time.time(), {"vllm": run})
        cards = (("nvidia.com/gpu", 0), ("nvidia.com/gpu", 1))
        self.keeper = Keeper(bound(), self.there, planned(), life, "10.244.0.2", cards)

    def find(self, namespace: str, name: str) -> Keeper | None:
        return self.keeper if (namespace, name) == ("team", "qwen-0") else None

    def on(self, node: str) -> Iterable[Keeper]:
        return [self.keeper]

    def every(self) -> Iterable[Keeper]:
        return [self.keeper]

    def machine(self, node: str) -> Machine | None:
        return self.there if node == self.there.place.name else None

    def machines(self) -> Iterable[Machine]:
        return [self.there]


READY = Run(Stage.READY, time.time() - 900, time.time() - 1000, up=True)


def loading() -> Run:
    """A container that started 20 seconds ago and still downloads."""
    return Run(Stage.RUNNING, time.time() - 20, time.time() - 20)


def logs(run: Run, pod: str = "qwen-0", container: str = "vllm", **query: str) -> Response:
    path = ("containerLogs", "team", pod, container)
    return asyncio.run(Kubelet(Directory(run)).handle(Request("GET", path, query)))


def ask(run: Run, *path: str, method: str = "GET", body: bytes = b"") -> Response:
    return asyncio.run(Runtime(Directory(run)).handle(Request(method, path, {}, body)))


def text(answer: Response) -> str:
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def test_tail_limit_and_since_cut_the_log() -> None:
    assert len(text(logs(READY, tailLines="3")).splitlines()) == 3
    assert len(text(logs(READY, limitBytes="10"))) == 10
    assert text(logs(READY, tailLines="0")) == ""
    with time_machine.travel(
        time.time() // PERIOD * PERIOD + PERIOD / 2, tick=False
    ):  # between two lines of the engine
        assert text(logs(READY, sinceSeconds="1")) == ""
        assert len(text(logs(READY, sinceSeconds=f"{PERIOD:.0f}")).splitlines()) == 1


def test_unknown_pods_and_containers_are_not_found() -> None:
    assert logs(READY, pod="other").status == 404
    assert logs(READY, container="other").status == 404


def test_a_waiting_container_has_no_log_yet() -> None:
    answer = logs(Run(Stage.PULLING, time.time()))
    assert answer.status == 400
    assert text(answer) == 'container "vllm" in pod "qwen-0" is waiting to start: ContainerCreating'


def test_a_runtime_answers_only_once_it_has_loaded() -> None:
    assert ask(loading(), "pods", "team", "qwen-0", "health").status == 503
    assert ask(READY, "pods", "team", "qwen-0", "health").status == 200
    assert ask(READY, "pods", "team", "other", "health").status == 404


def test_a_reply_says_that_it_is_simulated() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()
    answer = ask(READY, "pods", "team", "qwen-0", "v1", "chat", "completions", method="POST", body=body)
    found = json.loads(text(answer))
    assert "simulated" in found["choices"][0]["message"]["content"]
    assert found["usage"]["prompt_tokens"] == 1


def test_bad_chat_requests_are_refused_as_vllm_does() -> None:
    path = ("pods", "team", "qwen-0", "v1", "chat", "completions")
    assert ask(READY, *path, method="POST", body=b"no json").status == 400
    wrong = json.dumps({"model": "other", "messages": []}).encode()
    assert ask(READY, *path, method="POST", body=wrong).status == 404


def test_gpu_memory_fills_while_the_weights_load() -> None:
    def used(run: Run) -> float:
        page = text(ask(run, "nodes", "hollow-h100-0", "metrics"))
        line = next(line for line in page.splitlines() if line.startswith('DCGM_FI_DEV_FB_USED{gpu="0"'))
        return float(line.rsplit(" ", 1)[1])

    assert used(loading()) < 100
    assert used(READY) > 60_000


def test_the_discovery_lists_the_node_and_only_running_pods() -> None:
    assert json.loads(text(ask(READY, "discovery", "pods"))) == []
    nodes = json.loads(text(ask(READY, "discovery", "nodes")))
    assert nodes[0]["targets"] == ["127.0.0.1:1"]
