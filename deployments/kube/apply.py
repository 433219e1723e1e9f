"""Server-side apply with a read before it: adoption check, fence, then the write at the version that was read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deployments.kube import errors
from deployments.kube.client import METADATA_ONLY, Connection, Identity
from deployments.kube.kinds import collection, path, path_of
from deployments.manifests import labels

TRIES = 4  # reads of an object that moves while we write
# A resourceVersion that no object has: with it a write makes an object, and is a conflict where one has come meanwhile.
# With "0" or none it would win over that.
NONE_YET = "1"


@dataclass(frozen=True)
class Fence:
    """Whose objects these are and how far we may go.

    `revision_id` tells revisions of the same number apart, "" does not ask; `known_uid` is the inventory's uid of the
    object, "" when it was never applied; an object at `known_version` is as this write would leave it and is not
    written, "" to write in any case; `adopt` is the uid of an object that is not ours and may be taken over, with
    the fields that we set; `force` takes fields of our own objects from other managers.
    """

    installation: str
    deployment_id: str
    revision: int
    revision_id: str = ""
    known_uid: str = ""
    known_version: str = ""
    adopt: str = ""
    force: bool = False


@dataclass(frozen=True)
class Found:
    """What stands where we are about to write: its uid, "" when nothing does; whether the write adopts it, since it is
    not ours; and the object, of a Secret its metadata only."""

    uid: str
    adopted: bool
    live: dict[str, Any]

    @property
    def version(self) -> str:
        """Its resourceVersion, "" when nothing stands there."""
        return str(self.live["metadata"]["resourceVersion"]) if self.live else ""


@dataclass(frozen=True)
class Applied:
    """What the API server made of it. `answer` is the object as it stands now; of a Secret its metadata only."""

    uid: str
    resource_version: str
    adopted: bool
    answer: dict[str, Any]


def metadata(
    connection: Connection, kind: str, namespace: str, name: str, *, identity: Identity
) -> dict[str, Any] | None:
    """An object's metadata only, so that no Secret's value is ever read; None when there is no such object."""
    try:
        answer = connection.call("GET", path(kind, namespace, name), identity=identity, accept=METADATA_ONLY)
    except errors.KubeError as error:
        if error.is_absence:
            return None
        raise
    found: dict[str, Any] = answer["metadata"]
    return found


def read(connection: Connection, manifest: dict[str, Any], *, identity: Identity) -> dict[str, Any]:
    """The live object of a manifest, of a Secret its metadata only. Raises KubeError."""
    return connection.call("GET", path_of(manifest), identity=identity, accept=accepted(manifest))


def accepted(manifest: dict[str, Any]) -> str:
    """What we let the API server answer: never a Secret's values."""
    return METADATA_ONLY if manifest["kind"] == "Secret" else "application/json"


def apply(
    connection: Connection, manifest: dict[str, Any], *, identity: Identity, fence: Fence,
    before_write: Callable[[Found], None] | None = None,
) -> Applied:  # fmt: skip
    """Make one object as the manifest says.

    Raises Stranger for an object that is not ours, Superseded when it was applied for a newer revision,
    FieldConflict when others own our fields, KubeError for the rest. The version that was read travels with the
    write: without it a late writer with an old body would win even against a newer object. Controllers write
    versions, too, so an object that moved in between is read and checked again. `before_write` is called between
    the two with what was found, and may raise, too.
    """
    for left in reversed(range(TRIES)):
        body, found = fenced(connection, manifest, identity=identity, fence=fence)
        if before_write:
            before_write(found)
        if fence.known_version and found.version == fence.known_version:
            return Applied(found.uid, found.version, adopted=False, answer=found.live)
        try:
            answer = send(connection, body, identity=identity, force=fence.force or found.adopted)
        except errors.KubeError as error:
            moved = error.status == 409 and error.reason == "Conflict" and not error.causes
            if moved and left:
                continue
            raise
        meta = answer["metadata"]
        return Applied(meta["uid"], meta["resourceVersion"], found.adopted, answer)
    raise AssertionError("the last try returns or raises")


