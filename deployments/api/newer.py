"""The choice where the cluster has a revision that the database does not know."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from deployments import bodies, reads, services
from deployments.access import Can
from deployments.api.base import ACCEPTED, Endpoint, accepted, newest_of
from deployments.api.described import operation
from deployments.choices import Newer
from deployments.http import revision_seen


class NotAsked(services.Refused):
    """The cluster did not say what runs; its words are in `detail`."""

    code = "not-read"


class Choose(Endpoint):
    """What holds: {"choice": "adopt"} for what runs, "apply" for what the database knows, "leave" for neither."""

    @operation(**ACCEPTED, takes=bodies.Choose, if_match="may", refuses=(409, 412))
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        deployment = self.deployment(pk, Can.DEPLOY)
        choice = Newer(self.body(bodies.Choose).choice)
        found, unread = reads.running(deployment, actor=self.user.get_username())
        if found is None:
            raise NotAsked(f"{unread.title}: {unread.detail} {unread.next}" if unread else "")
        seen = revision_seen(request, deployment.desired)
        services.choose_newer(
            deployment=deployment, choice=choice, spec=found.spec, live=found.revision, by=self.user, if_revision=seen
        )
        deployment.refresh_from_db(fields=["desired", "drift_policy"])
        return accepted(request, deployment, newest_of(deployment))
