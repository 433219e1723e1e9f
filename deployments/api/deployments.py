"""Deployments: list, create, read, revise, delete. A deployment here is intent only; its ETag is the revision."""

import uuid
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import bodies, glance, lines, serializers, services, shapes
from deployments import spec as specs
from deployments.access import Can
from deployments.api.base import ACCEPTED, Endpoint, accepted, by_name_or_id, newest_of, paged, tag_of
from deployments.api.described import operation
from deployments.api.parameters import orderings
from deployments.choices import Action, DriftPolicy, Health
from deployments.difference import changes
from deployments.http import Invalid, Pages, answer, idempotency_key, ordered, revision_seen
from deployments.models import Deployment, Project, Revision

ORDERINGS = glance.SORTS | {"created": ["created_at"]}
REVISED: dict[str, Any] = ACCEPTED | {"if_match": "must", "refuses": (409, 412, 422, 428), "idempotent": True}


class Deployments(Endpoint):
    """All deployments that the caller may see, with how they are."""

    parameters = ("page", "page_size", "search", "ordering", "project", "cluster", "health", "name")
    described = {
        "ordering": orderings(ORDERINGS),
        "search": {"description": "Rows whose name, LLM or project holds this."},
    }

    @operation("List deployments", returns=shapes.DeploymentLine, listed="pages")
    def get(self, request: Request) -> Response:
        rows = glance.listed().visible_to(self.user)
        wanted = lines.values(ordered(filtered(rows, request), request, ORDERINGS))
        return paged(self, Pages(), wanted, lambda row: serializers.listed(lines.of(row)))

    @operation(
        "Create a deployment",
        **ACCEPTED, takes=bodies.Create, refuses=(409, 422), idempotent=True, dry_run=True,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        key = idempotency_key(request)
        body = self.body(bodies.Create)
        project = self.named_project(body.project)
        self.allow(project, Can.DEPLOY)
        try:
            with self.tried() as only_tried:
                made = services.create(
                    project=project, name=body.name, spec=services.read_spec(body.spec), by=self.user,
                    reason=body.reason, key=key, drift_policy=DriftPolicy(body.drift_policy),
                )  # fmt: skip
                newest = newest_of(made)
        except ValidationError as error:
            raise at_the_name(error) from error
        return would(request, newest, {}) if only_tried else accepted(request, made, newest)

    def named_project(self, text: str) -> Project:
        """The project that the body names; one that is hidden is as unknown as one that is not there."""
        rows = Project.objects.visible_to(self.user).select_related("cluster")
        found = rows.filter(by_name_or_id(text)).first()
        if found is None:
            raise Invalid([(("project",), "There is no project of this name or id that you may see.")])
        return found


class OneDeployment(Endpoint):
    """One deployment: what was asked for. How it is stands under status, pods and events."""

    @operation("Read a deployment", returns=shapes.Deployment, tagged=True)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk)
        newest = newest_of(deployment)
        return answer(request, serializers.deployment(deployment, newest), tag=tag_of(deployment, newest.number))

    @operation("Replace the spec", **REVISED, takes=bodies.Revise, dry_run=True)
    def put(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk, Can.DEPLOY)
        seen = revision_seen(request, deployment.desired, required=True)
        body = self.body(bodies.Revise)
        before = newest_of(deployment)
        with self.tried() as only_tried:
            revision = services.revise(
                deployment=deployment, spec=services.read_spec(body.spec), by=self.user, reason=body.reason,
                if_revision=seen, key=idempotency_key(request),
            )  # fmt: skip
        if only_tried:
            return would(request, revision, specs.dump(before.spec))
        return accepted(request, deployment, revision)

    @operation("Change some parameters of the spec", **REVISED, takes=bodies.Revise)
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk, Can.DEPLOY)
        seen = revision_seen(request, deployment.desired, required=True)
        body = self.body(bodies.Revise)
        revision = services.change(
            deployment=deployment, action=Action.REVISE, by=self.user, fields=body.spec, reason=body.reason,
            if_revision=deployment.desired if seen is None else seen, key=idempotency_key(request),
        )  # fmt: skip
        return accepted(request, deployment, revision)

    @operation("Delete a deployment", **ACCEPTED, takes=bodies.Act, if_match="must", refuses=(412, 428))
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk, Can.DELETE)
        seen = revision_seen(request, deployment.desired, required=True)
        body = self.body(bodies.Act)
        services.delete(deployment=deployment, by=self.user, if_revision=seen, reason=body.reason)
        deployment.refresh_from_db()
        told = serializers.deployment(deployment, newest_of(deployment))
        return answer(request, told, status=202, tag=tag_of(deployment, deployment.desired), location=request.path)


def would(request: Request, revision: Revision, before: dict[str, Any]) -> Response:
    """What a request that was only tried would do."""
    spec = specs.dump(revision.spec)
    return answer(request, shapes.DryRun(spec=spec, changes=cast(list[shapes.Change], changes(before, spec))))


def at_the_name(error: ValidationError) -> Exception:
    """A name that another row has is a conflict, not a bad value."""
    found = error.error_dict.get("name", []) if hasattr(error, "error_dict") else []
    taken = [one for one in found if one.code == "unique"]
    return NameTaken(" ".join(taken[0].messages)) if taken else error


class NameTaken(services.Refused):
    """Another deployment of the project has this name."""

    code = "name-taken"
    errors = ((("name",), services.DEPLOYMENT_TAKEN["name"]),)


def filtered(rows: QuerySet[Deployment], request: Request) -> QuerySet[Deployment]:
    """`?search` in name, LLM and project; `?project`, `?cluster`, `?health`, each may stand several times."""
    given = request.query_params
    if search := given.get("search", "").strip():
        hit = Q(name__icontains=search) | Q(llm__icontains=search) | Q(project__name__icontains=search)
        rows = rows.filter(hit)
    for parameter, prefix in (("project", "project__"), ("cluster", "project__cluster__")):
        if wanted := given.getlist(parameter):
            rows = rows.filter(any_of(by_name_or_id(text, prefix) for text in wanted))
    if wanted := given.getlist("health"):
        unknown = [text for text in wanted if text not in list(Health)]
        if unknown:
            raise ParseError(f"There is no health {unknown[0][:40]!r}; there are {', '.join(Health)}.")
        rows = rows.filter(Q(("health_now__in", wanted)))
    if name := given.get("name"):
        rows = rows.filter(name=name)
    return rows


def any_of(parts: Iterable[Q]) -> Q:
    """One of them holds."""
    return reduce(or_, parts)