def fenced(
    connection: Connection, manifest: dict[str, Any], *, identity: Identity, fence: Fence
) -> tuple[dict[str, Any], Found]:
    """The manifest at the version of the object that stands there, and what that is."""
    try:
        live = read(connection, manifest, identity=identity)
    except errors.KubeError as error:
        if error.is_absence:
            return at_version(manifest, NONE_YET), Found("", adopted=False, live={})
        raise
    meta = live["metadata"]
    found = Found(meta["uid"], adopted=check(manifest, meta, fence), live=live)
    return at_version(manifest, meta["resourceVersion"]), found


def at_version(manifest: dict[str, Any], version: str) -> dict[str, Any]:
    """The manifest for an object that stands at this version; NONE_YET for one that is not there."""
    return manifest | {"metadata": manifest["metadata"] | {"resourceVersion": version}}


def check(manifest: dict[str, Any], live: dict[str, Any], fence: Fence) -> bool:
    """Raise unless this object may be written by us, now; true when that adopts it."""
    name = f"{manifest['kind']} {live['name']}"
    ours = labels.ours(live, fence.installation, fence.deployment_id) or live["uid"] == fence.known_uid
    if not ours and live["uid"] != fence.adopt:
        said = f"{name} exists in namespace {live['namespace']} and is not ours."
        raise errors.Stranger(said, 409, "Stranger", object=name.replace(" ", "/"), uid=live["uid"])
    number, marked = labels.revision(live), labels.annotation(live, labels.REVISION_ID)
    is_other = number == fence.revision and fence.revision_id and marked not in ("", fence.revision_id)
    if number > fence.revision or is_other:
        said = f"another revision {number} than ours" if is_other else f"revision {number}; ours is {fence.revision}"
        raise errors.Superseded(f"{name} was applied for {said}.", 409, "Superseded", revision=number)
    if live.get("deletionTimestamp"):
        raise errors.KubeError(f"{name} is being deleted; it is made again when it is gone.", 409, "BeingDeleted")
    return not ours


def send(connection: Connection, body: dict[str, Any], *, identity: Identity, force: bool) -> dict[str, Any]:
    """The write itself. Of a Secret only metadata comes back, so that its values do not."""
    return connection.call(
        "PATCH", path_of(body), identity=identity, body=body, content_type="application/apply-patch+yaml",
        query={"fieldManager": labels.MANAGER, "force": str(force).lower(), "fieldValidation": "Strict"},
        accept=accepted(body),
    )  # fmt: skip


def create(connection: Connection, body: dict[str, Any], *, identity: Identity) -> None:
    """Make an object that is not there. Unlike `send` it needs no right to change one."""
    where = collection(body["kind"], body["metadata"].get("namespace", ""))
    query = {"fieldManager": labels.MANAGER, "fieldValidation": "Strict"}
    connection.call("POST", where, identity=identity, body=body, query=query, accept=METADATA_ONLY)


def delete(connection: Connection, kind: str, namespace: str, name: str, *, uid: str, identity: Identity) -> bool:
    """Ask for the removal of the object with this uid, a Deployment's after its pods'. True when it is gone already.

    An object of the same name with another uid is not ours and stays.
    """
    body = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Foreground" if kind == "Deployment" else "Background",
        "preconditions": {"uid": uid},
    }
    try:
        connection.call("DELETE", path(kind, namespace, name), identity=identity, body=body, accept=METADATA_ONLY)
    except errors.KubeError as error:
        if error.is_absence:
            return True
        if error.status == 409:
            live = metadata(connection, kind, namespace, name, identity=identity)
            if live is None or live["uid"] != uid:
                return True
        raise
    live = metadata(connection, kind, namespace, name, identity=identity)
    return live is None or live["uid"] != uid


def disown(connection: Connection, kind: str, namespace: str, name: str, *, uid: str, identity: Identity) -> None:
    """Take our labels, and what we noted on it, off an object that we leave behind: nobody takes it for ours later."""
    live = metadata(connection, kind, namespace, name, identity=identity)
    if live is None or live["uid"] != uid:
        return
    gone = dict.fromkeys((labels.INSTALLATION, labels.DEPLOYMENT_ID, labels.MANAGED_BY))
    told = dict.fromkeys((labels.REVISION, labels.REVISION_ID, labels.SPEC))
    meta = {"resourceVersion": live["resourceVersion"], "labels": gone, "annotations": told}
    connection.call(
        "PATCH", path(kind, namespace, name), identity=identity, body={"metadata": meta},
        content_type="application/merge-patch+json", query={"fieldManager": labels.MANAGER}, accept=METADATA_ONLY,
    )  # fmt: skip
