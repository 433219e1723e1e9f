"""A Revision as manifests, with what only the database knows: the secrets' values and what was applied before."""

from typing import Any

from django.conf import settings

from deployments import kube
from deployments.choices import Problem
from deployments.crypto import CannotOpen
from deployments.manifests import Workload
from deployments.manifests import build as build_manifests
from deployments.models import Deployment, Revision, SecretValue
from deployments.models.secret import keyring


class SecretGone(kube.KubeError):
    """A Revision names a secret that is there no more: a person has to edit it."""

    @property
    def problem(self) -> Problem:
        return Problem.WAIT


def build(deployment: Deployment, revision: Revision) -> list[dict[str, Any]]:
    """The manifests of a Revision, secrets opened; a pod template that need not change stays as it was applied.
    Raises CannotOpen, SecretGone."""
    manifests = from_spec(deployment, revision)
    applied = (item for item in deployment.inventory.all() if item.kind == "Deployment" and item.revision > 0)
    item = next(applied, None)
    if item is None or not same_template(deployment, item.revision, revision, manifests):
        return manifests
    return [with_template(made, item.manifest["spec"]["template"]) for made in manifests]


def from_spec(deployment: Deployment, revision: Revision) -> list[dict[str, Any]]:
    """The manifests as this version of llmdash writes them. Raises CannotOpen, SecretGone."""
    spec = revision.spec
    values = SecretValue.objects.in_bulk([var.secret for var in spec.env if var.secret])
    if gone := [var.name for var in spec.env if var.secret and var.secret not in values]:
        raise SecretGone(f"The secret of {', '.join(gone)} was removed: give its value again.", 0, "SecretGone")
    secrets = {var.name: values[var.secret].open() for var in spec.env if var.secret}
    digest = keyring().checksum(f"secret:{deployment.pk}", repr(sorted(secrets.items())).encode()) if secrets else ""
    return build_manifests(
        Workload(
            installation=settings.LLMDASH["INSTALLATION"],
            deployment_id=str(deployment.pk),
            name=deployment.name,
            namespace=deployment.project.namespace,
            project=deployment.project.name,
            revision=revision.number,
            revision_id=str(revision.pk),
            spec=spec,
            secrets=secrets,
            secret_checksum=digest,
        )
    )


def same_template(
    deployment: Deployment, applied: int, revision: Revision, manifests: list[dict[str, Any]]
) -> bool:  # fmt: skip
    """Whether the Revision that was applied, written today, has the pod template of these manifests. Then what runs for
    it stays as it is, even when another version of llmdash wrote it: an upgrade restarts nobody's pods."""
    if applied == revision.number:
        return True
    earlier = deployment.revisions.filter(number=applied).first()
    if earlier is None:
        return False
    try:
        before = from_spec(deployment, earlier)
    except (CannotOpen, SecretGone):
        return False
    return template(before) == template(manifests)


def template(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """The pod template."""
    found: dict[str, Any] = next(made for made in manifests if made["kind"] == "Deployment")["spec"]["template"]
    return found


def with_template(manifest: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """The Deployment with another pod template; other kinds as they are."""
    if manifest["kind"] != "Deployment":
        return manifest
    return manifest | {"spec": manifest["spec"] | {"template": kept}}
