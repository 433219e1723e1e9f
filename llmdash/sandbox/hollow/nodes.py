"""Hollow nodes: their registration and their heartbeats.

A node that carries the annotation ``sandbox.llmdash.io/lost: "true"`` stops renewing its Lease, so that the cluster's
own node controller finds it missing; when the annotation goes, it reports itself ready again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog

from llmdash.sandbox.hollow import names
from llmdash.sandbox.hollow.catalog import NodePlace
from llmdash.sandbox.hollow.client import ApiError, Client, follow
from llmdash.sandbox.hollow.nodeobjects import lease, node_object, node_status

Json = dict[str, Any]
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
STATUS_SECONDS = 300
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Machine:
    """One hollow node in memory; ``images`` are the full references it holds, ``llms`` the weights."""

    place: NodePlace
    index: int
    runtime: str
    uid: str = ""
    observed: Json = field(default_factory=dict)
    lost: bool = False
    images: set[str] = field(default_factory=set)
    llms: set[str] = field(default_factory=set)
    posted: float = 0.0


class Nodes:
    """Registers the machines, keeps them alive and notices which are lost; ``on_heal`` is told which one is back."""

    def __init__(
        self, client: Client, places: list[NodePlace], *, kubelet_port: int, runtime: str, heartbeat: float
    ) -> None:
        self._client = client
        self._port = kubelet_port
        self._runtime = runtime
        self._heartbeat = heartbeat
        self.on_heal: Callable[[str], Awaitable[None]] | None = None
        self._version = "v1.36.0"
        self.machines = {place.name: Machine(place, index, runtime) for index, place in enumerate(places)}

    async def register(self) -> None:
        """Create or refresh every node; raises ApiError when the API server refuses."""
        self._version = str((await self._client.get("/version")).get("gitVersion") or self._version)
        await asyncio.gather(*(self._register(machine) for machine in self.machines.values()))

    async def run(self) -> None:
        await asyncio.gather(
            follow(self._client, "/api/v1/nodes", on_list=self._listed, on_event=self._changed), self._beat()
        )

    async def _register(self, machine: Machine) -> None:
        wanted, path = node_object(machine.place, self._runtime), f"/api/v1/nodes/{machine.place.name}"
        try:
            found = await self._client.create("/api/v1/nodes", wanted)
        except ApiError as error:
            if error.code != 409:
                raise
            keep = {key: wanted["metadata"][key] for key in ("labels", "annotations")}
            found = await self._client.patch(path, {"metadata": keep})
        await self._see(found)
        machine.images |= {image["names"][-1] for image in (found.get("status") or {}).get("images") or []}
        if not machine.lost:
            await self._renew(machine)
            await self.post(machine)

    async def _listed(self, items: list[Json]) -> None:
        for item in items:
            await self._see(item)
        present = {item["metadata"]["name"] for item in items}
        await self._again(machine for name, machine in self.machines.items() if name not in present)

    async def _changed(self, kind: str, found: Json) -> None:
        machine = self.machines.get(found["metadata"]["name"])
        if machine and kind == "DELETED":
            await self._again([machine])
        elif machine:
            await self._see(found)

    async def _again(self, gone: Iterable[Machine]) -> None:
        """A node that somebody deleted registers again, as a kubelet's node does."""
        for machine in gone:
            try:
                await self._register(machine)
            except ApiError as error:
                log.warning("node.refused", node=machine.place.name, error=str(error))

    async def _see(self, found: Json) -> None:
        machine = self.machines.get(found["metadata"]["name"])
        if machine is None:
            return
        machine.uid, machine.observed = found["metadata"]["uid"], found.get("status") or {}
        lost = (found["metadata"].get("annotations") or {}).get(names.LOST) == "true"
        healed, machine.lost = machine.lost and not lost, lost
        if healed:
            log.info("node.healed", node=machine.place.name)
            await self._safely(machine, self._renew, self.post)
            if self.on_heal:
                await self.on_heal(machine.place.name)
        elif machine.posted and not lost and not self._ready(machine):
            await self._safely(machine, self._renew, self.post)

    @staticmethod
    def _ready(machine: Machine) -> bool:
        return any(c["type"] == "Ready" and c["status"] == "True" for c in machine.observed.get("conditions") or [])

    async def _safely(self, machine: Machine, *acts: Callable[[Machine], Awaitable[None]]) -> None:
        for act in acts:
            try:
                await act(machine)
            except ApiError as error:
                log.warning("node.silent", node=machine.place.name, error=str(error))

    async def _beat(self) -> None:
        """Renew the leases for ever; post the whole status every five minutes, as the kubelet does."""
        while True:
            alive = [machine for machine in self.machines.values() if not machine.lost and machine.uid]
            await asyncio.gather(*(self._safely(machine, self._renew) for machine in alive))
            for machine in alive:
                if time.time() - machine.posted > STATUS_SECONDS or not self._ready(machine):
                    await self._safely(machine, self.post)
            await asyncio.sleep(self._heartbeat)

    async def _renew(self, machine: Machine) -> None:
        wanted = lease(machine.place.name, time.time(), machine.uid)
        try:
            await self._client.patch(f"{LEASES}/{machine.place.name}", wanted)
        except ApiError as error:
            if error.code != 404:
                raise
            await self._client.create(LEASES, wanted)

    async def post(self, machine: Machine) -> None:
        """Write the node's status."""
        now = time.time()
        status = node_status(
            machine.place,
            port=self._port,
            version=self._version,
            held=machine.images,
            observed=machine.observed,
            now=now,
        )
        machine.posted = now
        path = f"/api/v1/nodes/{machine.place.name}/status"
        await self._client.patch(path, {"status": status}, kind="strategic-merge-patch")
