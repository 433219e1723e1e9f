"""Where live objects differ from the manifests that we last applied, and who changed them. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from deployments import comparison
from deployments.manifests import labels
from monitoring.objects import Loose, Manager


def differences(
    manifest: dict[str, Any], live: Loose, rewritten: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Each leaf that differs, as {"object", "field", "wanted", "live", "rival", "rewritten"}.

    `rewritten` are the differences that stood in the API server's own answer to our write; those that stand still
    are marked, since writing again would end in the same.
    """
    name = f"{manifest['kind']}/{manifest['metadata']['name']}"
    have = {"spec": live.spec, "data": live.data, "metadata": {"labels": live.metadata.labels}}
    known = [(item["field"], item["live"]) for item in rewritten]
    return [
        {
            "object": name,
            "field": ".".join(path),
            "wanted": want,
            "live": got,
            "rival": rival(live.metadata.managed_fields or [], path),
            "rewritten": (".".join(path), got) in known,
        }
        for path, want, got in comparison.differing(manifest, have)
    ]


def rival(managers: list[Manager], path: tuple[str, ...]) -> str:
    """Who owns this field besides us; "" when nobody says so."""
    others = [entry for entry in managers if entry.manager != labels.MANAGER and entry.fields_v1]
    return next((entry.manager for entry in others if owns(entry.fields_v1, path)), "")


def owns(fields: Any, path: Sequence[str]) -> bool:
    """Whether a set of managed fields holds a path. {} holds all below it; entries of lists stand under their keys.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/: `f:` names a field, `k:` an entry by its keys.
    """
    if not path or fields == {}:
        return True
    if not isinstance(fields, dict):
        return False
    key, *rest = path
    if (child := fields.get(f"f:{key}")) is not None:
        return owns(child, rest)
    entries = {name: part for name, part in fields.items() if name.startswith("k:")}
    keyed = {name: keys(name) for name in entries}
    if exact := [name for name, found in keyed.items() if key in found.values()]:
        return any(owns(entries[name], rest) for name in exact)
    # Ports stand under their numbers, and we know them by name: any of them will do.
    return any(owns(part, rest) for name, part in entries.items() if not {"name", "mountPath"} & keyed[name].keys())


def keys(entry: str) -> dict[str, str]:
    """k:{"name":"vllm"} as {"name": "vllm"}."""
    try:
        found = json.loads(entry.removeprefix("k:"))
    except ValueError:
        return {}
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}
