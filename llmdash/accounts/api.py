"""The API of one's own tokens."""

import uuid

from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api.base import Endpoint, paged, route
from deployments.api.described import operation
from deployments.http import Pages, answer
from llmdash.accounts import serializers, services
from llmdash.accounts.authentication import BySession


class Tokens(Endpoint):
    """The caller's tokens, newest first. Making one needs a session."""

    permission_classes = [*Endpoint.permission_classes, BySession]
    parameters = ("page", "page_size")

    @operation("List your tokens", returns=serializers.Token, listed="pages")
    def get(self, request: Request) -> Response:
        return paged(self, Pages(), self.user.tokens.all(), serializers.token)

    @operation(
        "Make a token",
        takes=serializers.MakeToken, returns=serializers.NewToken, status=201, refuses=(409,), by_session=True,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        body = self.body(serializers.MakeToken)
        made, secret = services.make_token(user=self.user, name=body.name, scope=body.scope, days=body.days)
        return answer(request, serializers.new_token(made, secret), status=201)


class OneToken(Endpoint):
    """One of the caller's tokens: to be revoked."""

    @operation("Revoke a token", status=204)
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        services.revoke_token(token=get_object_or_404(self.user.tokens, pk=pk), by=self.user)
        return Response(status=204)


urlpatterns: list[URLPattern] = [
    *route("tokens", Tokens, "tokens"),
    *route("tokens/<uuid:pk>", OneToken, "token"),
]
