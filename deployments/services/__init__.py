"""The request side: every act of a person. Rows only, one transaction each, audited."""

from deployments.revisions import limits
from deployments.services.clusters import (
    accept_identity,
    by_kind,
    change_cluster,
    forget_cluster,
    keep_report,
    left_behind,
    lock_cluster,
    register_cluster,
)
from deployments.services.clusters import stamp_of as stamp_of_cluster
from deployments.services.deployments import TAKEN as DEPLOYMENT_TAKEN
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
from deployments.services.newer import UNTOLD, adopt_unknown, choose_newer
from deployments.services.projects import (
    add_member,
    change_role,
    create_project,
    group,
    person,
    remove_member,
    remove_project,
    rename_project,
)
from deployments.services.projects import lock as lock_project
from deployments.services.reach import SECRETS as CLUSTER_SECRETS
from deployments.services.reach import fill as fill_cluster
from deployments.services.reach import stored as stored_cluster
from deployments.services.refusals import (
    BeingDeleted,
    ClusterIsNewer,
    Conflict,
    InUse,
    KeyReused,
    LastAdmin,
    NothingChanged,
    Refused,
    SpecRefused,
    Stale,
)
from deployments.services.secrets import remove_secret, store_secret
from deployments.services.specs import problems_of, read_spec

__all__ = [
    "CLUSTER_SECRETS",
    "DEPLOYMENT_TAKEN",
    "UNTOLD",
    "BeingDeleted",
    "ClusterIsNewer",
    "Conflict",
    "InUse",
    "KeyReused",
    "LastAdmin",
    "NothingChanged",
    "Refused",
    "SpecRefused",
    "Stale",
    "accept_identity",
    "add_member",
    "adopt_unknown",
    "by_kind",
    "change",
    "change_cluster",
    "change_role",
    "choose_newer",
    "create",
    "create_project",
    "delete",
    "fill_cluster",
    "forget_cluster",
    "group",
    "keep_report",
    "left_behind",
    "limits",
    "lock_cluster",
    "lock_project",
    "person",
    "problems_of",
    "read_spec",
    "register_cluster",
    "remove_member",
    "remove_project",
    "remove_secret",
    "rename_project",
    "restart",
    "revise",
    "roll_back",
    "scale",
    "set_drift_policy",
    "stamp_of_cluster",
    "start",
    "stop",
    "store_secret",
    "stored_cluster",
    "take_over",
    "try_again",
]
