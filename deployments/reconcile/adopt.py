"""Adopting: a rival's change becomes a Revision, so that what runs is also what is wanted."""

from typing import Any

from django.db import transaction
from pydantic import ValidationError

from deployments import bounds, kube, revisions
from deployments import spec as specs
from deployments.choices import Action
from deployments.models import Deployment, Revision
from deployments.reconcile.identity import identity
from deployments.spec import Spec


class Adopted(Exception):
    """A newer Revision stands now; it is the one to apply."""


def adopt(
    connection: kube.Connection, deployment: Deployment, revision: Revision, manifest: dict[str, Any],
    conflict: kube.FieldConflict,
) -> None:  # fmt: skip
    """Make a Revision of the fields in conflict, and raise Adopted. Raises KubeError when the spec holds no such
    field, so that a person decides."""
    live = kube.read(connection, manifest, identity=identity(deployment, revision.author_name))
    found: dict[str, Any] = {}
    for cause in conflict.causes:
        found |= of_spec(cause.field, manifest["kind"], live, deployment.name)
    if not found:
        raise kube.KubeError(f"{conflict.message} The spec holds no such field.", 409, "FieldConflict", conflict.causes)
    spec = changed(revision.spec, found, conflict)
    rivals = " and ".join(sorted({cause.manager for cause in conflict.causes}))
    with transaction.atomic():
        locked = Deployment.objects.select_for_update(of=("self",)).select_related("project").get(pk=deployment.pk)
        if locked.desired == revision.number and locked.deleted_at is None:
            revisions.add(locked, spec, by=None, reason=f"Adopted from {rivals}", action=Action.ADOPT)
    raise Adopted


def changed(spec: Spec, found: dict[str, Any], conflict: kube.FieldConflict) -> Spec:
    """The spec with the live values. Raises KubeError when it does not take them."""
    problems = bounds.problems(found, revisions.limits(), {})
    try:
        adopted = specs.load(specs.dump(spec) | found)
    except ValidationError as error:
        problems = specs.problems(error)
    if problems:
        said = "; ".join(f"{'.'.join(map(str, path))}: {text}" for path, text in problems)
        raise kube.KubeError(f"{conflict.message} {said}", 409, "FieldConflict", conflict.causes)
    return adopted


def of_spec(field: str, kind: str, live: dict[str, Any], name: str) -> dict[str, Any]:
    """The parameters that a field of an object comes from, with their live values; none when the spec has none.

    Fields are written as the API server writes them in a conflict: `.spec.template.spec.containers[name="a"].image`.
    """
    spec = live.get("spec", {})
    if (kind, field) == ("Deployment", ".spec.replicas"):
        replicas = spec.get("replicas", 1)
        return {"replicas": replicas, "running": True} if replicas else {"running": False}
    if (kind, field) == ("Deployment", f'.spec.template.spec.containers[name="{name}"].image'):
        containers = spec.get("template", {}).get("spec", {}).get("containers", [])
        return next(({"image": one["image"]} for one in containers if one.get("name") == name), {})
    if (kind, field) == ("Service", ".spec.type"):
        return {"service_type": spec.get("type")}
    return {}
