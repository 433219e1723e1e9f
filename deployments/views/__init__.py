"""Pages of deployments: fetch and authorise, act, respond."""

from deployments.views.activity import activity, export
from deployments.views.acts import delete, policy, restart, roll_back, scale, start, stop, take_over
from deployments.views.edit import edit, new
from deployments.views.list import index
from deployments.views.one import detail, logs, revision

__all__ = [
    "activity",
    "delete",
    "detail",
    "edit",
    "export",
    "index",
    "logs",
    "new",
    "policy",
    "restart",
    "revision",
    "roll_back",
    "scale",
    "start",
    "stop",
    "take_over",
]
