"""Where live objects differ from the manifests that we last applied, and who changed them. Pure."""

from collections.abc import Sequence
from typing import Any

from deployments import comparison
from deployments.manifests import labels
from deployments.ownership import owner
from monitoring.objects import Loose


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
    differing = list(comparison.differing(manifest, have))
    managers = [(entry.manager, entry.fields_v1) for entry in live.metadata.managers] if differing else []
    return [
        {
            "object": name,
            "field": ".".join(path),
            "wanted": want,
            "live": got,
            "rival": owner(managers, path, besides=labels.MANAGER),
            "rewritten": (".".join(path), got) in known,
        }
        for path, want, got in differing
    ]
