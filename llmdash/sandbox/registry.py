"""Writing objects: the steps that each create, update, apply and delete goes through, whoever asks for it.

After k8s.io/apiserver/pkg/registry/generic/registry/store.go and registry/rest. Controllers use it as requests do.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llmdash.sandbox import admission, decode, defaults, errors, quotas, recording, schema, strategy, validation
from llmdash.sandbox import apply as ownership
from llmdash.sandbox.hollow import times
from llmdash.sandbox.paths import Resource
from llmdash.sandbox.store import Store

Json = dict[str, Any]


@dataclass(frozen=True)
class Writer:
    """By whom and how a write is made."""

    manager: str
    subresource: str = ""
    dry_run: bool = False


@dataclass(frozen=True)
class Deletion:
    """DeleteOptions. `propagation` is "" where the caller does not care, `grace` None for the object's own."""

    propagation: str = ""
    grace: int | None = None
    uid: str = ""
    version: str = ""
    dry_run: bool = False


@dataclass
class Registry:
    """All writes to one store."""

    store: Store
    clock: Callable[[], float] = field(default=time.time)

    def now(self) -> str:
        return times.text(self.clock())

    # ---- reading

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Raises a 404."""
        found = self.store.get(resource.key, namespace, name)
        if found is None:
            raise errors.not_found(resource, name)
        return found

    # ---- creating

    def create(self, resource: Resource, namespace: str, body: Json, writer: Writer) -> Json:
        """Store a new object, named and completed. Raises the refusals of the real one."""
        found = self._begin(resource, namespace, body)
        type_ = schema.of(resource.group_version, resource.kind)
        self._fill(resource, found, None)
        manager = ownership.Manager(writer.manager, "Update", resource.group_version, writer.subresource)
        # What admission adds is nobody's.
        owners = ownership.update(
            type_, ownership.owners_of({}, body, subresource=""), manager,
            live=schema.zero(type_), new=found, now=self.now(),
        )  # fmt: skip
        self._admit(resource, found, None)
        return self._insert(resource, found, owners, dry_run=writer.dry_run)

    def _begin(self, resource: Resource, namespace: str, body: Json) -> Json:
        found: Json = {"kind": resource.kind, "apiVersion": resource.group_version}
        found |= recording.copy(body)
        meta: Json = dict(found.get("metadata") or {})
        for name in ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "generation", "selfLink",
                     "deletionGracePeriodSeconds", "managedFields"):  # fmt: skip
            meta.pop(name, None)
        if resource.namespaced:
            meta["namespace"] = namespace
            self._check_namespace(resource, namespace, meta.get("name") or meta.get("generateName", ""))
        else:
            meta.pop("namespace", None)
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"][:58] + admission.suffix()
        found["metadata"] = strategy.tidy(meta) | {"uid": str(uuid.uuid4()), "creationTimestamp": self.now()}
        return found

    def _check_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        found = self.store.get("/namespaces", "", namespace)
        if found is None:
            kind = {"name": namespace, "kind": "namespaces"}
            raise errors.Refusal(404, "NotFound", f'namespaces "{namespace}" not found', kind)
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            message = f"namespace {namespace} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
            raise errors.forbidden(resource, name, why, causes=[cause])

    def _fill(self, resource: Resource, found: Json, old: Json | None) -> None:
        """Defaults of an object about to be stored."""
        if "spec" in schema.of(resource.group_version, resource.kind).fields and found.get("spec") is None:
            found["spec"] = {}
        if old is None:
            strategy.prepare_create(resource, found)
        defaults.apply(resource.kind, found)

    def _admit(self, resource: Resource, found: Json, old: Json | None) -> None:
        """First status, admission and validation. Raises a 403 or 422."""
        if old is None:
            strategy.first_status(resource, found)
        if resource.kind == "Service":
            admission.service(self.store, found, old)
        if old is None and found["metadata"].get("name"):
            admission.admit(self.store, resource, found)
        causes = validation.check(resource, found, old)
        if causes:
            raise errors.invalid(resource.kind, resource.group, found["metadata"].get("name", ""), causes)
        if old is None:
            quotas.check(self.store, resource, found)

    def _insert(self, resource: Resource, found: Json, owners: ownership.Owners, *, dry_run: bool) -> Json:
        meta = found["metadata"]
        if strategy.counted(resource):
            meta["generation"] = 1
        if self.store.get(resource.key, meta.get("namespace", ""), meta["name"]) is not None:
            raise errors.already_exists(resource, meta["name"])
        meta["managedFields"] = owners.as_json()
        return found if dry_run else self.store.put(resource.key, strategy.ordered(found))

    # ---- changing

    def update(
        self, resource: Resource, namespace: str, name: str, change: Callable[[Json], Json], writer: Writer, *,
        owns: bool = True,
    ) -> Json:  # fmt: skip
        """Put `change(live)` in the live object's stead; a resourceVersion in it has to be the live one's.

        A writer that does not own what it changes only takes it from others; scaling to 0 is such a case, since
        Go leaves the 0 out.
        """
        live = self.get(resource, namespace, name)
        body = change(live)
        self._fence(resource, name, body, live)
        new = strategy.prepare_update(resource, _rooted(body, live), live, writer.subresource)
        if not writer.subresource:
            self._fill(resource, new, live)
        type_ = schema.of(resource.group_version, resource.kind)
        manager = ownership.Manager(writer.manager, "Update", resource.group_version, writer.subresource)
        owners = ownership.owners_of(live, body, subresource=writer.subresource)
        if owners.entries:  # an object that nobody owns stays so until somebody applies
            owners = ownership.update(type_, owners, manager, live=live, new=new, now=self.now())
        if not owns:
            owners.entries.pop(manager, None)
        if not writer.subresource:
            self._admit(resource, new, live)
        elif writer.subresource == "status":
            self._validate_status(resource, new, live)
        return self._replace(resource, live, new, owners, writer=writer)

    def _validate_status(self, resource: Resource, new: Json, live: Json) -> None:
        causes = validation.changed_metadata(new, live)
        if causes:
            raise errors.invalid(resource.kind, resource.group, live["metadata"]["name"], causes)

    def _fence(self, resource: Resource, name: str, body: Json, live: Json) -> None:
        wanted = (body.get("metadata") or {}).get("resourceVersion")
        if wanted and wanted != live["metadata"]["resourceVersion"]:
            raise errors.modified(resource, name)

    def apply(
        self, resource: Resource, namespace: str, name: str, config: Json, writer: Writer, *, force: bool
    ) -> tuple[Json, bool]:
        """Server-side apply; returns the object and whether it was created."""
        live = self.store.get(resource.key, namespace, name)
        type_ = schema.of(resource.group_version, resource.kind)
        manager = ownership.Manager(writer.manager, "Apply", "", writer.subresource)
        if live is None:
            if writer.subresource:
                raise errors.not_found(resource, name)
            if (config.get("metadata") or {}).get("uid"):
                raise errors.conflict(resource, name, _uid_mismatch(config["metadata"]["uid"], ""))
            return self._apply_new(resource, namespace, config, manager, writer=writer), True
        self._fence(resource, name, config, live)
        merged, owners = self._merge(type_, manager, live, config, version=resource.group_version, force=force)
        merged = decode.as_type(decode.Found(merged), type_, resource)
        new = strategy.prepare_update(resource, _rooted(merged, live), live, writer.subresource)
        if not writer.subresource:
            self._fill(resource, new, live)
            self._admit(resource, new, live)
        return self._replace(resource, live, new, owners, writer=writer), False

    def _merge(
        self, type_: schema.Type, manager: ownership.Manager, live: Json, config: Json, *, version: str, force: bool
    ) -> tuple[Json, ownership.Owners]:
        """Live and applied as one. kubectl may take from itself what it applied from the client before."""
        owners = ownership.read(live["metadata"].get("managedFields"))
        if not owners.entries:
            before = ownership.Manager("before-first-apply", "Update", version)
            owners = ownership.update(type_, owners, before, live=schema.zero(type_), new=live, now=self.now())
        given: Json = {"live": live, "config": config, "version": version, "now": self.now()}
        try:
            return ownership.apply(type_, owners, manager, **given, force=force)
        except errors.ApplyConflict as conflict:
            if manager.name != "kubectl" or not ownership.was_applied_by_client(type_, live, conflict):
                raise
        return ownership.apply(type_, owners, manager, **given, force=True)

    def _apply_new(
        self, resource: Resource, namespace: str, config: Json, manager: ownership.Manager, *, writer: Writer
    ) -> Json:
        type_ = schema.of(resource.group_version, resource.kind)
        found = self._begin(resource, namespace, decode.as_type(decode.Found(config), type_, resource))
        _, owners = ownership.apply(
            type_, ownership.Owners(), manager, live={}, config=config, version=resource.group_version, now=self.now(),
            force=True,
        )  # fmt: skip
        self._fill(resource, found, None)
        self._admit(resource, found, None)
        return self._insert(resource, found, owners, dry_run=writer.dry_run)

    def _replace(self, resource: Resource, live: Json, new: Json, owners: ownership.Owners, *, writer: Writer) -> Json:
        """Store the changed object; one that changed in nothing but times of ownership stays as it was."""
        new["metadata"] = strategy.tidy(new["metadata"] | {"managedFields": owners.as_json()})
        if strategy.counted(resource) and strategy.moved(resource, live, new, writer.subresource):
            new["metadata"]["generation"] = live["metadata"].get("generation", 0) + 1
        if ownership.plain(new) == ownership.plain(live) and _timeless(new) == _timeless(live):
            return live
        if writer.dry_run:
            return new
        meta = new["metadata"]
        gone = (
            meta.get("deletionTimestamp") and not meta.get("finalizers") and not meta.get("deletionGracePeriodSeconds")
        )
        stored = self.store.put(resource.key, strategy.ordered(new))
        if gone and not strategy.held(resource, stored):
            return self.store.remove(resource.key, meta.get("namespace", ""), meta["name"])
        return stored

    # ---- deleting

    def delete(self, resource: Resource, namespace: str, name: str, asked: Deletion) -> tuple[Json, bool]:
        """Delete, or mark what has to be finished first; returns the object and whether it is gone."""
        live = self.get(resource, namespace, name)
        self._preconditions(resource, live, asked)
        finalizers, grace = strategy.on_delete(resource, live, asked.propagation, asked.grace)
        waiting = bool(finalizers) or grace > 0 or strategy.held(resource, live)
        if not waiting:
            gone = live if asked.dry_run else self.store.remove(resource.key, namespace, name)
            return gone, True
        meta = live["metadata"]
        already = meta.get("deletionTimestamp")
        if already and finalizers == meta.get("finalizers", []) and grace >= meta.get("deletionGracePeriodSeconds", 0):
            return live, False
        changed: Json = {"deletionGracePeriodSeconds": grace, "finalizers": finalizers}
        if not already or grace < meta.get("deletionGracePeriodSeconds", 0):
            changed["deletionTimestamp"] = times.text(self.clock() + grace)
        if strategy.counted(resource) and not already:
            changed["generation"] = meta.get("generation", 0) + 1
        marked = strategy.mark_deleted(resource, live | {"metadata": meta | changed})
        if not finalizers:
            marked["metadata"].pop("finalizers", None)
        return (marked if asked.dry_run else self.store.put(resource.key, strategy.ordered(marked))), False

    def _preconditions(self, resource: Resource, live: Json, asked: Deletion) -> None:
        meta = live["metadata"]
        if asked.uid and asked.uid != meta["uid"]:
            why = _uid_mismatch(asked.uid, meta["uid"])
            raise errors.conflict(resource, meta["name"], why, kind=resource.kind)
        if asked.version and asked.version != meta["resourceVersion"]:
            why = (
                f"the ResourceVersion in the precondition ({asked.version}) does not match the ResourceVersion in "
                f"record ({meta['resourceVersion']}). The object might have been modified"
            )
            raise errors.conflict(resource, meta["name"], why, kind=resource.kind)


def _uid_mismatch(asked: str, found: str) -> str:
    return (
        f"the UID in the precondition ({asked}) does not match the UID in record ({found}). "
        "The object might have been deleted and then recreated"
    )


def _rooted(body: Json, live: Json) -> Json:
    """A fresh object of the body with the metadata that nobody can change. A body without a uid keeps the live one."""
    found: Json = recording.copy(body)
    meta = found["metadata"] = dict(found.get("metadata") or {})
    was = live["metadata"]
    for name in ("name", "namespace", "creationTimestamp", "generation", "deletionTimestamp", "selfLink",
                 "deletionGracePeriodSeconds", "resourceVersion"):  # fmt: skip
        meta.pop(name, None)
        if name in was:
            meta[name] = was[name]
    meta["uid"] = meta.get("uid") or was["uid"]
    found["metadata"] = strategy.tidy(meta)
    return found | {"kind": live["kind"], "apiVersion": live["apiVersion"]}


def _timeless(found: Json) -> list[Json]:
    return [
        {key: value for key, value in one.items() if key != "time"}
        for one in found["metadata"].get("managedFields", [])
    ]
