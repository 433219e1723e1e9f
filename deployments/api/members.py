"""The members of a project, managed by its admins."""

import uuid

from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import bodies, serializers, services, shapes
from deployments.access import Can
from deployments.api.base import Endpoint, paged
from deployments.api.described import operation
from deployments.api.parameters import orderings
from deployments.choices import Role
from deployments.http import Invalid, Pages, answer, etag_of, idempotency_key, ordered, require_match
from deployments.models import Membership, Project
from deployments.projects import MEMBER_SORTS, members


class Members(Endpoint):
    """The members of a project, with their roles. Its admins let others join."""

    parameters = ("page", "page_size", "search", "ordering")
    described = {"ordering": orderings(MEMBER_SORTS)}

    @operation("List the members of a project", returns=shapes.Member, listed="pages")
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        rows = members(self.project(pk), request.query_params.get("search", "").strip())
        return paged(self, Pages(), ordered(rows, request, MEMBER_SORTS), serializers.member)

    @operation(
        "Add a member",
        takes=bodies.AddMember, returns=shapes.Member, status=201, tagged=True,
        refuses=(409, 422), idempotent=True,
    )  # fmt: skip
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        project = self.project(pk, Can.MEMBERS)
        body, key = self.body(bodies.AddMember), idempotency_key(request)
        user, group = services.person(body.user or ""), services.group(body.group or "")
        if not (user or group):
            name = "user" if body.user else "group"
            raise Invalid([((name,), f"There is no {'active person' if body.user else 'group'} of this name.")])
        try:
            made = services.add_member(
                project=project, user=user, group=group, role=Role(body.role), by=self.user, key=key,
            )  # fmt: skip
        except ValidationError as error:
            raise MemberAlready("This member has a role here already.") from error
        said = serializers.member(made)
        location = reverse("api:member", args=[project.pk, made.pk])
        return answer(request, said, status=201, tag=etag_of(said), location=location)


class OneMember(Endpoint):
    """One member. The admins of the project change the role, and take it away."""

    @operation("Read a member", returns=shapes.Member, tagged=True)
    def get(self, request: Request, pk: uuid.UUID, member: uuid.UUID) -> Response:
        said = serializers.member(get_object_or_404(members(self.project(pk)), pk=member))
        return answer(request, said, tag=etag_of(said))

    @operation(
        "Change a role",
        takes=bodies.ChangeRole, returns=shapes.Member, tagged=True, if_match="must", refuses=(409, 412, 428),
    )  # fmt: skip
    def patch(self, request: Request, pk: uuid.UUID, member: uuid.UUID) -> Response:
        project = self.project(pk, Can.MEMBERS)
        body = self.body(bodies.ChangeRole)
        with transaction.atomic():
            found = self.seen(request, project, member)
            made = services.change_role(membership=found, role=Role(body.role), by=self.user)
        said = serializers.member(made)
        return answer(request, said, tag=etag_of(said))

    @operation("Remove a member", status=204, if_match="must", refuses=(409, 412, 428))
    def delete(self, request: Request, pk: uuid.UUID, member: uuid.UUID) -> Response:
        project = self.project(pk, Can.MEMBERS)
        self.body(bodies.Nothing)
        with transaction.atomic():
            services.remove_member(membership=self.seen(request, project, member), by=self.user)
        return Response(status=204)

    def seen(self, request: Request, project: Project, member: uuid.UUID) -> Membership:
        """The member as it is now, which must be as the caller saw it."""
        services.lock_project(project)
        found: Membership = get_object_or_404(members(project), pk=member)
        require_match(request, etag_of(serializers.member(found)))
        return found


class MemberAlready(services.Refused):
    """Who joins has a role here."""

    code = "member-already"
