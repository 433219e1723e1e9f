"""Reads of a cluster for a person who waits: the request side's only way to one."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from deployments import kube
from deployments import spec as specs
from deployments.choices import Role
from deployments.crypto import CannotOpen
from deployments.manifests import labels
from deployments.models import Cluster, Deployment
from deployments.spec import Spec
from deployments.terminal import plain


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


def logs(deployment: Deployment, pod: str, *, actor: str, **excerpt: Any) -> tuple[str, Unread | None]:
    """Lines of a pod's log, chosen by fields of `kube.Excerpt`, read as the project's viewer in the person's name."""
    who = kube.Identity(deployment.project.namespace, Role.VIEWER, actor)
    try:
        connection = kube.connect(deployment.project.cluster)
        text = kube.logs(
            connection, deployment.project.namespace, pod, identity=who, container=deployment.name,
            excerpt=kube.Excerpt(**excerpt),
        )  # fmt: skip
    except CannotOpen:
        step = "A platform admin has to give the cluster its credentials again."
        return "", Unread("The log could not be read", "The cluster's credentials cannot be opened.", step)
    except kube.KubeError as error:
        return "", why_no_logs(error)
    return plain(text), None


@dataclass(frozen=True)
class Running:
    """What a Deployment object says of itself: whose it is, the revision it was applied for, and its spec, None when it
    tells none that we can read."""

    deployment_id: str
    revision: int
    spec: Spec | None


def running(deployment: Deployment, *, actor: str) -> tuple[Running | None, Unread | None]:
    """What runs, read as the project's viewer in the person's name."""
    who = kube.Identity(deployment.project.namespace, Role.VIEWER, actor)
    where = {"name": deployment.name, "namespace": deployment.project.namespace}
    try:
        connection = kube.connect(deployment.project.cluster)
        live = kube.read(connection, {"kind": "Deployment", "metadata": where}, identity=who)
    except CannotOpen:
        step = "A platform admin has to give the cluster its credentials again."
        return None, Unread("The cluster could not be asked", "Its credentials cannot be opened.", step)
    except kube.KubeError as error:
        return None, Unread("The cluster could not be asked", error.message, "Try again when the cluster answers.")
    meta = live["metadata"]
    owner = (meta.get("labels") or {}).get(labels.DEPLOYMENT_ID, "")
    return Running(owner, labels.revision(meta), spec_of(meta)), None


def spec_of(metadata: dict[str, Any]) -> Spec | None:
    """The spec that an object carries. Anybody with the right may have written it, so it is judged like any other."""
    try:
        return specs.load(json.loads(labels.annotation(metadata, labels.SPEC)))
    except (ValueError, TypeError, AttributeError, ValidationError):
        return None


def may_be_pod(deployment: Deployment, pod: str) -> bool:
    """Whether one of its pods may have been called so: others' pods stand in the namespace, too."""
    return bool(re.fullmatch(labels.pod_names(deployment.name), pod))


def why_no_logs(error: kube.KubeError) -> Unread:
    """The API server's refusal, with the next step."""
    if error.status == 404:
        return Unread("This pod is gone", error.message, "Look at the pods that replaced it.")
    if error.status == 400:
        return Unread("There is no log yet", error.message, "It appears when the container has started.")
    if error.status in (401, 403):
        return Unread("Not allowed to read logs", error.message, "Ask a platform admin to look at the cluster's roles.")
    return Unread("The log could not be read", error.message, "Try again when the cluster answers.")
