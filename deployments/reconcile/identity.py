"""As whom the worker speaks."""

from deployments.choices import Role
from deployments.kube import Identity
from deployments.models import Deployment, Project


def identity(deployment: Deployment, actor: str) -> Identity:
    """The operator of the deployment's project, in the name of the Revision's author, or of llmdash when it acts by
    itself."""
    return operator(deployment.project, actor)


def operator(project: Project, actor: str) -> Identity:
    """A project's operator in somebody's name."""
    return Identity(project.namespace, Role.OPERATOR, actor)
