"""The watching of one cluster: its feeds, and the thread that writes what they bring."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections
from msgspec.json import Decoder

from deployments import database, kube, metrics
from deployments.choices import Connection as Word
from deployments.manifests import labels
from deployments.models import Cluster, ClusterStatus
from monitoring import objects
from monitoring.watcher.projection import Projection
from monitoring.watcher.store import Events, Shelf, is_uuid

log = structlog.get_logger(__name__)
DENIED = 403
DEBOUNCE_SECONDS = 0.05
TICK_SECONDS = 1.0
DOUBT_SECONDS, REVIEW_SECONDS = 5.0, 30.0  # between two reviews of the rights
CONNECT_LAST_SECONDS = 30.0  # the longest pause between two tries to connect
# (kind, decoder, only ours)
KINDS: list[tuple[str, Decoder[Any], bool]] = [
    ("Node", Decoder(objects.Node), False),
    ("Pod", Decoder(objects.Pod), False),
    ("Deployment", Decoder(objects.Loose), True),
    ("ReplicaSet", Decoder(objects.ReplicaSet), True),
    ("Service", Decoder(objects.Loose), True),
    ("ConfigMap", Decoder(objects.Loose), True),
]
EVENTS = ("Event", Decoder(objects.Event), False)


class ClusterWatch:
    """Started for a cluster whose lease we hold; stopped when it is lost or its credentials change."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.stamp = stamp(cluster)
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
        self.identity = ""
        self.expected = ""
        self.recalled = False
        self.threads: list[threading.Thread] = []
        self.api: kube.Connection | None = None
        self.narrow: list[tuple[str, Decoder[Any], bool]] = []
        self.followed: dict[str, threading.Event] = {}  # what stops the feeds of a project's namespace
        self.wide: dict[str, bool] = {}
        self.reviewed_at = 0.0
        self.is_doubtful = False
        self.projection = Projection(self)

    def begin(self) -> None:
        """Start the writing thread, which starts the feeds once the API server answers."""
        self.spawn("project", self.project_for_ever)

    def end(self) -> None:
        """Stop every thread; those in the middle of a read end with their time-out."""
        for stop in (self.stop, *self.followed.values()):
            stop.set()
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
                return self.touch([found.metadata.deployment_id])
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
            self.version = kube.version(connection)
            self.identity = kube.cluster_uid(connection)
            kube.recognise(connection, self.expected)
            self.wide = self.review(connection)
        except kube.KubeError as error:
            self.errors["connect"] = error
            return False
        except Exception as error:  # credentials that cannot be opened, a certificate that is none
            self.errors["connect"] = kube.KubeError(str(error), 401, type(error).__name__)
            return False
        self.errors.pop("connect", None)
        self.api = connection
        self.start_feeds(connection)
        return True

    def review(self, connection: kube.Connection) -> dict[str, bool]:
        """Which kinds may be watched in the whole cluster, by the API server's own word. Raises KubeError."""
        self.reviewed_at, self.is_doubtful = time.monotonic(), False
        return {kind: kube.can(connection, "watch", kind, identity=kube.ITSELF) for kind, _, _ in KINDS}

    def review_again(self) -> None:
        """Ask anew when a feed was just denied, and now and then while something is; when the rights are others than
        at the start, the watch is begun anew."""
        age = time.monotonic() - self.reviewed_at
        due = age > DOUBT_SECONDS if self.is_doubtful else age > REVIEW_SECONDS and not all(self.wide.values())
        if self.api is None or not due:
            return
        try:
            now = self.review(self.api)
        except kube.KubeError:
            return  # the feeds tell of it
        if now != self.wide:
            log.info("the rights have changed; the watch begins anew", cluster=self.cluster.name)
            self.stamp = ()

    def start_feeds(self, connection: kube.Connection) -> None:
        """One feed for each kind of the whole cluster; what is denied there is followed namespace by namespace."""
        for kind, decoder, only_ours in KINDS:
            if self.wide[kind]:
                self.start_feed(connection, kind, decoder, only_ours=only_ours)
            elif kind == "Node":
                self.notes.append("Capacity is unknown: llmdash is not allowed to list nodes.")
            else:
                self.narrow.append((kind, decoder, only_ours))
        if not self.wide["Pod"]:
            self.notes.append(
                "Only the projects' own pods are counted: llmdash may not list those of other namespaces."
            )

    def follow_namespaces(self, namespaces: set[str]) -> None:
        """Events of the projects' namespaces, and what may not be followed in the whole cluster; called in each
        round, since projects come and go."""
        if self.api is None:
            return
        for namespace in namespaces - self.followed.keys():
            self.followed[namespace] = threading.Event()
            for kind, decoder, only_ours in (*self.narrow, EVENTS):
                self.start_feed(self.api, kind, decoder, only_ours=only_ours, namespace=namespace)
        for namespace in self.followed.keys() - namespaces:
            self.leave_namespace(namespace)

    def leave_namespace(self, namespace: str) -> None:
        """Its project is gone: stop its feeds, and forget what they brought and what went wrong with them."""
        self.followed.pop(namespace).set()
        for kind, _, _ in (*self.narrow, EVENTS):
            name = f"{kind}/{namespace}"
            self.alive.pop(name, None)
            self.errors.pop(name, None)
            self.listed.discard(name)
            self.shelf(kind).replace([], namespace)

    def shelf(self, kind: str) -> Any:
        """Where the objects of a kind are kept."""
        return self.events if kind == "Event" else self.shelves[kind]

    def start_feed(
        self, connection: kube.Connection, kind: str, decoder: Decoder[Any], *, only_ours: bool, namespace: str = ""
    ) -> None:
        """A thread that follows one kind."""
        name = f"{kind}/{namespace}" if namespace else kind
        shelf, stop = self.shelf(kind), self.followed.get(namespace, self.stop)

        def replace(items: list[Any]) -> None:
            self.listed.add(name)
            metrics.EVENTS.labels(kind).inc(len(items))
            shelf.replace(items, namespace)

        def change(how: str, item: Any) -> None:
            metrics.EVENTS.labels(kind).inc()
            shelf.change(how, item)

        def failed(error: kube.KubeError) -> None:
            before = self.errors.get(name)
            self.errors[name] = error
            if error.status == DENIED and (before is None or before.status != DENIED):
                self.is_doubtful = True
                self.touch(self.projection.deployments.seen)
            self.wake.set()

        def alive() -> None:
            self.alive[name] = time.monotonic()
            if error := self.errors.pop(name, None):
                self.touch(self.projection.deployments.seen if error.status == DENIED else ())

        selector = f"{labels.INSTALLATION}={settings.LLMDASH['INSTALLATION']}" if only_ours else ""
        self.alive.setdefault(name, 0.0)
        feed = kube.Feed(
            kind=kind, decoder=decoder, replace=until(stop, replace), change=until(stop, change),
            alive=until(stop, alive), failed=until(stop, failed), namespace=namespace, label_selector=selector,
        )  # fmt: skip
        self.spawn(name, kube.follow, connection, feed, stop)

    # ---- what the projector asks

    def age(self) -> float | None:
        """Seconds since the slowest feed was last answered; None before the first answer of each.

        Events say nothing of how a pod is now, and a feed that is denied is answered: they make nothing old.
        """
        told = self.told()
        return None if not told or 0.0 in told else time.monotonic() - min(told)

    def has_begun(self) -> bool:
        """Whether every feed has brought its list or was denied it; before that, absence means nothing."""
        return bool(self.alive) and 0.0 not in self.told()

    def told(self) -> list[float]:
        """When each feed that counts was last answered, 0.0 for never."""
        feeds = dict(self.alive).items()
        return [at for name, at in feeds if not name.startswith("Event/") and not self.is_denied(name)]

    def is_denied(self, name: str) -> bool:
        """Whether the API server refuses us this feed."""
        error = self.errors.get(name)
        return error is not None and error.status == DENIED

    def denied(self, namespace: str) -> str:
        """Why we cannot know what is in a namespace, in the API server's words; "" when we can."""
        for kind, _, _ in KINDS:
            for name in (kind, f"{kind}/{namespace}"):
                if kind != "Node" and self.is_denied(name):
                    return self.errors[name].message
        return ""

    def has_listed(self, kind: str) -> bool:
        """Whether every feed of a kind has brought its list."""
        names = [name for name in dict(self.alive) if name.partition("/")[0] == kind]
        return bool(names) and self.listed.issuperset(names)

    def connection(self) -> tuple[Word, str]:
        """How the connection is, by the worst error that a feed reports now."""
        if not self.errors:
            return (Word.CONNECTED, "") if self.age() is not None else (Word.NEVER, "Connecting.")
        worst = min(list(self.errors.values()), key=lambda error: (error.connection == Word.CONNECTED, error.status))
        return worst.connection, worst.message

    # ---- the writing thread

    def project_for_ever(self) -> None:
        """Connect, then write what is new, in batches; every second look at our own rows too."""
        loop = f"cluster {self.cluster.name}"
        while not self.stop.is_set() and not self.recalled:
            metrics.beat(loop)
            self.guarded(self.recall)  # without it any cluster would do
        pause = settings.LLMDASH["BACKOFF_FIRST_SECONDS"]
        while not self.stop.is_set() and not self.connect():
            self.guarded(self.projection.cluster.write_cluster)
            metrics.beat(loop)
            self.stop.wait(pause)
            metrics.beat(loop)
            pause = min(CONNECT_LAST_SECONDS, settings.LLMDASH["BACKOFF_LAST_SECONDS"], pause * 2)
        while not self.stop.is_set():
            metrics.beat(loop)
            self.wake.wait(TICK_SECONDS)
            if self.wake.is_set():
                self.stop.wait(DEBOUNCE_SECONDS)
            self.wake.clear()
            self.guarded(self.projection.write)
            self.review_again()
        metrics.rest(loop)

    def recall(self) -> None:
        """Which cluster this is, as we know it."""
        self.expected = ClusterStatus.identity_of(self.cluster)
        self.recalled = True

    def guarded(self, write: Any) -> None:
        """Nothing that goes wrong in one round stops the next: not the database, not a strange object."""
        try:
            close_old_connections()
            write()
        except Exception as error:
            database.note(error)
            log.exception("a round of writing failed; the next one follows", cluster=self.cluster.name)
            with self.lock:
                self.dirty.update(self.projection.in_hand)
            self.stop.wait(1.0)


def until(stop: threading.Event, tell: Callable[..., None]) -> Callable[..., None]:
    """What a feed tells, as long as it is wanted: one that is stopped may still be in the middle of a read."""

    def told(*what: Any) -> None:
        if not stop.is_set():
            tell(*what)

    return told


def stamp(cluster: Cluster) -> tuple[object, ...]:
    """What makes a watch start anew when it changes."""
    reach = (cluster.api_url, cluster.ca_pem, cluster.tls_server_name, cluster.credentials_changed_at)
    return (*reach, cluster.identity)
