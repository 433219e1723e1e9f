"""`python -m llmdash.tooling.chart`: write the rights that the Helm chart grants, from deployments.manifests."""

from pathlib import Path

import yaml

from deployments.choices import Role
from deployments.manifests import access, rbac

FILE = Path(__file__).resolve().parents[2] / "charts" / "llmdash" / "files" / "access.yaml"
HEAD = "# Written by `python -m llmdash.tooling.chart` from deployments/manifests/access.py; a test compares the two.\n"


class NoAliases(yaml.SafeDumper):
    """Writes what stands twice twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def text() -> str:
    """The rules by where they belong: in the whole cluster, in each namespace, for names of persons, for the roles."""
    rules = {
        "cluster": [access.NODES, *access.FOLLOW, access.ACT, access.ACTOR, *access.PROVISION],
        "namespace": [*access.FOLLOW, access.ACT],
        "actor": [access.ACTOR],
        "roles": {rbac.account(role): rbac.RULES[role] for role in Role},
    }
    return HEAD + yaml.dump(rules, Dumper=NoAliases, sort_keys=False, default_flow_style=None, width=120)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
