"""The only door to Kubernetes: every function takes an identity, every error is one of ours."""

from deployments.kube import errors
from deployments.kube.access import can, cluster_uid, recognise
from deployments.kube.apply import Applied, Fence, Found, apply, create, delete, disown, metadata, read, send
from deployments.kube.client import ITSELF, Connection, Identity, access_of, connect
from deployments.kube.credentials import Access, KubeconfigRefused, parse_kubeconfig
from deployments.kube.errors import FieldConflict, KubeError, Stranger, Superseded
from deployments.kube.logs import logs
from deployments.kube.watch import Feed, follow

__all__ = [
    "ITSELF",
    "Access",
    "Applied",
    "Connection",
    "Feed",
    "Fence",
    "FieldConflict",
    "Found",
    "Identity",
    "KubeError",
    "KubeconfigRefused",
    "Stranger",
    "Superseded",
    "access_of",
    "apply",
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
    "parse_kubeconfig",
    "read",
    "recognise",
    "send",
]
