"""What a project's namespace needs once: its ServiceAccounts, Roles and RoleBindings."""

from django.conf import settings
from django.utils import timezone

from deployments import kube
from deployments.manifests import rbac
from deployments.models import Project


def ensure(project: Project, connection: kube.Connection) -> None:
    """Make the project's roles, as llmdash itself, unless that was done. Raises KubeError."""
    if project.access_ready_at:
        return
    installation = settings.LLMDASH["INSTALLATION"]
    for manifest in rbac.build(project.namespace, installation, create_namespace=project.create_namespace):
        kube.send(connection, manifest, identity=kube.ITSELF, force=True)
    project.access_ready_at = timezone.now()
    Project.objects.filter(pk=project.pk).update(access_ready_at=project.access_ready_at)
