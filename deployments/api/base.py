"""What the endpoints share: fetch and authorise in one call, read a body, answer an act."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from pydantic import BaseModel, ValidationError
from rest_framework.exceptions import APIException, ParseError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deployments import serializers, services, shapes
from deployments import spec as specs
from deployments.access import ROLE_CAN, Can
from deployments.api.described import Operation
from deployments.choices import Role
from deployments.http import Invalid, answer, etag, refuse_parameters
from deployments.models import Deployment, Project, Revision

if TYPE_CHECKING:
    from llmdash.accounts.models import User

Body = TypeVar("Body", bound=BaseModel)
ACCEPTED: dict[str, Any] = {"returns": shapes.Deployment, "status": 202, "tagged": True}  # see `accepted`


class LengthRequired(APIException):
    """A body without its length would be read as none: pages and API run behind WSGI."""

    status_code = 411
    default_code = "length-required"
    default_detail = "Send the body with its Content-Length, not in chunks."


class Endpoint(APIView):
    """One address of the API. `spec_at` is where the spec stands in a body, for JSON pointers."""

    spec_at: tuple[str, ...] = ("spec",)
    parameters: tuple[str, ...] = ()  # of the query, where it is read
    described: Mapping[str, dict[str, Any]] = {}  # what is particular about some of them, beside PARAMETERS

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "chunked" in request.headers.get("Transfer-Encoding", ""):
            raise LengthRequired
        if hasattr(self, str(request.method).lower()):  # a method that is not offered is refused as such
            refuse_parameters(request, self.parameters if request.method in SAFE_METHODS else self.of_writes())

    def of_writes(self) -> tuple[str, ...]:
        """The parameters that this method takes."""
        said: Operation = getattr(self, str(self.request.method).lower()).operation
        return ("dry_run",) if said.dry_run else ()

    @contextmanager
    def tried(self) -> Iterator[bool]:
        """Whether the request is only tried (`?dry_run=true`); then nothing that the block does stays."""
        said = self.request.query_params.get("dry_run", "false")
        if said not in ("true", "false"):
            raise ParseError("The query parameter 'dry_run' must be true or false.")
        with transaction.atomic():
            yield said == "true"
            transaction.set_rollback(said == "true")

    def perform_authentication(self, request: Request) -> None:
        """Whoever fails to show who they are is counted by address, or they could try for ever."""
        try:
            super().perform_authentication(request)
        except APIException:
            self.check_throttles(request)
            raise

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """Likewise: refused requests count."""
        self.check_throttles(request)
        super().permission_denied(request, message, code)

    @property
    def user(self) -> "User":
        """Who asks; the permission classes let nobody in who is not signed in."""
        return cast("User", self.request.user)

    def body(self, shape: type[Body]) -> Body:
        """The request's body in that shape. Raises Invalid with every fault, those of a whole spec included."""
        data = cast(dict[str, Any], self.request.data)  # the parser lets nothing else in
        problems: list[tuple[tuple[str | int, ...], str]] = []
        try:
            read = shape.model_validate(data)
        except ValidationError as error:
            problems = specs.problems(error)
        if not problems:
            return read
        if isinstance(data.get("spec"), dict) and self.request.method != "PATCH":
            problems += spec_problems(data["spec"])
        raise Invalid(problems)

    def allow(self, project: Project, can: Can) -> None:
        """Raise PermissionDenied, saying who may, when the person may not."""
        role = project.role_of(self.user)
        if role is None or can not in ROLE_CAN[role]:
            may = next(role for role in Role if can in ROLE_CAN[role])
            who = role.label.lower() if role else "nobody"
            raise PermissionDenied(f"You are {who} in project {project.name}; this needs {may.label.lower()}.")

    def deployment(self, pk: uuid.UUID, can: Can = Can.VIEW) -> Deployment:
        """The row: 404 when the person may not see it, 403 when they see it and may not do this."""
        rows = Deployment.objects.visible_to(self.user).select_related("project__cluster__status", "status")
        found = get_object_or_404(rows, pk=pk)
        self.allow(found.project, can)
        return found

    def project(self, pk: uuid.UUID, can: Can = Can.VIEW) -> Project:
        """The project, likewise."""
        found = get_object_or_404(Project.objects.visible_to(self.user).select_related("cluster"), pk=pk)
        self.allow(found, can)
        return found


def only_platform_admins(user: "User") -> None:
    """Raise PermissionDenied for everybody else."""
    if not user.is_superuser:
        raise PermissionDenied("Only platform admins may do this.")


def spec_problems(given: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a spec, with paths from the top of the body."""
    return [(("spec", *where), text) for where, text in services.problems_of(given)]


def by_name_or_id(text: str, prefix: str = "") -> Q:
    """A filter for a name, or an id when it is written like one."""
    try:
        return Q(**{f"{prefix}id": uuid.UUID(text)})
    except ValueError:
        return Q(**{f"{prefix}name": text})


def tag_of(deployment: Deployment, revision: int) -> str:
    """The entity tag: the revision, and what else of the intent can change without one."""
    more = [] if deployment.drift_policy == "heal" else [deployment.drift_policy]
    return etag(revision, *more, *(["deleting"] if deployment.deleted_at else []))


def accepted(request: Request, deployment: Deployment, revision: Revision) -> Response:
    """202: the wish is saved as this revision, whose outcome says later what came of it."""
    location = reverse("api:revision", args=[deployment.pk, revision.number])
    body = serializers.deployment(deployment, revision)
    return answer(request, body, tag=tag_of(deployment, revision.number), status=202, location=location)


def route(address: str, view: type[APIView], name: str) -> list[URLPattern]:
    """The address, and the same with a slash at its end."""
    handler = view.as_view()
    return [path(address, handler, name=name), path(f"{address}/", handler)]


def newest_of(deployment: Deployment) -> Revision:
    """The newest revision of a row."""
    return deployment.revisions.get(number=deployment.desired)


def paged(view: APIView, paginator: Any, rows: QuerySet[Any], line: Any) -> Response:
    """One page of the rows, each written by `line`."""
    page = paginator.paginate_queryset(rows, view.request, view)
    return cast(Response, paginator.get_paginated_response([line(row) for row in page]))
