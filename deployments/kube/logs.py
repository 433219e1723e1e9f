"""Logs of a container."""

from dataclasses import dataclass

from deployments.kube.client import Connection, Identity
from deployments.kube.kinds import path

MAX_BYTES = 512 * 1024


@dataclass(frozen=True)
class Excerpt:
    """Which lines of a log: the last `tail` ones, of the container that ran `previous` to this one, from `since` on
    (RFC 3339, to the second), each with its time in front where `timestamps` are wanted."""

    tail: int = 500
    previous: bool = False
    since: str = ""
    timestamps: bool = False


def logs(
    connection: Connection, namespace: str, pod: str, *, identity: Identity, container: str = "",
    excerpt: Excerpt = Excerpt(),
) -> str:  # fmt: skip
    """These lines, at most MAX_BYTES of them. Raises KubeError."""
    query = {"tailLines": excerpt.tail, "limitBytes": MAX_BYTES, "previous": str(excerpt.previous).lower()}
    query |= {"sinceTime": excerpt.since} if excerpt.since else {}
    query |= {"timestamps": "true"} if excerpt.timestamps else {}
    if container:
        query["container"] = container
    # 400 and 404 are usual here (the container waits, or never ran before), so the path is a plain read.
    body = connection.read(
        "GET", f"{path('Pod', namespace, pod)}/log", identity=identity, query=query, accept="*/*", limit=2 * MAX_BYTES
    )
    return body.decode("utf-8", "replace")
