"""What is well with a cluster and what is not, each in a sentence with the next step. Pure but for the rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.timesince import timeuntil

from deployments import advice
from deployments.choices import Connection, Sign
from deployments.models import Cluster, ClusterStatus

SOON = timedelta(days=14)  # credentials that end within this time are told of


@dataclass(frozen=True)
class Condition:
    """One thing that has to be well. `at` is when it was found so, None for now."""

    name: str
    sign: Sign
    sentence: str
    step: str = ""
    at: datetime | None = None


def of(cluster: Cluster, status: ClusterStatus) -> list[Condition]:
    """The conditions, in the order in which they depend on each other."""
    found = [reached(status), credentials(cluster, status), same(cluster, status), rights(cluster), capacity(status)]
    return [*found, known(status), prometheus(cluster)]


def reached(status: ClusterStatus) -> Condition:
    """Whether the watcher hears the API server."""
    word = Connection(status.connection)
    if word == Connection.CONNECTED and not status.is_stale:
        return Condition("Connection", Sign.WELL, "The API server answers, and is watched.", at=status.seen_at)
    if word in (Connection.CONNECTED, Connection.NEVER):
        text = "Not heard of lately." if status.seen_at else "Not connected yet."
        return Condition("Connection", Sign.WARNING, text, advice.BY_CONNECTION[word], status.seen_at)
    return Condition("Connection", Sign.BAD, status.message or word.label, advice.BY_CONNECTION[word], status.seen_at)


def credentials(cluster: Cluster, status: ClusterStatus) -> Condition:
    """Whether they are taken, and when they end."""
    end, step = cluster.credentials_expire_at, "A platform admin can give new ones in the cluster's settings."
    if cluster.sealed_credentials is None:
        return Condition("Credentials", Sign.BAD, "There are none.", step)
    if end and end <= timezone.now():
        return Condition("Credentials", Sign.BAD, "They have ended.", step, end)
    if status.connection == Connection.REJECTED:
        return Condition("Credentials", Sign.BAD, "The API server rejects them.", step)
    if end and end - timezone.now() <= SOON:
        return Condition("Credentials", Sign.WARNING, f"They end in {timeuntil(end)}.", step)
    if end:
        return Condition("Credentials", Sign.WELL, f"They end in {timeuntil(end)}.")
    if status.seen_at is None:
        return Condition("Credentials", Sign.UNKNOWN, "Not tried yet: the API server has not answered.")
    text = "They are taken. When they end they do not tell."
    return Condition("Credentials", Sign.WELL, text, at=cluster.credentials_changed_at)


def same(cluster: Cluster, status: ClusterStatus) -> Condition:
    """Whether the cluster that answers is the one that is known."""
    if status.connection == Connection.OTHER:
        return Condition("Identity", Sign.BAD, status.message, advice.BY_CONNECTION[Connection.OTHER])
    known = cluster.identity or status.identity
    if cluster.twins().exists():
        text = "It is registered twice: pods of the one are somebody else's for the other."
        return Condition("Identity", Sign.WARNING, text, "A platform admin can forget one of them.")
    if known:
        return Condition("Identity", Sign.WELL, f"The cluster {known}, by the uid of its kube-system namespace.")
    text = "Not known: another cluster at this address would not be noticed."
    return Condition("Identity", Sign.UNKNOWN, text, "The right to get the namespace kube-system makes it known.")


def rights(cluster: Cluster) -> Condition:
    """What the last connection test found that llmdash may do."""
    tested: dict[str, Any] = cluster.tested
    if not tested.get("rights"):
        return Condition(
            "Rights", Sign.UNKNOWN, "Not tested yet.", "Test the connection to see them.", tested_at(tested)
        )
    lacking = [right for right in tested["rights"] if not right["held"]]
    if not lacking:
        return Condition("Rights", Sign.WELL, "llmdash may do all that it needs.", at=tested_at(tested))
    text = f"{len(lacking)} of {len(tested['rights'])} are not held everywhere. {lacking[0]['lacking']}"
    step = "`llmdash cluster-access` prints them, for an admin of the cluster to apply."
    return Condition("Rights", Sign.WARNING if tested["ok"] else Sign.BAD, text, step, tested_at(tested))


def capacity(status: ClusterStatus) -> Condition:
    """Whether GPUs are counted."""
    if status.nodes_known:
        return Condition("Capacity", Sign.WELL, "Nodes are read; GPUs are counted.")
    return Condition("Capacity", Sign.UNKNOWN, "Unknown: nodes have not been read.")


def known(status: ClusterStatus) -> Condition:
    """Whether the database knows all that carries our labels."""
    if status.unknown:
        number = len(status.unknown)
        text = f"The cluster is newer than the database: it does not know {number} of the deployments there."
        return Condition("Database", Sign.WARNING, text, "They are left alone; a platform admin can adopt them.")
    if status.seen_at is None:
        return Condition("Database", Sign.UNKNOWN, "Not compared yet.")
    return Condition("Database", Sign.WELL, "It knows every deployment of llmdash's there.")


def prometheus(cluster: Cluster) -> Condition:
    """Whether charts can be drawn."""
    if not cluster.prometheus_url:
        step = "A platform admin can give its address in the cluster's settings."
        return Condition("Prometheus", Sign.UNKNOWN, "None is known: there are no charts.", step)
    found = cluster.tested.get("prometheus")
    if not found:
        return Condition("Prometheus", Sign.UNKNOWN, "Not tested yet.", "Test the connection.")
    at = tested_at(cluster.tested)
    if found["ok"]:
        return Condition("Prometheus", Sign.WELL, found["message"], at=at)
    step = "A platform admin can correct and test it in the cluster's settings."
    return Condition("Prometheus", Sign.BAD, found["message"], step, at)


def tested_at(tested: dict[str, Any]) -> datetime | None:
    """When the last test was made."""
    return datetime.fromisoformat(tested["at"]) if tested.get("at") else None
