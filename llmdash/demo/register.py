"""Make a cluster known: its row, and a project for people to work in."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from deployments import audit, doorbell, stream
from deployments.choices import Action, Problem
from deployments.crypto import CannotOpen
from deployments.difference import change
from deployments.kube import Connection, KubeError, cluster_uid
from deployments.kubeconfig import Access, KubeconfigRefused, load_yaml, parse_kubeconfig
from deployments.models import Cluster, Deployment, Project
from deployments.services.clusters import HIDDEN
from llmdash.demo import people
from monitoring.connections import test_and_keep

SANDBOX, REAL = "sandbox", "real"
NAMESPACE = "default"


def register_started(kind: str, kubeconfig: Path, prometheus_url: str) -> str:
    """The cluster that the demo started, "sandbox" or "real", under that name. The nodes of both are simulated."""
    access = parse_kubeconfig(kubeconfig.read_text(encoding="utf-8"))
    is_anothers = Cluster.objects.filter(name=kind, is_simulated=False).exists()
    name = f"demo-{kind}" if is_anothers else kind  # a person's own cluster keeps its name
    remember(name, access, prometheus_url=prometheus_url, is_simulated=True, is_sure=True)
    return name


def register_own(kubeconfig: Path, prometheus_url: str) -> str:
    """The person's own cluster, by its kubeconfig. Raises KubeconfigRefused with the way out."""
    text, access = read(kubeconfig)
    name = free_name(cluster_name(load_yaml(text)))
    remember(name, access, prometheus_url=prometheus_url, is_simulated=False)
    return name


def read(kubeconfig: Path) -> tuple[str, Access]:
    """A kubeconfig's text, and the access that it gives. Raises KubeconfigRefused with the way out."""
    try:
        text = kubeconfig.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigRefused(f"{kubeconfig} cannot be read: {error}") from error
    return text, parse_kubeconfig(text)


def cluster_name(kubeconfig: Mapping[str, Any]) -> str:
    """The current context's name as a DNS label: `eks:eu-1:123/Big` is `eks-eu-1-123-big`."""
    contexts = kubeconfig.get("contexts") or [{}]
    context = str(kubeconfig.get("current-context") or contexts[0].get("name") or "")
    return re.sub(r"[^a-z0-9]+", "-", context.lower()).strip("-")[:63].strip("-") or "cluster"


def free_name(name: str) -> str:
    """Not that of a simulated cluster, whose deployments would move over."""
    taken = Cluster.objects.filter(name=name, is_simulated=True).exists() or name in (SANDBOX, REAL)
    return f"own-{name}"[:63].strip("-") if taken else name


def answering(access: Access) -> str:
    """The identity of the cluster that answers there; "" when none does."""
    try:
        return cluster_uid(Connection(access))
    except KubeError:
        return ""


@transaction.atomic
def remember(
    name: str, access: Access, *, prometheus_url: str, is_simulated: bool, is_sure: bool = False
) -> Cluster:  # fmt: skip
    """Write the row when it is new or differs, and give it a project. `is_sure`: what answers there is the cluster of
    this name, also when it was another one before."""
    known = Cluster.objects.select_for_update().filter(name=name).first()
    cluster = known or Cluster(name=name)
    wanted = {
        "api_url": access.url,
        "ca_pem": access.ca_pem,
        "tls_server_name": access.tls_server_name,
        "is_simulated": is_simulated,
    }
    if prometheus_url or not known:  # one that was entered by hand stays
        wanted["prometheus_url"] = prometheus_url
    changes = []
    for field, value in wanted.items():
        before = getattr(cluster, field)
        if before != value:
            changes.append(change(field, before if known else None, value))
            setattr(cluster, field, value)
    if not known or not holds(cluster, access.secrets):
        cluster.seal_credentials(access.secrets)
        cluster.credentials_changed_at = timezone.now()
        changes.append(change("credentials", None, HIDDEN))
    if is_sure and (uid := answering(access)) and uid != cluster.identity:
        changes.append(change("identity", cluster.identity, uid))
        cluster.identity = uid
    if changes:
        cluster.save()
        audit.record(None, Action.CHANGE_CLUSTER if known else Action.REGISTER, cluster, changes=changes)
        tell(cluster)
    ensure_project(cluster)
    return cluster


def holds(cluster: Cluster, credentials: Mapping[str, str]) -> bool:
    """Are these the stored credentials? Ones whose key is lost are not."""
    try:
        return cluster.open_credentials() == credentials
    except CannotOpen:
        return False


def tell(cluster: Cluster) -> None:
    """Open pages show it, and what its credentials had stopped goes on."""
    stream.publish(stream.CLUSTER, [cluster.pk])
    for pk in Deployment.objects.filter(project__cluster=cluster, problem=Problem.CLUSTER).values_list("pk", flat=True):
        doorbell.look_again(pk)


def ensure_project(cluster: Cluster) -> None:
    """A project in the namespace `default`, of that name where no other project has it."""
    if Project.objects.filter(cluster=cluster, namespace=NAMESPACE).exists():
        return
    name = cluster.name if Project.objects.filter(name=NAMESPACE).exists() else NAMESPACE
    project = Project.objects.create(name=name, cluster=cluster, namespace=NAMESPACE)
    audit.record(None, Action.CREATE_PROJECT, project, project=project)
    people.join(project)


def look_at_new() -> None:
    """Ask of clusters that were never tested what may be done there and whether their Prometheus answers, as the form
    of a cluster does when it is sent."""
    for cluster in Cluster.objects.filter(tested={}):
        test_and_keep(cluster)
