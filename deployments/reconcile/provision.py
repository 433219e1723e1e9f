"""What a project's namespace needs once: its ServiceAccounts, Roles and RoleBindings."""

import time
from collections.abc import Callable

from django.conf import settings
from django.utils import timezone

from deployments import kube
from deployments.choices import Role
from deployments.manifests import rbac
from deployments.models import Project

BINDING_SECONDS = 5


def ensure(project: Project, connection: kube.Connection, hold: Callable[[], None]) -> None:
    """Make the project's roles, as llmdash itself, unless that was done. `hold` keeps the lease. Raises KubeError."""
    if project.access_ready_at:
        return
    installation = settings.LLMDASH["INSTALLATION"]
    for manifest in rbac.build(project.namespace, installation, create_namespace=project.create_namespace):
        hold()
        kube.send(connection, manifest, identity=kube.ITSELF, force=True)
    wait_until_bound(project, connection)
    project.access_ready_at = timezone.now()
    Project.objects.filter(pk=project.pk).update(access_ready_at=project.access_ready_at)


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
