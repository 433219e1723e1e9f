"""What the API serves, from recorded discovery, and what a request's path asks of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from llmdash.sandbox import recording

Json = dict[str, Any]
# A namespace is the object of these paths, not where they lead into.
OF_NAMESPACES = {"status", "finalize"}


@dataclass(frozen=True)
class Resource:
    """One resource of one group and version; `subresources` are name -> its discovery entry."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    verbs: frozenset[str]
    names: frozenset[str] = frozenset()
    subresources: dict[str, Json] = field(default_factory=dict, hash=False, compare=False)

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`deployments.apps`, or `pods` of the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def key(self) -> str:
        """Under which its objects are stored: versions of a group share them, and both kinds of events."""
        group = "" if self.group == "events.k8s.io" else self.group
        return f"{group}/{self.plural}"


@dataclass(frozen=True)
class Request:
    """A path taken apart. `resource` is None for paths that are no resources."""

    path: str
    verb: str
    resource: Resource | None = None
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: tuple[str, ...] = ()


class NoSuchGroup(Exception):
    """Nothing is served below this path."""


class NoSuchResource(Exception):
    """The group is served and has no such resource."""


@cache
def resources() -> dict[tuple[str, str, str], Resource]:
    """(group, version, plural) -> resource."""
    found: dict[tuple[str, str, str], Resource] = {}
    for body in recording.discovery()["paths"].values():
        if body.get("kind") != "APIResourceList":
            continue
        group, _, version = body["groupVersion"].rpartition("/")
        for entry in body["resources"]:
            if "/" not in entry["name"]:
                found[group, version, entry["name"]] = _resource(group, version, entry)
        for entry in body["resources"]:
            plural, _, sub = entry["name"].partition("/")
            if sub and (group, version, plural) in found:
                found[group, version, plural].subresources[sub] = entry
    return found


def _resource(group: str, version: str, entry: Json) -> Resource:
    names = frozenset([entry["name"], entry.get("singularName", ""), *entry.get("shortNames", [])])
    return Resource(group, version, entry["name"], entry["kind"], entry["namespaced"], frozenset(entry["verbs"]), names)


@cache
def groups() -> frozenset[tuple[str, str]]:
    """The (group, version) pairs that are served."""
    return frozenset((group, version) for group, version, _ in resources())


@cache
def by_kind(group_version: str, kind: str) -> Resource | None:
    """The resource whose objects have this kind."""
    for found in resources().values():
        if found.group_version == group_version and found.kind == kind and "get" in found.verbs:
            return found
    return None


def get(group: str, version: str, plural: str) -> Resource:
    """A resource that is known to be served."""
    return resources()[group, version, plural]


def parse(method: str, path: str, query: dict[str, str]) -> Request:
    """Take a request's path apart, as k8s.io/apiserver/pkg/endpoints/request/requestinfo.go does.

    Raises NoSuchGroup and NoSuchResource.
    """
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return Request(path, method.lower())
    if (group, version) not in groups():
        raise NoSuchGroup
    return _resource_request(method, path, query, group=group, version=version, rest=rest)


def _resource_request(
    method: str, path: str, query: dict[str, str], *, group: str, version: str, rest: list[str]
) -> Request:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in OF_NAMESPACES:
        namespace, rest = rest[1], rest[2:]
    plural, name = rest[0], rest[1] if len(rest) > 1 else ""
    sub, more = (rest[2] if len(rest) > 2 else ""), tuple(rest[3:])
    resource = resources().get((group, version, plural))
    if resource is None or (namespace and not resource.namespaced):
        raise NoSuchResource
    verb = _verb(method, query, named=bool(name))
    if verb in ("list", "watch") and not name:
        name = _name_of(query.get("fieldSelector", ""))
        return Request(path, verb, resource, namespace, name)
    return Request(path, verb, resource, namespace, name, sub, more)


def _verb(method: str, query: dict[str, str], *, named: bool) -> str:
    if method in ("GET", "HEAD"):
        watching = query.get("watch", "") not in ("", "0", "false")
        return "watch" if watching else "get" if named else "list"
    if method == "DELETE":
        return "delete" if named else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(method, method.lower())


def _name_of(selector: str) -> str:
    """A list of one name counts as that name, so that a role may allow just it."""
    key, _, value = selector.partition("=")
    return value.lstrip("=") if key == "metadata.name" and "," not in selector else ""
