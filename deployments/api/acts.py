"""The acts on a deployment: each is a POST that makes a revision, answered by 202 with its address.

If-Match is honoured where it is sent; an Idempotency-Key makes a repeated request act once.
"""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from deployments import bodies, serializers, services, shapes
from deployments.access import Can
from deployments.api.base import ACCEPTED, Endpoint, accepted, newest_of, tag_of
from deployments.api.described import operation
from deployments.choices import DriftPolicy
from deployments.http import Invalid, answer, idempotency_key, revision_seen
from deployments.models import Deployment, Revision


class Act(Endpoint):
    """One act that makes a revision."""

    spec_at = ()
    takes: type[bodies.Act] = bodies.Act

    @operation(**ACCEPTED, if_match="may", idempotent=True, refuses=(409, 412, 422))
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk, Can.DEPLOY)
        more = {
            "by": self.user,
            "if_revision": revision_seen(request, deployment.desired),
            "key": idempotency_key(request),
        }
        body = self.body(self.takes)
        return accepted(request, deployment, self.act(deployment, body, more | {"reason": body.reason}))

    def act(self, deployment: Deployment, body: Any, more: dict[str, Any]) -> Revision:
        raise NotImplementedError


class Scale(Act):
    """Another number of replicas: {"replicas": 3}."""

    takes = bodies.Scale

    def act(self, deployment: Deployment, body: Any, more: dict[str, Any]) -> Revision:
        return services.scale(deployment=deployment, replicas=body.replicas, **more)


class Stop(Act):
    """No replicas; their number is remembered."""

    def act(self, deployment: Deployment, body: Any, more: dict[str, Any]) -> Revision:
        return services.stop(deployment=deployment, **more)


class Start(Act):
    """The remembered replicas again."""

    def act(self, deployment: Deployment, body: Any, more: dict[str, Any]) -> Revision:
        return services.start(deployment=deployment, **more)


class Restart(Act):
    """Every pod anew, one after the other."""

    def act(self, deployment: Deployment, body: Any, more: dict[str, Any]) -> Revision:
        return services.restart(deployment=deployment, **more)


class RollBack(Act):
    """The spec of an earlier revision again: {"revision": 2}."""

    takes = bodies.RollBack

    def act(self, deployment: Deployment, body: Any, more: dict[str, Any]) -> Revision:
        if not deployment.revisions.filter(number=body.revision).exists():
            raise Invalid([(("revision",), f"There is no such revision; the newest is {deployment.desired}.")])
        return services.roll_back(deployment=deployment, number=body.revision, **more)


class TakeOver(Endpoint):
    """Win once more against a rival, or adopt a stranger's object of the same name."""

    @operation(**ACCEPTED, takes=bodies.Nothing, refuses=(409,))
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk, Can.DEPLOY)
        self.body(bodies.Nothing)
        services.take_over(deployment=deployment, by=self.user)
        return accepted(request, deployment, newest_of(deployment))


class TryAgain(Endpoint):
    """Do now what is tried again later, such as after the cluster's admin gave a right."""

    @operation(**ACCEPTED, takes=bodies.Nothing, refuses=(409,))
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk, Can.DEPLOY)
        self.body(bodies.Nothing)
        services.try_again(deployment=deployment, by=self.user)
        return accepted(request, deployment, newest_of(deployment))


class SetPolicy(Endpoint):
    """What happens when others change the objects: {"drift_policy": "leave"}."""

    @operation(takes=bodies.SetPolicy, returns=shapes.Deployment, tagged=True, refuses=(409,))
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk, Can.DEPLOY)
        body = self.body(bodies.SetPolicy)
        services.set_drift_policy(deployment=deployment, policy=DriftPolicy(body.drift_policy), by=self.user)
        deployment.refresh_from_db(fields=["drift_policy"])
        newest = newest_of(deployment)
        return answer(request, serializers.deployment(deployment, newest), tag=tag_of(deployment, newest.number))
