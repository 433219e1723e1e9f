"""Requests made from the OpenAPI document: whatever is sent, the answer is one that the document tells.

How many requests are made is fixed, so that every machine makes the same ones.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.choices import Role
from llmdash.accounts import services
from llmdash.accounts.choices import Scope
from llmdash.accounts.models import User
from tests import stage

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "2"))  # for each operation; 100 take minutes and find rarer things
ENDING = ("post_clusters_forget", "delete_tokens_item")
CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.timeout(900)  # hundreds of requests for each of a hundred operations
@pytest.mark.django_db(transaction=True)
def test_every_answer_is_one_that_the_document_tells(live_server: object, tmp_path: Path) -> None:
    """What would end the others' cluster or the token that the run goes by has a run of its own."""
    boss = stage.user("boss", is_superuser=True)
    team = stage.project("team")
    stage.member(team, "maria", Role.ADMIN)
    made = stage.deployment(team, boss)
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        CONFIG.read_text().format(
            deployment=made.pk, project=team.pk, cluster=team.cluster_id, member=team.memberships.get().pk
        )
    )
    left_out = [word for operation in ENDING for word in ("--exclude-operation-id", operation)]
    run(live_server, boss, config, *left_out, "--max-examples", str(EXAMPLES))
    for operation in ENDING:
        run(live_server, boss, config, "--include-operation-id", operation, "--phases", "coverage")


def run(server: object, user: User, config: Path, *more: str) -> None:
    """Every check on requests of a program of that person."""
    _, token = services.make_token(user=user, name="schemathesis", scope=Scope.WRITE)
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "--config-file", str(config), "run", f"{server}/api/schema/", "--checks", "all"]
    command += [
        "--header",
        f"Authorization: Bearer {token}",
        "--seed",
        "1",
        "--generation-deterministic",
        "--no-color",
        *more,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=config.parent)
    assert done.returncode == 0, done.stdout + done.stderr
