"""Volumes for the claims of hollow pods: a StorageClass of our own, and a made-up volume for each claim that uses it.

The cluster's own controller binds them. The class becomes the default only where there is no other class. Nothing is
ever stored: the volumes are of type hostPath and no container exists that would look there.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from llmdash.sandbox.hollow import names
from llmdash.sandbox.hollow.client import ApiError, Client, follow

Json = dict[str, Any]
CLASS = "hollow"
PROVISIONER = "sandbox.llmdash.io/hollow"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
VOLUMES = "/api/v1/persistentvolumes"
log = structlog.get_logger(__name__)


def storage_class(*, default: bool) -> Json:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": CLASS,
            "labels": {names.SIMULATED: "true"},
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true" if default else "false"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def volume_for(claim: Json) -> Json | None:
    """The volume that an open claim of our class gets; None for every other claim."""
    meta, spec = claim["metadata"], claim["spec"]
    pending = (claim.get("status") or {}).get("phase") in (None, "Pending")
    if spec.get("storageClassName") != CLASS or spec.get("volumeName") or not pending or meta.get("deletionTimestamp"):
        return None
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": f"pvc-{meta['uid']}",
            "labels": {names.SIMULATED: "true"},
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "storageClassName": CLASS,
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "persistentVolumeReclaimPolicy": "Delete",
            "hostPath": {"path": f"/var/hollow/{meta['uid']}"},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
        },
    }


def is_left_over(volume: Json) -> bool:
    """Whether a volume of ours has lost its claim; hostPath volumes have no deleter in the cluster itself."""
    ours = volume["spec"].get("storageClassName") == CLASS and not volume["metadata"].get("deletionTimestamp")
    return ours and (volume.get("status") or {}).get("phase") in ("Released", "Failed")


class Volumes:
    """Provisions and removes; a cluster without storage classes is left alone."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def run(self) -> None:
        """Work for ever, or return at once when there is nothing to provision for."""
        if not await self._offer():
            return
        claims, volumes = "/api/v1/persistentvolumeclaims", VOLUMES
        await asyncio.gather(
            follow(self._client, claims, on_list=self._claims, on_event=lambda _, found: self._claims([found])),
            follow(self._client, volumes, on_list=self._volumes, on_event=lambda _, found: self._volumes([found])),
        )

    async def _offer(self) -> bool:
        try:
            others = [one for one in (await self._client.list(CLASSES))[0] if one["metadata"]["name"] != CLASS]
            await self._client.create(CLASSES, storage_class(default=not others))
        except ApiError as error:
            if error.code != 409:
                log.info("volumes.off", error=str(error))
                return False
        return True

    async def _claims(self, items: list[Json]) -> None:
        for claim in items:
            if wanted := volume_for(claim):
                await self._try("POST", VOLUMES, wanted)

    async def _volumes(self, items: list[Json]) -> None:
        for volume in items:
            if is_left_over(volume):
                await self._try("DELETE", f"{VOLUMES}/{volume['metadata']['name']}", None)

    async def _try(self, method: str, path: str, body: Json | None) -> None:
        """Changes come again with the next event or list, so a refusal is only worth a line."""
        try:
            await self._client.request(method, path, body=body)
        except ApiError as error:
            if error.code not in (404, 409):
                log.warning("volume.refused", path=path, error=str(error))
