"""Forms: what a browser sends, read and judged by the same rules as everything else."""

from deployments.forms.acts import (
    ActForm,
    BulkForm,
    DeleteForm,
    NameForm,
    NewerForm,
    PolicyForm,
    ScaleForm,
    TakeOverForm,
)
from deployments.forms.clusters import AcceptForm, ClusterForm
from deployments.forms.deployment import DeploymentForm
from deployments.forms.merge import merged
from deployments.forms.projects import MemberForm, ProjectForm, RenameForm, RoleForm, SecretForm
from deployments.forms.seen import SeenForm

__all__ = [
    "AcceptForm",
    "ActForm",
    "BulkForm",
    "ClusterForm",
    "DeleteForm",
    "DeploymentForm",
    "MemberForm",
    "NameForm",
    "NewerForm",
    "PolicyForm",
    "ProjectForm",
    "RenameForm",
    "RoleForm",
    "ScaleForm",
    "SecretForm",
    "SeenForm",
    "TakeOverForm",
    "merged",
]
