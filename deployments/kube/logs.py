"""Logs of a container."""

from deployments.kube.client import Connection, Identity
from deployments.kube.kinds import path

MAX_BYTES = 512 * 1024


def logs(
    connection: Connection, namespace: str, pod: str, *, identity: Identity, container: str = "", tail: int = 500,
    previous: bool = False,
) -> str:  # fmt: skip
    """The last `tail` lines, at most MAX_BYTES of them. Raises KubeError."""
    query = {"tailLines": tail, "limitBytes": MAX_BYTES, "previous": str(previous).lower()}
    if container:
        query["container"] = container
    # 400 and 404 are usual here (the container waits, or never ran before), so the path is a plain read.
    body = connection.read(
        "GET", f"{path('Pod', namespace, pod)}/log", identity=identity, query=query, accept="*/*", limit=2 * MAX_BYTES
    )
    return body.decode("utf-8", "replace")
