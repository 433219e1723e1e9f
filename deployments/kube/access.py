"""What an identity may do, asked of the API server itself."""

from deployments.kube.client import ITSELF, METADATA_ONLY, Connection, Identity
from deployments.kube.errors import AnotherCluster, KubeError, NotKubernetes
from deployments.kube.kinds import KINDS


def version(connection: Connection) -> str:
    """Kubernetes' version, "v1.36.2": the first question to a server, of which nothing is known. Raises KubeError."""
    answer = connection.call("GET", "/version", identity=ITSELF)
    if "gitVersion" not in answer:
        raise NotKubernetes("The server's answer is nothing a Kubernetes API would say.")
    return str(answer["gitVersion"])[:60]


def cluster_uid(connection: Connection) -> str:
    """What tells this cluster from every other: the uid of its kube-system namespace, as OpenTelemetry's
    `k8s.cluster.uid`. Read once for each connection; "" when we may not read it. Raises KubeError."""
    if connection.cluster_uid is None:
        try:
            answer = connection.call("GET", "/api/v1/namespaces/kube-system", identity=ITSELF, accept=METADATA_ONLY)
            connection.cluster_uid = str(answer.get("metadata", {}).get("uid", ""))
        except KubeError as error:
            if error.status not in (403, 404):
                raise
            connection.cluster_uid = ""
    return connection.cluster_uid


def recognise(connection: Connection, expected: str) -> None:
    """Raise AnotherCluster when what answers is not the cluster that we know; nothing is known for ""."""
    found = cluster_uid(connection) if expected else ""
    if found and found != expected:
        connection.cluster_uid = None  # the right one may come back
        raise AnotherCluster(f"Another cluster answers at this address: {found} instead of {expected}.")


def can(connection: Connection, verb: str, kind: str, *, namespace: str = "", identity: Identity) -> bool:
    """A SelfSubjectAccessReview; no namespace asks for all of them. Raises KubeError."""
    version, plural, _ = KINDS[kind]
    group = version.rpartition("/")[0]
    attributes = {"verb": verb, "group": group, "resource": plural, "namespace": namespace}
    return allowed(connection, attributes, identity=identity)


def allowed(connection: Connection, attributes: dict[str, str], *, identity: Identity) -> bool:
    """A SelfSubjectAccessReview of these `resourceAttributes`. Raises KubeError."""
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = connection.call("POST", path, identity=identity, body=body)
    return bool(answer.get("status", {}).get("allowed"))
