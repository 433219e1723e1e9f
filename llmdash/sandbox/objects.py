"""The endpoints of resources: each verb from a request to an answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from llmdash.sandbox import converting, decode, errors, listing, patch, schema, subresources, table, versions
from llmdash.sandbox.auth import Tokens
from llmdash.sandbox.paths import Request, Resource
from llmdash.sandbox.rbac import User
from llmdash.sandbox.registry import Deletion, Registry, Writer
from llmdash.sandbox.watching import Watch
from llmdash.sandbox.web import Form, HttpRequest, HttpResponse, answer, form

Json = dict[str, Any]
ONE = ("Table", "PartialObjectMetadata")
MANY = ("Table", "PartialObjectMetadataList")
OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions", "delete": "DeleteOptions",
           "deletecollection": "DeleteOptions"}  # fmt: skip


@dataclass
class Call:
    """One request to a resource, by somebody who may make it."""

    registry: Registry
    tokens: Tokens
    stopping: asyncio.Event
    http: HttpRequest
    request: Request
    user: User

    @property
    def resource(self) -> Resource:
        if self.request.resource is None:
            raise errors.no_such_resource()
        return self.request.resource

    @property
    def dry_run(self) -> bool:
        """Raises a 422 for anything but `All`."""
        asked = [one for one in self.http.many.get("dryRun", []) if one]
        if asked and asked != ["All"]:
            cause = errors.unsupported("dryRun", asked, ["All"])
            raise errors.invalid(OPTIONS.get(self.request.verb, "CreateOptions"), "meta.k8s.io", "", [cause])
        return bool(asked)

    @property
    def writer(self) -> Writer:
        return Writer(self.http.manager, self.request.subresource, dry_run=self.dry_run)

    def form(self, may: tuple[str, ...] = ONE) -> Form:
        return form(self.http.headers.get("accept", ""), may=may)

    def read(self, resource: Resource | None = None, kind: str = "") -> tuple[Json, list[str]]:
        """The body as an object, and warnings. Raises a 400, also for what strict validation minds."""
        resource = resource or self.resource
        found = decode.body(self.http.body, kind=kind or resource.kind, yaml_too="yaml" in self.http.content_type)
        self.check_kind(found.value, resource, kind or resource.kind)
        read = decode.as_type(found, schema.of(resource.group_version, resource.kind), resource)
        return read, self.warnings(found.complaints, resource.kind, resource.version)

    def check_kind(self, value: Any, resource: Resource, kind: str) -> None:
        """Raises a 400 for a body of another kind."""
        if not isinstance(value, dict):
            return
        said = value.get("kind") or kind
        if said != kind or (value.get("apiVersion") or resource.group_version) != resource.group_version:
            version = str(value.get("apiVersion", "")).rpartition("/")[2]
            group = resource.group.partition(".")[0] or "core"
            raise errors.bad_request(
                f'{said} in version "{version}" cannot be handled as a {kind}: converting ({version}.{said}) to '
                f"({group}.{kind}): unknown conversion"
            )

    def warnings(self, complaints: list[str], kind: str, version: str) -> list[str]:
        """What to warn of; raises a 400 under strict validation."""
        mode = self.http.query.get("fieldValidation") or "Warn"
        if complaints and mode == "Strict":
            listed = ", ".join(complaints)
            raise errors.bad_request(
                f'{kind} in version "{version}" cannot be handled as a {kind}: strict decoding error: {listed}'
            )
        return complaints if mode == "Warn" else []

    def show(self, found: Json, *, code: int = 200, warnings: list[str] | None = None) -> HttpResponse:
        """One object in the form that was asked for."""
        wanted = self.form()
        found = versions.outward(self.resource, found)
        headers = {"warning": ", ".join(f'299 - "{_quoted(one)}"' for one in warnings)} if warnings else {}
        if wanted.shown == "Table":
            meta = {"resourceVersion": found["metadata"].get("resourceVersion", "")}
            include = self.http.query.get("includeObject", "Metadata")
            found = table.table(self.resource, [found], meta, self.registry.clock(), include=include)
        elif wanted.shown:
            found = table.partial(found)
        return answer(found, code=code, media=wanted.media, headers=headers)

    # ---- verbs

    def get(self) -> HttpResponse:
        return self.show(self.registry.get(self.resource, self.request.namespace, self.request.name))

    def list(self) -> HttpResponse:
        """A list, whole or a page of it."""
        wanted = self.form(MANY)
        page = listing.page(self.registry.store, self.request, self.http.query)
        items = [versions.outward(self.resource, one) for one in page.items]
        if wanted.shown == "Table":
            include = self.http.query.get("includeObject", "Metadata")
            body = table.table(self.resource, items, page.metadata, self.registry.clock(), include=include)
        elif wanted.shown:
            body = table.partial_list(items, page.metadata)
        else:
            body = table.plain_list(self.resource, items, page.metadata)
        return answer(body, media=wanted.media)

    def watch(self) -> HttpResponse:
        """A stream of changes."""
        wanted = self.form((*MANY, "PartialObjectMetadata"))
        include = self.http.query.get("includeObject", "Metadata")
        watch = Watch(
            self.registry.store, self.request, self.http.query, wanted.shown, include, self.registry.clock,
            self.stopping,
        )  # fmt: skip
        if wanted.shown == "PartialObjectMetadataList":
            return HttpResponse()  # lists are no events: the real one says nothing either
        return HttpResponse(stream=watch.open())

    def create(self) -> HttpResponse:
        """POST to a collection."""
        writer, resource = self.writer, self.resource
        body, warnings = self.read()
        meta = body.get("metadata") or {}
        self.check_namespace(meta)
        if not meta.get("name") and not meta.get("generateName"):
            cause = errors.required("metadata.name", "name or generateName is required")
            raise errors.invalid(resource.kind, resource.group, "", [cause])
        found = self.registry.create(resource, self.request.namespace, versions.inward(resource, body), writer)
        return self.show(found, code=201, warnings=warnings)

    def check_namespace(self, meta: Json) -> None:
        """Raises a 400 when the body names another namespace than the path."""
        given = meta.get("namespace")
        if self.resource.namespaced and given and given != self.request.namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )

    def update(self) -> HttpResponse:
        """PUT of one object."""
        writer = self.writer
        body, warnings = self.read()
        meta = body.get("metadata") or {}
        self.check_name(meta)
        self.check_namespace(meta)
        found = self.registry.update(
            self.resource, self.request.namespace, self.request.name,
            lambda live: versions.inward(self.resource, body), writer,
        )  # fmt: skip
        return self.show(found, warnings=warnings)

    def check_name(self, meta: Json) -> None:
        """Raises a 400 when the body names another object than the path."""
        given, wanted = meta.get("name", ""), self.request.name
        if given != wanted:
            raise errors.bad_request(f"the name of the object ({given}) does not match the name on the URL ({wanted})")

    def patch(self) -> HttpResponse:
        """PATCH of any of the four kinds."""
        kind = patch.KINDS.get(self.http.content_type)
        if kind is None:
            raise errors.unsupported_media_type()
        if kind == "apply":
            return self.apply()
        warnings: list[str] = []
        change = decode.body(self.http.body, kind=self.resource.kind).value

        def patched(live: Json) -> Json:
            shown = versions.outward(self.resource, live)
            type_ = schema.of(self.resource.group_version, self.resource.kind)
            found = decode.Found(patch.carry_out(kind, type_, shown, change))
            read = decode.as_type(found, type_, self.resource)
            warnings.extend(self.warnings(found.complaints, self.resource.kind, self.resource.version))
            return versions.inward(self.resource, read)

        found = self.registry.update(self.resource, self.request.namespace, self.request.name, patched, self.writer)
        return self.show(found, warnings=warnings)

    def apply(self) -> HttpResponse:
        """Server-side apply."""
        if not self.http.query.get("fieldManager"):
            cause = errors.required("fieldManager", "is required for apply patch")
            raise errors.invalid("PatchOptions", "meta.k8s.io", "", [cause])
        writer = self.writer
        resource, request = self.resource, self.request
        found = decode.body(self.http.body, kind=resource.kind, yaml_too=True)
        self.check_kind(found.value, resource, resource.kind)
        type_ = schema.of(resource.group_version, resource.kind)
        self._check_types(found.value, type_)
        # Go's zeros are left out of objects, but whoever applies them owns them.
        config: Json = found.value
        meta = config.setdefault("metadata", {})
        if meta.setdefault("name", request.name) != request.name:
            self.check_name(meta)
        self.check_namespace(meta)
        if meta.get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        stored, created = self.registry.apply(
            resource, request.namespace, request.name, versions.inward(resource, config), writer,
            force=self.http.flag("force"),
        )  # fmt: skip
        return self.show(stored, code=201 if created else 200)

    def _check_types(self, value: Any, type_: schema.Type) -> None:
        """An unknown field or one of another type is an error of the server's here, in its own words."""
        meta = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
        kind = f"{value.get('apiVersion')}, Kind={value.get('kind')}"
        where = f"{meta.get('namespace', '')}/{meta.get('name', '')}; {kind}"
        if told := converting.undeclared(value, type_):
            raise errors.internal(f"failed to create typed patch object ({where}): {told}")
        if told := converting.unconvertible(value, type_):
            why = f"unable to convert unstructured object to {kind}: {told}"
            raise errors.internal(f"failed to convert new object ({where}) to proper version: {why}")

    def deletion(self) -> Deletion:
        """DeleteOptions of query and body."""
        found: Json = {}
        if self.http.body.strip():
            found = decode.body(self.http.body, kind="DeleteOptions").value or {}
        query = self.http.query
        grace = found.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
        propagation = found.get("propagationPolicy") or query.get("propagationPolicy") or ""
        orphans = found.get("orphanDependents")
        if orphans is not None and not propagation:
            propagation = "Orphan" if orphans else "Background"
        if propagation not in ("", "Foreground", "Background", "Orphan"):
            cause = errors.unsupported("propagationPolicy", propagation, ["Foreground", "Background", "Orphan", "nil"])
            raise errors.invalid("DeleteOptions", "meta.k8s.io", "", [cause])
        preconditions = found.get("preconditions") or {}
        return Deletion(
            propagation, None if grace is None else int(grace), preconditions.get("uid") or "",
            preconditions.get("resourceVersion") or "", dry_run=self.dry_run or found.get("dryRun") == ["All"],
        )  # fmt: skip

    def delete(self) -> HttpResponse:
        """DELETE of one object: the object while it ends, a Status when it is gone."""
        asked, resource = self.deletion(), self.resource
        found, gone = self.registry.delete(resource, self.request.namespace, self.request.name, asked)
        if not gone or resource.kind in subresources.RETURNED:
            return self.show(found)
        details = errors.named(resource, self.request.name) | {"uid": found["metadata"]["uid"]}
        status: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return answer(status, media=self.form().media)

    def deletecollection(self) -> HttpResponse:
        """DELETE of all that is selected."""
        asked = self.deletion()
        page = listing.page(self.registry.store, self.request, self.http.query)
        for one in page.items:
            meta = one["metadata"]
            self.registry.delete(self.resource, meta.get("namespace", ""), meta["name"], asked)
        items = [versions.outward(self.resource, one) for one in page.items]
        meta = {"resourceVersion": str(self.registry.store.version)}
        return answer(table.plain_list(self.resource, items, meta), media=self.form(MANY).media)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
