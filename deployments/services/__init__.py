"""The request side: every act of a person. Rows only, one transaction each, audited."""

from deployments.services.deployments import (
    change,
    create,
    delete,
    restart,
    revise,
    roll_back,
    scale,
    set_drift_policy,
    start,
    stop,
    take_over,
    try_again,
)
from deployments.services.projects import (
    add_member,
    change_role,
    create_project,
    remove_member,
    remove_project,
    rename_project,
)
from deployments.services.projects import lock as lock_project
from deployments.services.refusals import (
    BeingDeleted,
    Conflict,
    InUse,
    KeyReused,
    LastAdmin,
    NothingChanged,
    Refused,
    SpecRefused,
)
from deployments.services.secrets import store_secret
from deployments.services.specs import limits, problems_of, read_spec

__all__ = [
    "BeingDeleted",
    "Conflict",
    "InUse",
    "KeyReused",
    "LastAdmin",
    "NothingChanged",
    "Refused",
    "SpecRefused",
    "add_member",
    "change",
    "change_role",
    "create",
    "create_project",
    "delete",
    "limits",
    "lock_project",
    "problems_of",
    "read_spec",
    "remove_member",
    "remove_project",
    "rename_project",
    "restart",
    "revise",
    "roll_back",
    "scale",
    "set_drift_policy",
    "start",
    "stop",
    "store_secret",
    "take_over",
    "try_again",
]
