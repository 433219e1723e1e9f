"""The secrets of a project. A value can be written, never read."""

import uuid

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import bodies, serializers, services, shapes
from deployments.access import Can
from deployments.api.base import Endpoint, paged
from deployments.api.described import operation
from deployments.api.parameters import orderings
from deployments.http import Pages, answer, idempotency_key, ordered

SECRET_SORTS = {"name": ["name", "-version"], "created": ["created_at"]}


class Secrets(Endpoint):
    """The secrets of a project: names and versions. A value can be written and never read again."""

    parameters = ("page", "page_size", "name", "ordering")
    described = {"ordering": orderings(SECRET_SORTS)}

    @operation("List the secrets of a project", returns=shapes.Secret, listed="pages")
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        rows = self.project(pk).secrets.defer("sealed")
        if name := request.query_params.get("name"):
            rows = rows.filter(name=name)
        return paged(self, Pages(), ordered(rows, request, SECRET_SORTS), serializers.secret)

    @operation(
        "Write a secret",
        takes=bodies.StoreSecret, returns=shapes.Secret, status=201, refuses=(409, 422), idempotent=True,
    )  # fmt: skip
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        found = self.project(pk, Can.DEPLOY)
        body = self.body(bodies.StoreSecret)
        key = idempotency_key(request)
        made = services.store_secret(project=found, name=body.name, value=body.value, by=self.user, key=key)
        return answer(request, serializers.secret(made), status=201)


class OneSecret(Endpoint):
    """All versions of a secret, by its name."""

    @operation("Remove a secret that nothing uses", status=204, refuses=(409,))
    def delete(self, request: Request, pk: uuid.UUID, secret: str) -> Response:
        found = self.project(pk, Can.DELETE)
        self.body(bodies.Nothing)
        try:
            services.remove_secret(project=found, name=secret, by=self.user)
        except services.NothingChanged as error:
            raise Http404 from error
        return Response(status=204)
