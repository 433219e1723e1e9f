"""The watching of one cluster: its feeds, and the thread that writes what they bring."""

import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections

from deployments import kube
from deployments.choices import Connection as Word
from deployments.manifests import labels
from deployments.models import Cluster
from monitoring import objects
from monitoring.watcher.projection import Projection
from monitoring.watcher.store import Events, Shelf

log = structlog.get_logger(__name__)
DEBOUNCE_SECONDS = 0.05
TICK_SECONDS = 1.0
# (kind, struct, only ours)
KINDS: list[tuple[str, type[Any], bool]] = [
    ("Node", objects.Node, False),
    ("Pod", objects.Pod, False),
    ("Deployment", objects.Loose, True),
    ("ReplicaSet", objects.ReplicaSet, True),
    ("Service", objects.Loose, True),
    ("ConfigMap", objects.Loose, True),
]


class ClusterWatch:
    """Started for a cluster whose lease we hold; stopped when it is lost or its credentials change."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.stamp = (cluster.api_url, cluster.ca_pem, cluster.credentials_changed_at)
        self.stop = threading.Event()
        self.wake = threading.Event()
        self.lock = threading.Lock()
        self.dirty: set[str] = set()
        self.shelves: dict[str, Shelf[Any]] = {kind: Shelf(self.touch) for kind, _, _ in KINDS}
        self.events = Events(self.touch_object)
        self.alive: dict[str, float] = {}
        self.listed: set[str] = set()
        self.errors: dict[str, kube.KubeError] = {}
        self.notes: list[str] = []
        self.version = ""
        self.threads: list[threading.Thread] = []
        self.event_namespaces: set[str] = set()
        self.projection = Projection(self)

    def begin(self) -> None:
        """Start the writing thread, which starts the feeds once the API server answers."""
        self.spawn("project", self.project_for_ever)

    def end(self) -> None:
        """Stop every thread; those in the middle of a read end with their time-out."""
        self.stop.set()
        self.wake.set()

    def spawn(self, name: str, target: Any, *arguments: Any) -> None:
        """Start a thread that ends with the process."""
        thread = threading.Thread(target=target, args=arguments, name=f"{self.cluster.name}:{name}", daemon=True)
        self.threads.append(thread)
        thread.start()

    # ---- told by the feeds

    def touch(self, owners: Iterable[str]) -> None:
        """Deployments whose objects changed."""
        with self.lock:
            self.dirty.update(owner for owner in owners if is_uuid(owner))
        self.wake.set()

    def touch_object(self, uid: str) -> None:
        """An event came for an object: which deployment is it of?"""
        for kind in ("Pod", "Deployment", "ReplicaSet"):
            if found := self.shelves[kind].get(uid):
                return self.touch([found.metadata.label(labels.DEPLOYMENT_ID)])
        return None

    def look_again(self, owner: str) -> None:
        """Look at a deployment in the next round too, which comes within TICK_SECONDS."""
        with self.lock:
            self.dirty.add(owner)

    def take_dirty(self) -> set[str]:
        """The deployments to look at, once."""
        with self.lock:
            taken, self.dirty = self.dirty, set()
        return taken

    # ---- the feeds

    def connect(self) -> bool:
        """Ask the API server who it is and what we may watch, and start the feeds. False when it does not answer."""
        try:
            connection = kube.connect(self.cluster)
            answer = connection.call("GET", "/version", identity=kube.ITSELF)
            if "gitVersion" not in answer:
                raise kube.errors.NotKubernetes("The server's answer is nothing a Kubernetes API would say.")
            self.version = str(answer["gitVersion"])
            wide = {kind: kube.can(connection, "watch", kind, identity=kube.ITSELF) for kind, _, _ in KINDS}
        except kube.KubeError as error:
            self.errors["connect"] = error
            return False
        except Exception as error:  # credentials that cannot be opened, a certificate that is none
            self.errors["connect"] = kube.KubeError(str(error), 401, type(error).__name__)
            return False
        self.errors.pop("connect", None)
        self.start_feeds(connection, wide)
        return True

    def start_feeds(self, connection: kube.Connection, wide: dict[str, bool]) -> None:
        """One feed for each kind, or one for each of its namespaces where the whole cluster is denied."""
        for kind, struct, only_ours in KINDS:
            if wide[kind]:
                self.start_feed(connection, kind, struct, only_ours=only_ours)
            elif kind == "Node":
                self.notes.append("Capacity is unknown: llmdash is not allowed to list nodes.")
            else:
                for namespace in self.projection.namespaces():
                    self.start_feed(connection, kind, struct, only_ours=only_ours, namespace=namespace)
        if not wide["Pod"]:
            self.notes.append(
                "Only the projects' own pods are counted: llmdash may not list those of other namespaces."
            )
        self.follow_events(connection)

    def follow_events(self, connection: kube.Connection) -> None:
        """Events of the projects' namespaces; called again when projects come."""
        for namespace in self.projection.namespaces() - self.event_namespaces:
            self.event_namespaces.add(namespace)
            self.start_feed(connection, "Event", objects.Event, only_ours=False, namespace=namespace)

    def start_feed(
        self, connection: kube.Connection, kind: str, struct: type[Any], *, only_ours: bool, namespace: str = ""
    ) -> None:
        """A thread that follows one kind."""
        name = f"{kind}/{namespace}" if namespace else kind
        shelf: Any = self.events if kind == "Event" else self.shelves[kind]

        def replace(items: list[Any]) -> None:
            self.listed.add(name)
            shelf.replace(items, namespace)

        def failed(error: kube.KubeError) -> None:
            self.errors[name] = error
            self.wake.set()

        def alive() -> None:
            self.alive[name] = time.monotonic()
            if self.errors.pop(name, None):
                self.wake.set()

        selector = f"{labels.INSTALLATION}={settings.LLMDASH['INSTALLATION']}" if only_ours else ""
        self.alive.setdefault(name, 0.0)
        feed = kube.Feed(
            kind=kind, type=struct, replace=replace, change=shelf.change, alive=alive, failed=failed,
            namespace=namespace, label_selector=selector,
        )  # fmt: skip
        self.spawn(name, kube.follow, connection, feed, self.stop)

    # ---- what the projector asks

    def age(self) -> float | None:
        """Seconds since the slowest feed was last answered; None before the first answer of each."""
        if not self.alive or any(at == 0.0 for at in self.alive.values()):
            return None
        return time.monotonic() - min(self.alive.values())

    def connection(self) -> tuple[Word, str]:
        """How the connection is, by the worst error that a feed reports now."""
        if not self.errors:
            return (Word.CONNECTED, "") if self.age() is not None else (Word.NEVER, "Connecting.")
        worst = min(self.errors.values(), key=lambda error: (error.connection == Word.CONNECTED, error.status))
        return worst.connection, worst.message

    # ---- the writing thread

    def project_for_ever(self) -> None:
        """Connect, then write what is new, in batches; every second look at our own rows too."""
        pause = settings.LLMDASH["BACKOFF_FIRST_SECONDS"]
        while not self.stop.is_set() and not self.connect():
            self.guarded(self.projection.cluster.write_cluster)
            self.stop.wait(pause)
            pause = min(30.0, pause * 2)
        while not self.stop.is_set():
            self.wake.wait(TICK_SECONDS)
            if self.wake.is_set():
                self.stop.wait(DEBOUNCE_SECONDS)
            self.wake.clear()
            self.guarded(self.projection.write)

    def guarded(self, write: Any) -> None:
        """Nothing that goes wrong in one round stops the next: not the database, not a strange object."""
        try:
            close_old_connections()
            write()
        except Exception:
            log.exception("a round of writing failed; the next one follows", cluster=self.cluster.name)
            with self.lock:
                self.dirty.update(self.projection.in_hand)
            self.stop.wait(1.0)


def is_uuid(text: str) -> bool:
    """Labels are other people's input."""
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False
