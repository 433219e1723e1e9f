"""What an identity may do, asked of the API server itself."""

from deployments.kube.client import Connection, Identity
from deployments.kube.kinds import KINDS


def can(connection: Connection, verb: str, kind: str, *, namespace: str = "", identity: Identity) -> bool:
    """A SelfSubjectAccessReview; no namespace asks for all of them. Raises KubeError."""
    version, plural, _ = KINDS[kind]
    group = version.rpartition("/")[0]
    attributes = {"verb": verb, "group": group, "resource": plural, "namespace": namespace}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = connection.call("POST", path, identity=identity, body=body)
    return bool(answer.get("status", {}).get("allowed"))
