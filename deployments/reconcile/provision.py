"""What a project's namespace needs once: its ServiceAccounts, Roles and RoleBindings."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import timezone

from deployments import audit, kube
from deployments.choices import Role
from deployments.manifests import labels, rbac
from deployments.models import Project

BINDING_SECONDS = 5
FORBIDDEN = 403


def ensure(project: Project, connection: kube.Connection, hold: Callable[[], None]) -> None:
    """See to the project's roles, as llmdash itself, unless that was done. `hold` keeps the lease. Raises KubeError.

    Who may not make them takes those that the cluster's admin made.
    """
    if project.access_ready_at:
        return
    try:
        make(project, connection, hold)
    except kube.KubeError as error:
        if error.status != FORBIDDEN:
            raise
        hold()
        if not admitted(project, connection):
            raise kube.KubeError(way_out(project.namespace, error), error.status, error.reason) from error
    project.access_ready_at = timezone.now()
    Project.objects.filter(pk=project.pk).update(access_ready_at=project.access_ready_at)


def make(project: Project, connection: kube.Connection, hold: Callable[[], None]) -> None:
    """Write the namespace, if it is ours to make, and the roles. Raises Stranger before anything is written over."""
    wanted = rbac.build(project.namespace, settings.LLMDASH["INSTALLATION"], create_namespace=project.create_namespace)
    if project.create_namespace:
        hold()
        make_namespace(connection, wanted.pop(0))
    checked = []
    for manifest in wanted:
        hold()
        checked.append(placed(connection, manifest))
    for manifest in checked:
        hold()
        kube.send(connection, manifest, identity=kube.ITSELF, force=True)
    wait_until_bound(project, connection)


def make_namespace(connection: kube.Connection, manifest: dict[str, Any]) -> None:
    """Create it unless it is there; one that is there stays as it is."""
    name = manifest["metadata"]["name"]
    if kube.metadata(connection, "Namespace", "", name, identity=kube.ITSELF) is None:
        kube.create(connection, manifest, identity=kube.ITSELF)


def placed(connection: kube.Connection, manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest at the version of our object that stands there, or for none. Raises Stranger for another's: a
    RoleBinding of his could not even be pointed at our Role."""
    kind, meta = manifest["kind"], manifest["metadata"]
    live = kube.metadata(connection, kind, meta["namespace"], meta["name"], identity=kube.ITSELF)
    if live is None:
        return kube.at_version(manifest, kube.NONE_YET)
    if not labels.are_of_installation(live, settings.LLMDASH["INSTALLATION"]):
        sentence = f"{kind} {meta['name']} exists in namespace {meta['namespace']} and is not ours."
        raise kube.Stranger(sentence, 409, "Stranger")
    return kube.at_version(manifest, live["resourceVersion"])


def admitted(project: Project, connection: kube.Connection) -> bool:
    """Whether we may act as the project's operator in a person's name, and that one may deploy."""
    operator = kube.Identity(project.namespace, Role.OPERATOR, audit.LLMDASH)
    try:
        return kube.can(connection, "patch", "Deployment", namespace=project.namespace, identity=operator)
    except kube.KubeError as error:
        if error.status != FORBIDDEN:
            raise
        return False


def way_out(namespace: str, error: kube.KubeError) -> str:
    """What the cluster's admin has to do, with the API server's refusal."""
    return (
        f"llmdash may neither make the project's roles in namespace {namespace} nor deploy with those that are there. "
        f"Apply the output of `llmdash cluster-access --namespace {namespace}`, then try again. "
        f"The API server said: {error.message}"
    )


def again(project: Project, connection: kube.Connection, hold: Callable[[], None]) -> bool:
    """Make the roles anew when they were lost; whether they were. Raises KubeError."""
    if not lost(project, connection):
        return False
    project.access_ready_at = None
    ensure(project, connection, hold)
    return True


def wait_until_bound(project: Project, connection: kube.Connection) -> None:
    """The API server learns of new bindings a moment after it has stored them; until then it forbids everything."""
    operator = kube.Identity(project.namespace, Role.OPERATOR)
    end = time.monotonic() + BINDING_SECONDS
    while not kube.can(connection, "patch", "Deployment", namespace=project.namespace, identity=operator):
        if time.monotonic() > end:
            return  # what comes next says in the server's words what is forbidden
        time.sleep(0.05)


def lost(project: Project, connection: kube.Connection) -> bool:
    """Whether the operator's account is gone, as in a namespace that was made anew. A binding that somebody removed
    was removed on purpose and stays so."""
    try:
        gone = kube.metadata(
            connection, "ServiceAccount", project.namespace, rbac.account(Role.OPERATOR), identity=kube.ITSELF
        )
    except kube.KubeError:
        return False
    return gone is None
