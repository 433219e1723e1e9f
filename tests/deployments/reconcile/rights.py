"""llmdash with few rights on the plane: what `llmdash cluster-access` prints, applied, and the token that it makes."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any

import httpx
import pytest
from django.core.management import call_command

from deployments import kube
from deployments.choices import Role
from deployments.manifests import access
from tests.controlplane.plane import ControlPlane
from tests.deployments.reconcile.play import eventually

USER = "system:serviceaccount:llmdash:llmdash"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OPERATOR = {"verb": "impersonate", "resource": "serviceaccounts", "name": "llmdash-operator"}
EXTRA = {
    "verb": "impersonate",
    "group": "authentication.k8s.io",
    "resource": "userextras",
    "subresource": "llmdash.io/actor",
}
DEPLOY = {"verb": "patch", "group": "apps", "resource": "deployments"}


def printed(*namespaces: str) -> str:
    """The YAML for these namespaces, or for the whole cluster."""
    text = StringIO()
    call_command("cluster_access", *(f"--namespace={name}" for name in namespaces), stdout=text, stderr=StringIO())
    return text.getvalue()


@dataclass
class Rights:
    """The account `llmdash` of the plane. Its objects outlive a test, its rights do not."""

    plane: ControlPlane

    def give(self, *namespaces: str) -> str:
        """Apply the YAML as the cluster's admin would; returns the account's token once the rights are known."""
        self.plane.kubectl("apply", "-f", "-", input=printed(*namespaces))
        token = str(eventually(self.token))
        for namespace in namespaces:
            eventually(partial(self.may, token, DEPLOY | {"namespace": namespace}, operator_of=namespace))
        eventually(partial(self.may, token, EXTRA))
        return token

    def token(self) -> str:
        """The token, by the command of the documentation."""
        text = self.plane.kubectl("-n", "llmdash", "get", "secret", "llmdash-token", "-o", "jsonpath={.data.token}")
        return base64.b64decode(text).decode()

    def may(self, token: str, attributes: dict[str, str], *, operator_of: str = "") -> bool:
        """Whether the API server would allow it, to the account or to an operator as whom it speaks."""
        kind = "SelfSubjectAccessReview"
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": {"resourceAttributes": attributes}}
        headers = kube.Identity(operator_of, Role.OPERATOR, "tests").headers if operator_of else {}
        with self.plane.client(token) as client:
            answer = client.post(REVIEWS, json=body, headers=headers)
        return bool(answer.status_code == httpx.codes.CREATED and answer.json()["status"]["allowed"])

    def ask(self, token: str, path: str, **headers: str) -> httpx.Response:
        """A GET by the account itself."""
        with self.plane.client(token) as client:
            return client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def withdraw(self) -> None:
        """Take the rights in the whole cluster away."""
        names = (access.ACCOUNT, access.ONLY_ACTOR)
        self.plane.kubectl("delete", "clusterrolebinding,clusterrole", *names, "--ignore-not-found")
        if self.plane.kubectl("get", "namespace", "llmdash", "--ignore-not-found"):
            token = self.token()
            eventually(lambda: not self.may(token, EXTRA) and not self.may(token, OPERATOR))


@pytest.fixture
def rights(plane: ControlPlane) -> Iterator[Rights]:
    """Few rights, which the test gives; none are left afterwards."""
    made = Rights(plane)
    yield made
    made.withdraw()


def own_writes(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    """What llmdash changed in a namespace as itself, from the API server's audit log."""
    return [
        entry
        for entry in plane_entries(plane, namespace)
        if entry["user"]["username"] == USER
        and "impersonatedUser" not in entry
        and entry["verb"] not in ("get", "list", "watch")
        and entry["objectRef"]["resource"] != "selfsubjectaccessreviews"
    ]


def plane_entries(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    """The audit's entries of a namespace that were answered."""
    lines = [line for line in plane.audit_log.read_text().splitlines() if namespace in line]
    return [entry for entry in map(json.loads, lines) if entry["stage"] == "ResponseComplete"]
