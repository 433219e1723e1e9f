"""Writes down how Go's API types lie on the wire: `python -m tests.contract.gotypes llmdash/sandbox/recorded`.

From the struct tags in the modules that the control plane is built of: for each field its protobuf number and type,
whether it is a pointer, and whether its zero is left out of JSON. kubectl sends protobuf, and defaults depend on
zeros that were left out.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.controlplane.build import kubernetes_version
from tests.controlplane.recording import write

GROUPS = (
    "apps/v1", "authentication/v1", "authorization/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1",
    "certificates/v1", "coordination/v1", "core/v1", "discovery/v1", "events/v1", "networking/v1", "node/v1",
    "policy/v1", "rbac/v1", "scheduling/v1", "storage/v1",
)  # fmt: skip
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ALIAS = re.compile(r"^type (\w+) ((?:map\[\w+\]|\[\])?[\w.]+)$", re.MULTILINE)
FIELD = re.compile(r"^\t(?:(\w+)\s+)?([*\[\]\w.]+)\s+`([^`]*)`", re.MULTILINE)
IMPORTS = {
    "metav1": "meta/v1", "v1": "core/v1", "corev1": "core/v1", "api": "core/v1", "authnv1": "authentication/v1",
    "resource": "resource", "intstr": "intstr", "runtime": "runtime", "types": "types",
}  # fmt: skip


def main(folder: Path) -> None:
    """Write `types.json.gz` into the folder of the recording."""
    modules = Path(subprocess.check_output(["go", "env", "GOMODCACHE"], text=True).strip()) / "k8s.io"
    version = kubernetes_version().replace("v1.", "v0.", 1)
    found: dict[str, Any] = {}
    for group in GROUPS:
        found |= of_package(modules / f"api@{version}" / group / "types.go", group)
    found |= of_package(modules / f"apimachinery@{version}" / "pkg/apis/meta/v1/types.go", "meta/v1")
    write(folder / "types.json.gz", {"version": kubernetes_version(), "types": dict(sorted(found.items()))})
    print(f"{len(found)} types in {folder / 'types.json.gz'}")


def of_package(file: Path, package: str) -> dict[str, Any]:
    """`core/v1.Container` -> name -> [number, type, pointer, left out when zero]."""
    text = file.read_text(encoding="utf-8")
    aliases = dict(ALIAS.findall(text))
    found = {}
    for name, body in STRUCT.findall(text):
        fields = {}
        for _, type_, tags in FIELD.findall(body):
            if entry := field(type_, tags, package, aliases):
                fields[entry[0]] = entry[1]
        found[f"{package}.{name}"] = fields
    return found


def field(type_: str, tags: str, package: str, aliases: dict[str, str]) -> tuple[str, list[Any]] | None:
    """(JSON name, entry) of one field; "" as the name of an embedded struct. None for what is not on the wire."""
    json, wire = re.search(r'json:"([^"]*)"', tags), re.search(r'protobuf:"(\w+),(\d+)', tags)
    if not json or not wire:
        return None
    name, *options = json[1].split(",")
    pointer = type_.startswith("*")
    bare = resolve(type_.removeprefix("*"), package, aliases)
    left_out = "omitempty" in options
    key = name or f"+{wire[2]}"
    return key, [int(wire[2]), bare, int(pointer), int(left_out)]


def resolve(type_: str, package: str, aliases: dict[str, str]) -> str:
    """A type with its package; aliases of plain types as those."""
    for prefix in ("[]", "map[string]"):
        if type_.startswith(prefix):
            rest = type_.removeprefix(prefix)
            return type_ if rest == "byte" else prefix + resolve(rest.removeprefix("*"), package, aliases)
    if found := re.match(r"^map\[[\w.]+\](.*)$", type_):
        return "map[string]" + resolve(found[1], package, aliases)
    if type_ in aliases:
        target = aliases[type_]
        # A named slice is a message of its own on the wire.
        return (
            f"items:{resolve(target, package, aliases)}"
            if target.startswith("[]")
            else resolve(target, package, aliases)
        )
    if "." in type_:
        origin, _, name = type_.partition(".")
        if name in ("ResourceList",):
            return "map[string]resource.Quantity"
        if (origin, name) in (("types", "UID"), ("v1", "Protocol"), ("v1", "ConditionStatus"), ("v1", "ResourceName"),
                              ("v1", "URIScheme"), ("v1", "TolerationOperator"), ("v1", "TaintEffect"),
                              ("v1", "PodPhase"), ("v1", "PersistentVolumeAccessMode"), ("metav1", "ConditionStatus"),
                              ("types", "NodeName"), ("v1", "PersistentVolumeReclaimPolicy"),
                              ("v1", "IPFamily")):  # fmt: skip
            return "string"
        return f"{IMPORTS.get(origin, origin)}.{name}"
    plain = ("string", "bool", "int32", "int64", "float64", "byte", "int")
    return type_ if type_ in plain else f"{package}.{type_}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
