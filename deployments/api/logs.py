"""The log of a pod, read for the caller from the cluster."""

import uuid
from typing import Any

from django.http import Http404
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import glance, reads, services, shapes
from deployments.access import Can
from deployments.api.base import Endpoint
from deployments.api.described import operation
from deployments.api.parameters import BILLION, text, whole
from deployments.http import answer

USUAL, MOST = 500, 5000  # lines
YES = {"enum": ["true", "false"]}


class NotRead(services.Refused):
    """The cluster did not give the log; its words are in `detail`."""

    code = "not-read"


class Logs(Endpoint):
    """The last lines of a pod's log, read as the project's viewer in the caller's name."""

    parameters = ("tail", "previous", "timestamps", "since")
    described = {
        "tail": whole(f"How many lines; {USUAL} unless it is given, {MOST} at most.", minimum=1, maximum=BILLION),
        "previous": text("true for the container that ran before.", **YES),
        "timestamps": text("true for each line with its time in front.", **YES),
        "since": text("From this time on (RFC 3339).", format="date-time"),
    }

    @operation("Read the log of a pod", returns=shapes.Log, refuses=(409,))
    def get(self, request: Request, pk: uuid.UUID, pod: str) -> Response:
        deployment = self.deployment(pk, Can.LOGS)
        known = {row["name"] for row in glance.of(deployment).pods}
        if pod not in known and not reads.may_be_pod(deployment, pod):
            raise Http404
        lines, unread = reads.logs(deployment, pod, actor=self.user.get_username(), **self.wanted())
        if unread:
            raise NotRead(f"{unread.title}: {unread.detail} {unread.next}")
        return answer(request, shapes.Log(pod=pod, text=lines))

    def wanted(self) -> dict[str, Any]:
        """What of the log the query asks for."""
        given = self.request.query_params
        tail, since = given.get("tail", str(USUAL)), given.get("since", "")
        if not (tail.isascii() and tail.isdecimal() and len(tail) < 10 and int(tail)):
            raise ParseError(f"The query parameter 'tail' must be a whole number from 1 to {MOST}.")
        if "since" in given and not is_time(since):
            raise ParseError("The query parameter 'since' must be a time such as 2026-11-26T09:30:00Z.")
        flags = {name: self.flag(name) for name in ("previous", "timestamps")}
        return {"tail": min(int(tail), MOST), "since": since} | flags

    def flag(self, name: str) -> bool:
        """true or false; false when it is not given."""
        said = self.request.query_params.get(name, "false")
        if said not in ("true", "false"):
            raise ParseError(f"The query parameter {name!r} must be true or false.")
        return said == "true"


def is_time(text: str) -> bool:
    """Whether it is a time with its zone."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return False
    return found is not None and found.tzinfo is not None and "T" in text
