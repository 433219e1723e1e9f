"""How soon a change in the cluster is on every page that shows it."""

import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from tests.bench.table import ROUNDS, Row, row
from tests.bench.world import NAMESPACE, World
from tests.e2e.browser import WIDE, chromium
from tests.faults.person import closing
from tests.faults.site import ROOT, eventually

CLIENTS, CHANGES, PER_SECOND = 100, 400, 50
SHOWN = 50  # rows of a page
CANARY = "d-0300"  # a deployment of which nothing else is changed
PAGE = "/deployments/?sort=name"
READY = """
new MutationObserver(() => {
  for (const row of document.querySelectorAll("[data-live-row]")) {
    const found = /^(\\d+)\\/\\d+$/.exec(row.querySelector("[data-label=ready]").textContent.trim());
    const seen = (window.benchSeen ||= {})[row.dataset.liveRow] ||= {};
    if (found && !(found[1] in seen)) seen[found[1]] = Date.now() / 1000;
  }
}).observe(document.body, { subtree: true, childList: true, characterData: true });
"""
Times = dict[str, float]  # seconds since the epoch


@dataclass
class Kubectl:
    """`kubectl get pods -w`, and when it told of each pod's last change."""

    world: World
    seen: Times = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator["Kubectl"]:
        """From here on, what stands there before aside."""
        command = [*self.world.plane.kubectl_command("-n", NAMESPACE, "get", "pods", "-o", "name", "--watch-only")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        thread = threading.Thread(target=self.read, args=[process], daemon=True)
        thread.start()
        try:
            self.wait_until_it_sees()
            yield self
        finally:
            process.terminate()
            process.wait(10)
            thread.join(10)

    def wait_until_it_sees(self) -> None:
        """Touch a pod that no benchmark changes until it tells of that."""
        names = self.world.plane.kubectl("-n", NAMESPACE, "get", "pods", "-o", "name", "-l", f"app={CANARY}").split()
        pod = names[0].removeprefix("pod/")
        for number in range(100):
            self.world.plane.kubectl("-n", NAMESPACE, "annotate", "--overwrite", "pod", pod, f"seen={number}")
            if pod in self.seen:
                return
            time.sleep(0.2)
        raise AssertionError("kubectl tells of nothing")

    def read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        for line in process.stdout:
            self.seen[line.strip().removeprefix("pod/")] = time.time()


@contextmanager
def crowd(world: World, session: str, fragment: str = "-") -> Iterator[dict[str, Any]]:
    """A hundred pages that follow the stream; what they heard is in the dict at the end."""
    command = [sys.executable, "-m", "tests.bench.crowd", world.site.url, session, str(CLIENTS), fragment]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said: dict[str, Any] = {}
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield said
        said |= json.loads(process.communicate(timeout=60)[0])
    finally:
        process.kill()
        process.wait(10)


@dataclass
class Pods:
    """The pods of the benchmark by deployment, each made ready or not as often as one likes."""

    world: World
    by_name: dict[str, list[str]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        text = self.world.plane.kubectl("-n", NAMESPACE, "get", "pods", "-o", "name")
        for pod in sorted(line.removeprefix("pod/") for line in text.split()):
            self.by_name.setdefault(deployment_of(pod), []).append(pod)
        rows = self.world.site.rows("select name, id from deployments_deployment where gone_at is null order by name")
        self.ids = {str(name): str(pk) for name, pk in rows}

    def place(self, pods: list[str]) -> None:
        """Bind them to a node, as the scheduler would: nothing of a pod without one can be ready."""
        with self.world.plane.client() as client:
            for pod in pods:
                target = {"apiVersion": "v1", "kind": "Node", "name": "bench-node"}
                binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod}, "target": target}
                answer = client.post(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/binding", json=binding)
                assert answer.is_success or answer.status_code == httpx.codes.CONFLICT, answer.text
        time.sleep(5)

    def settle(self, pods: list[str]) -> None:
        """None of them ready, and known as such."""
        self.change(pods, ready=False)
        names = ", ".join(f"'{deployment_of(pod)}'" for pod in pods)
        query = f"""select sum(s.ready) from deployments_deploymentstatus s
                    join deployments_deployment d on d.id = s.deployment_id where d.name in ({names})"""
        eventually(lambda: self.world.site.rows(query) == [(0,)], 60)

    def change(self, pods: list[str], *, ready: bool) -> None:
        """One after the other, fifty a second."""
        clients = [self.world.plane.client() for _ in range(4)]
        began = time.monotonic()

        def send(lane: int) -> None:
            for number, pod in list(enumerate(pods))[lane :: len(clients)]:
                time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
                answer = clients[lane].patch(
                    f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/status", content=json.dumps(status(ready=ready)),
                    headers={"Content-Type": "application/strategic-merge-patch+json"},
                )  # fmt: skip
                assert answer.is_success, answer.text

        with ThreadPoolExecutor(len(clients)) as pool:
            list(pool.map(send, range(len(clients))))
        for client in clients:
            client.close()


def deployment_of(pod: str) -> str:
    """The name of the Deployment behind a pod's."""
    return pod.rpartition("-")[0].rpartition("-")[0]


def status(*, ready: bool) -> dict[str, Any]:
    """What a kubelet would write."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": None}]
    return {"status": {"phase": "Running" if ready else "Pending", "conditions": conditions}}


_streamed: list[list[float]] = []


def streamed(world: World) -> list[list[float]]:
    """Of each round, the seconds from kubectl's line to the line at each client; measured once."""
    if _streamed:
        return _streamed
    world.full()
    pods = Pods(world)
    chosen = [pods.by_name[name][0] for name in list(pods.by_name)[-CHANGES:]]
    ids = [pods.ids[name] for name in list(pods.by_name)[-CHANGES:]]
    pods.place(chosen)
    pods.settle(chosen)
    with closing(world.person()) as person:
        for number in range(ROUNDS):
            with Kubectl(world).watching() as kubectl, crowd(world, person.session) as said:
                pods.change(chosen, ready=number % 2 == 0)
                time.sleep(3)
            waits = []
            for heard in said["heard"]:
                first: Times = {}
                for at, pk in heard:
                    first.setdefault(pk, at)
                waits += [first[pk] - kubectl.seen[pod] for pk, pod in zip(ids, chosen, strict=True)]
            assert len(waits) == CLIENTS * CHANGES
            _streamed.append(waits)
    return _streamed


def percentile(values: list[float], percent: int) -> float:
    """In milliseconds."""
    return statistics.quantiles(values, n=100)[percent - 1] * 1000


@row(
    "stream-p50",
    "pod change → event line at each of 100 clients, less `kubectl get -w`, p50 in ms",
    must=150,
    aim=10,
    limit="the watcher gathers changes before it judges and writes them, so that a burst costs one round.",
)
def stream_median(out: Row, world: World) -> None:
    """Fifty changes a second, each of another deployment."""
    out.ratios = [percentile(waits, 50) for waits in streamed(world)]
    out.said = f"{CLIENTS} clients of one person, {CHANGES} changes a round"


@row(
    "stream-p99",
    "the same, p99 in ms",
    must=500,
    aim=50,
    limit="as above, and the rounds of a hundred rows that the watcher writes at once.",
)
def stream_tail(out: Row, world: World) -> None:
    """As above."""
    out.ratios = [percentile(waits, 99) for waits in streamed(world)]
    out.said = f"worst {max(max(waits) for waits in streamed(world)) * 1000:.0f} ms"


_drawn: list[tuple[list[float], int]] = []


def drawn(world: World) -> list[tuple[list[float], int]]:
    """Of each round, the seconds from kubectl's line to the browser's table, and how often the crowd fetched."""
    if _drawn:
        return _drawn
    world.full()
    pods = Pods(world)
    names = sorted(pods.by_name)[:SHOWN]
    turns = [(name, n) for n in range(CHANGES // SHOWN) for name in names]
    chosen = [pods.by_name[name][n] for name, n in turns]
    pods.place(chosen)
    with closing(world.person()) as person, chromium() as browser:
        context = browser.new_context(base_url=world.site.url, viewport=WIDE)
        context.add_cookies([{"name": "sessionid", "value": person.session, "url": world.site.url}])
        for _ in range(ROUNDS):
            pods.settle(chosen)
            page = context.new_page()
            page.goto(PAGE)
            page.wait_for_timeout(2000)
            page.evaluate(READY)
            with Kubectl(world).watching() as kubectl, crowd(world, person.session, PAGE) as said:
                change = threading.Thread(target=partial(pods.change, chosen, ready=True))
                change.start()
                while change.is_alive():
                    page.wait_for_timeout(100)  # Playwright's loop has to turn
                page.wait_for_timeout(6000)
            seen = page.evaluate("window.benchSeen")
            waits = [shown_at(seen[pods.ids[name]], n + 1) - kubectl.seen[pod]
                     for (name, n), pod in zip(turns, chosen, strict=True)]  # fmt: skip
            _drawn.append((waits, int(said["fetched"])))
            page.close()
    return _drawn


def shown_at(seen: dict[str, float], least: int) -> float:
    """When a row first showed at least so many ready pods."""
    return min(at for count, at in seen.items() if re.fullmatch(r"\d+", count) and int(count) >= least)


@row(
    "dom-p50",
    "the same → the table in Chromium while the 100 fetch theirs again, p50 in ms",
    must=400,
    aim=150,
    limit="two cores for everything: the API server, the watcher, the browser, and the hundred's requests and answers.",
)
def dom_median(out: Row, world: World) -> None:
    """The rows of one page, each changed once a second; the clients show the same page."""
    out.ratios = [percentile(waits, 50) for waits, _ in drawn(world)]
    out.said = f"{statistics.median(fetched for _, fetched in drawn(world)):.0f} pages fetched in a round by the 100"


@row("dom-p99", "the same, p99 in ms", must=1500, aim=500, limit="as above.")
def dom_tail(out: Row, world: World) -> None:
    """As above."""
    out.ratios = [percentile(waits, 99) for waits, _ in drawn(world)]
    out.said = f"worst {max(max(waits) for waits, _ in drawn(world)) * 1000:.0f} ms"
