"""Pages of deployments: fetch and authorise, act, respond."""

from deployments.views.activity import activity, export
from deployments.views.acts import delete, policy, restart, roll_back, scale, start, stop, take_over, try_again
from deployments.views.bulk import bulk
from deployments.views.edit import edit, new
from deployments.views.list import index
from deployments.views.newer import newer
from deployments.views.one import detail, logs, revision
from deployments.views.preview import preview_edit, preview_new
from deployments.views.projects import (
    add_member,
    change_role,
    create_project,
    project,
    projects,
    remove_member,
    remove_project,
    rename_project,
)
from deployments.views.secrets import remove_secret, write_secret

__all__ = [
    "activity",
    "add_member",
    "bulk",
    "change_role",
    "create_project",
    "delete",
    "detail",
    "edit",
    "export",
    "index",
    "logs",
    "new",
    "newer",
    "policy",
    "preview_edit",
    "preview_new",
    "project",
    "projects",
    "remove_member",
    "remove_project",
    "remove_secret",
    "rename_project",
    "restart",
    "revision",
    "roll_back",
    "scale",
    "start",
    "stop",
    "take_over",
    "try_again",
    "write_secret",
]
