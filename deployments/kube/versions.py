"""Which versions of objects stand in a namespace, by one list of their metadata."""

from typing import Any

import msgspec

from deployments.kube import errors
from deployments.kube.client import Connection, Identity
from deployments.kube.kinds import collection
from deployments.kube.watch import PAGE, Meta

METADATA_OF_ALL = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
Version = tuple[str, str]  # uid and resourceVersion


class ObjectMeta(msgspec.Struct):
    """What is read of an object's metadata."""

    name: str
    uid: str
    resourceVersion: str  # noqa: N815  (Kubernetes' own spelling)


class Item(msgspec.Struct):
    metadata: ObjectMeta


class ItemList(msgspec.Struct):
    metadata: Meta
    items: list[Item] | None = None


ITEMS = msgspec.json.Decoder(ItemList)


def versions(
    connection: Connection, kind: str, namespace: str, *, label_selector: str, identity: Identity
) -> dict[str, Version]:
    """Each object's uid and resourceVersion by its name. Raises KubeError."""
    found: dict[str, Version] = {}
    token = ""
    while True:
        query: dict[str, Any] = {"limit": PAGE, "labelSelector": label_selector}
        body = connection.read(
            "GET", collection(kind, namespace), identity=identity, accept=METADATA_OF_ALL,
            query=query | ({"continue": token} if token else {}),
        )  # fmt: skip
        try:
            page = ITEMS.decode(body)
        except errors.UNREADABLE as error:
            raise errors.NotKubernetes(f"The list of {kind} cannot be read.") from error
        for item in page.items or ():
            found[item.metadata.name] = (item.metadata.uid, item.metadata.resourceVersion)
        token = page.metadata.continue_
        if not token:
            return found
