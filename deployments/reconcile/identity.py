"""As whom the worker speaks."""

from deployments.choices import Role
from deployments.kube import Identity
from deployments.models import Deployment


def identity(deployment: Deployment, actor: str) -> Identity:
    """The project's operator, in the name of the Revision's author, or of llmdash when it acts by itself."""
    return Identity(deployment.project.namespace, Role.OPERATOR, actor)
