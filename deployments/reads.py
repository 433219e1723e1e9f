"""Reads of a cluster for a person who waits: the request side's only way to one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from deployments import kube
from deployments.choices import Role
from deployments.crypto import CannotOpen
from deployments.models import Cluster, Deployment


@dataclass(frozen=True)
class Unread:
    """Why something could not be read, for people."""

    title: str
    detail: str
    next: str


def test_connection(cluster: Cluster, namespaces: Iterable[str]) -> dict[str, Any]:
    """Whether a cluster, stored or not yet, can be reached with its credentials, and what they allow: a
    `kube.rights.Report`. Nothing is written."""
    try:
        access = kube.access_of(cluster)
    except CannotOpen:
        access = kube.Access(cluster.api_url, cluster.ca_pem, cluster.tls_server_name)
    return cast(dict[str, Any], kube.rights.test(access, namespaces))


def logs(
    deployment: Deployment, pod: str, *, actor: str, previous: bool = False, tail: int = 500
) -> tuple[str, Unread | None]:
    """The last lines of a pod's log, read as the project's viewer in the person's name."""
    who = kube.Identity(deployment.project.namespace, Role.VIEWER, actor)
    try:
        connection = kube.connect(deployment.project.cluster)
        text = kube.logs(
            connection, deployment.project.namespace, pod, identity=who, container=deployment.name, tail=tail,
            previous=previous,
        )  # fmt: skip
    except CannotOpen:
        step = "A platform admin has to give the cluster its credentials again."
        return "", Unread("The log could not be read", "The cluster's credentials cannot be opened.", step)
    except kube.KubeError as error:
        return "", why_no_logs(error)
    return text, None


def why_no_logs(error: kube.KubeError) -> Unread:
    """The API server's refusal, with the next step."""
    if error.status == 404:
        return Unread("This pod is gone", error.message, "Look at the pods that replaced it.")
    if error.status == 400:
        return Unread("There is no log yet", error.message, "It appears when the container has started.")
    if error.status in (401, 403):
        return Unread("Not allowed to read logs", error.message, "Ask a platform admin to look at the cluster's roles.")
    return Unread("The log could not be read", error.message, "Try again when the cluster answers.")
