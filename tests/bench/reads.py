"""How fast pages and the API answer, and what watching costs."""

import statistics
import time

from tests.bench.table import ROUNDS, Row, row
from tests.bench.world import World
from tests.faults.person import closing

LIST = "/deployments/?health=waiting&sort=-gpus"
REQUESTS = 50
SYNC = """
import gc
from monitoring.watcher.cluster import ClusterWatch
from monitoring.watcher import lease
from monitoring.watcher.run import COLLECT_AFTER
gc.set_threshold(*COLLECT_AFTER)
cluster = Cluster.objects.get(name="east")
def rss():
    gc.collect()
    import ctypes; ctypes.CDLL("libc.so.6").malloc_trim(0)
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS")) * 1024
ClusterStatus.objects.filter(cluster=cluster).update(lease_owner="", lease_expires_at=None)
assert lease.hold(cluster)
DeploymentStatus.objects.all().delete()
before = rss()
began = time.process_time()
watch = ClusterWatch(cluster)
watch.begin()
wall = time.monotonic()
while DeploymentStatus.objects.count() < %(count)d:
    time.sleep(0.05)
    assert time.monotonic() - wall < 120
cpu = time.process_time() - began
time.sleep(3)
held = rss() - before
lease.drop()
print(json.dumps([cpu, held]))

"""
OFFICIAL = """
import json, time, urllib3
from kubernetes import client
configuration = client.Configuration(host=%(url)r, api_key={"authorization": "Bearer " + %(token)r})
configuration.verify_ssl = False
urllib3.disable_warnings()
api = client.CoreV1Api(client.ApiClient(configuration))
began = time.process_time()
found = api.list_pod_for_all_namespaces()
print(json.dumps([time.process_time() - began, len(found.items)]))
"""
RESTFUL = """
from django.test import Client
from django.test.utils import override_settings
client = Client(SERVER_NAME="127.0.0.1")
client.force_login(boss)
def timed(act):
    act()
    began, n = time.perf_counter(), 0
    while time.perf_counter() - began < 2:
        act(); n += 1
    return n / (time.perf_counter() - began)
def ours():
    answer = client.get("/api/v1/deployments?page_size=1000")
    assert answer.status_code == 200, answer.content
def bare():
    with override_settings(ROOT_URLCONF="tests.bench.bare"):
        assert client.get("/bare").status_code == 200
print(json.dumps([[timed(ours), timed(bare)] for _ in range(%(rounds)d)]))
"""
QUERIES = """
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
client = Client(SERVER_NAME="127.0.0.1")
client.force_login(boss)
found = {}
for page in ("/", "/deployments/", "/clusters/", "/projects/", "/activity/"):
    client.get(page)
    with CaptureQueriesContext(connection, ) as seen:
        assert client.get(page).status_code == 200
    found[page] = len(seen)
print(json.dumps(found))
"""


@row(
    "list",
    "list page of 50 rows with filters, p95 ÷ `kubectl get pods -A -o json`",
    must=1 / 200,
    aim=1 / 600,
    limit="four queries that Django writes anew each time, and the frame of the page; rows are drawn once.",
)
def list_page(out: Row, world: World) -> None:
    """Each round: fifty requests one after the other, then kubectl once."""
    world.full()
    ours, theirs = [], []
    with closing(world.person()) as person:
        for _ in range(ROUNDS):
            times = []
            for _ in range(REQUESTS):
                began = time.perf_counter()
                assert person.client.get(LIST).status_code == 200
                times.append(time.perf_counter() - began)
            ours.append(statistics.quantiles(times, n=20)[-1])
            began = time.perf_counter()
            world.plane.kubectl("get", "pods", "-A", "-o", "json")
            theirs.append(time.perf_counter() - began)
    out.ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    out.said = f"{statistics.median(ours) * 1000:.0f} ms against {statistics.median(theirs):.1f} s"


@row(
    "sync",
    "cold sync of 10,000 pods into rows, CPU ÷ the official client's list of them",
    must=0.1,
    aim=1 / 30,
    limit="judging 1,000 rows of ten pods each and writing them by Django, two thirds of it; reading and decoding the "
    "rest.",
)
def sync(out: Row, world: World) -> None:
    """CPU seconds of a process that has imported everything."""
    world.full()
    ours, theirs = synced(world)
    out.ratios = [a / b for a, b in zip([cpu for cpu, _ in ours], theirs, strict=True)]
    out.said = f"{statistics.median(cpu for cpu, _ in ours):.2f} s against {statistics.median(theirs):.2f} s of CPU"


@row(
    "memory",
    "memory that the watcher holds for 10,000 pods ÷ their JSON",
    must=1.0,
    aim=0.5,
    limit="names, uids and events of pods, and what rounds of a hundred rows leave behind in the allocator.",
)
def memory(out: Row, world: World) -> None:
    """Resident bytes after the sync, less those before."""
    world.full()
    ours, _ = synced(world)
    raw = len(world.plane.kubectl("get", "--raw", "/api/v1/pods"))
    out.ratios = [held / raw for _, held in ours]
    out.said = f"{statistics.median(held for _, held in ours) / 1e6:.0f} MB for {raw / 1e6:.0f} MB of JSON"


_synced: list[tuple[list[tuple[float, float]], list[float]]] = []


def synced(world: World) -> tuple[list[tuple[float, float]], list[float]]:
    """(CPU seconds, bytes held) of each of our syncs, and the official client's CPU seconds; measured once."""
    if _synced:
        return _synced[0]
    world.site.parts["watcher"].terminate(20)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        cpu, held = world.run(SYNC, count=world.made)
        ours.append((float(cpu), float(held)))
        seconds, count = world.run(OFFICIAL, url=world.plane.url, token=world.plane.token)
        assert count >= world.made
        theirs.append(float(seconds))
    world.site.parts["watcher"].start()
    _synced.append((ours, theirs))
    return ours, theirs


@row(
    "rest-list",
    "REST list of 1,000 rows, requests/s ÷ a bare `.values()` view",
    must=0.4,
    aim=0.8,
    least=True,
    limit="two queries more than the bare view, one of them counts; and twice its columns.",
)
def rest_list(out: Row, world: World) -> None:
    """In one process, both behind the same middleware."""
    world.full()
    found = world.run(RESTFUL, rounds=ROUNDS)
    out.ratios = [a / b for a, b in found]
    ours, theirs = (statistics.median(column) for column in zip(*found, strict=True))
    out.said = f"{ours:.1f} against {theirs:.1f} a second"


@row(
    "queries",
    "SQL queries of a list page, the most of all",
    must=8,
    aim=6,
    limit="session, person and membership come before the page's own.",
)
def queries(out: Row, world: World) -> None:
    """Counted on PostgreSQL with everything in it."""
    world.full()
    found = world.run(QUERIES)
    out.ratios = [float(max(found.values()))]
    out.said = ", ".join(f"{page} {count}" for page, count in found.items())
