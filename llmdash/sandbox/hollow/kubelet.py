"""The kubelet's log endpoint, ``/containerLogs/{namespace}/{pod}/{container}``, as the API server asks it.

Parameters and refusals follow pkg/kubelet: ``follow``, ``previous``, ``timestamps``, ``tailLines``, ``limitBytes``,
``sinceSeconds``, ``sinceTime``. There is nothing secret in a made-up log, so callers are not authenticated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Protocol

from llmdash.sandbox.hollow import logs, times
from llmdash.sandbox.hollow.keeper import Keeper
from llmdash.sandbox.hollow.serve import Request, Response
from llmdash.sandbox.hollow.vllmlog import Line

POLL = 0.2
"""Seconds between two looks of a follower."""


class Directory(Protocol):
    """Who knows the pods of the hollow nodes."""

    def find(self, namespace: str, name: str) -> Keeper | None: ...


class Kubelet:
    """Answers for all hollow nodes on one port."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def handle(self, request: Request) -> Response:
        match request.path:
            case ("healthz",):
                return Response(b"ok")
            case ("containerLogs", namespace, pod, container):
                return self._logs(request, namespace, pod, container)
        return Response(b"404 page not found", 404)

    def _logs(self, request: Request, namespace: str, pod: str, container: str) -> Response:
        keeper = self._directory.find(namespace, pod)
        if keeper is None:
            return Response(f'pod "{pod}" does not exist'.encode(), 404)
        if keeper.machine.lost:
            return Response(b"the node does not answer", 503)
        if keeper.plan.container(container) is None:
            return Response(f'container "{container}" not found in pod "{pod}"'.encode(), 404)
        source = keeper.log(container, previous=request.query.get("previous") == "true")
        if source is None:
            return Response(_refusal(keeper, container, pod, request).encode(), 400)
        now = time.time()
        written = _render(request, logs.lines(source, _since(request, now), now))
        if request.query.get("follow") != "true" or source.ended:
            return Response(written)
        return Response(self._follow(request, keeper, container, source=source, written=written, until=now))

    async def _follow(
        self, request: Request, keeper: Keeper, container: str, *, source: logs.Source, written: bytes, until: float
    ) -> AsyncIterator[bytes]:
        """New lines as they come, until this run of the container has ended."""
        timestamps = request.query.get("timestamps") == "true"
        if written:
            yield written
        while True:
            await asyncio.sleep(POLL)
            now = time.time()
            current = keeper.log_of_run(container, source.started)
            if current is None:
                return
            if found := logs.lines(current, until, now):
                yield logs.render(found, timestamps=timestamps)
            if current.ended or keeper.gone:
                return
            until = now


def _refusal(keeper: Keeper, container: str, pod: str, request: Request) -> str:
    if request.query.get("previous") == "true":
        return f'previous terminated container "{container}" in pod "{pod}" not found'
    reason = keeper.waiting_reason(container)
    why = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)
    return f'container "{container}" in pod "{pod}" is waiting to start: {why}'


def _since(request: Request, now: float) -> float:
    if seconds := request.query.get("sinceSeconds"):
        return now - float(seconds)
    return times.epoch(request.query.get("sinceTime"))


def _render(request: Request, found: list[Line]) -> bytes:
    if tail := request.query.get("tailLines"):
        found = found[-int(tail) :] if int(tail) else []
    written = logs.render(found, timestamps=request.query.get("timestamps") == "true")
    limit = request.query.get("limitBytes")
    return written[: int(limit)] if limit else written
