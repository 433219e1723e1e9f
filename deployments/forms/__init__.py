"""Forms: what a browser sends, read and judged by the same rules as everything else."""

from deployments.forms.acts import ActForm, NameForm, ScaleForm
from deployments.forms.deployment import DeploymentForm
from deployments.forms.projects import MemberForm, ProjectForm, RenameForm, RoleForm

__all__ = [
    "ActForm",
    "DeploymentForm",
    "MemberForm",
    "NameForm",
    "ProjectForm",
    "RenameForm",
    "RoleForm",
    "ScaleForm",
]
