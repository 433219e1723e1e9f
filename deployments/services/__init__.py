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
)
from deployments.services.refusals import BeingDeleted, Conflict, KeyReused, NothingChanged, Refused, SpecRefused
from deployments.services.secrets import store_secret

__all__ = [
    "BeingDeleted",
    "Conflict",
    "KeyReused",
    "NothingChanged",
    "Refused",
    "SpecRefused",
    "change",
    "create",
    "delete",
    "restart",
    "revise",
    "roll_back",
    "scale",
    "set_drift_policy",
    "start",
    "stop",
    "store_secret",
    "take_over",
]
