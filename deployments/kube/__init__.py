"""The only door to Kubernetes: every function takes an identity, every error is one of ours."""

from deployments.kube import errors, rights
from deployments.kube.access import can, cluster_uid, recognise, version
from deployments.kube.apply import (
    NONE_YET,
    Applied,
    Fence,
    Found,
    apply,
    at_version,
    create,
    delete,
    disown,
    metadata,
    read,
    send,
)
from deployments.kube.client import ITSELF, Connection, Identity, access_of, connect
from deployments.kube.errors import FieldConflict, KubeError, Stranger, Superseded
from deployments.kube.logs import Excerpt, logs
from deployments.kube.versions import Version, versions
from deployments.kube.watch import Feed, follow
from deployments.kubeconfig import Access

__all__ = [
    "ITSELF",
    "NONE_YET",
    "Access",
    "Applied",
    "Connection",
    "Excerpt",
    "Feed",
    "Fence",
    "FieldConflict",
    "Found",
    "Identity",
    "KubeError",
    "Stranger",
    "Superseded",
    "Version",
    "access_of",
    "apply",
    "at_version",
    "can",
    "cluster_uid",
    "connect",
    "create",
    "delete",
    "disown",
    "errors",
    "follow",
    "logs",
    "metadata",
    "read",
    "recognise",
    "rights",
    "send",
    "version",
    "versions",
]
