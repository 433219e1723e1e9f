"""The recording that the sandbox answers from is whole and of the version that is built here."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.build import kubernetes_version
from tests.controlplane.recording import write
from tests.controlplane.recording.discovery import DOCUMENTED

RECORDED = Path(__file__).parents[2] / "llmdash" / "sandbox" / "recorded"


def recorded(name: str) -> Any:
    return json.loads(gzip.decompress((RECORDED / f"{name}.json.gz").read_bytes()))


def test_it_was_made_with_the_version_that_is_built() -> None:
    version = recorded("discovery")["paths"]["/version"]["gitVersion"]
    assert version == kubernetes_version()
    assert version in (RECORDED / "README.md").read_text(encoding="utf-8")


def test_every_group_that_is_listed_has_its_resources_and_columns() -> None:
    paths = recorded("discovery")["paths"]
    served = {f"/apis/{version['groupVersion']}" for group in paths["/apis"]["groups"] for version in group["versions"]}
    assert served <= paths.keys()
    tables = recorded("tables")
    for path in served | {"/api/v1"}:
        version = paths[path]["groupVersion"]
        listed = [r["name"] for r in paths[path]["resources"] if "list" in r["verbs"] and "/" not in r["name"]]
        assert all(tables[f"{version}/{name}"]["columns"] for name in listed)


@pytest.mark.parametrize("path", DOCUMENTED)
def test_a_documented_group_has_its_schema(path: str) -> None:
    assert recorded("openapi/" + path.replace("/", "."))["components"]["schemas"]


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("not-found", 404, "NotFound"),
        ("already-exists", 409, "AlreadyExists"),
        ("stale-resource-version", 409, "Conflict"),
        ("apply-conflict", 409, "Conflict"),
        ("invalid-fields", 422, "Invalid"),
        ("unknown-field", 400, "BadRequest"),
        ("unauthorized", 401, "Unauthorized"),
        ("forbidden", 403, "Forbidden"),
        ("expired-continue", 410, "Expired"),
        ("expired-exact", 410, "Expired"),
        ("eviction-over-budget", 429, "TooManyRequests"),
    ],
)
def test_a_refusal_has_its_code_and_reason(name: str, code: int, reason: str) -> None:
    refusal = recorded("errors")[name]
    assert (refusal["code"], refusal["body"]["code"], refusal["body"]["reason"]) == (code, code, reason)


def test_an_apply_conflict_names_manager_and_field() -> None:
    (cause,) = recorded("errors")["apply-conflict"]["body"]["details"]["causes"]
    assert cause == {"reason": "FieldManagerConflict", "message": 'conflict with "first"', "field": ".spec.replicas"}


def test_the_stages_of_a_rollout_were_seen() -> None:
    histories = recorded("messages")["histories"]
    reasons = {
        condition["reason"]
        for history in histories.values()
        for seen in history
        for condition in seen["status"].get("conditions", ())
    }
    assert reasons >= {
        *("MinimumReplicasUnavailable", "MinimumReplicasAvailable", "NewReplicaSetCreated", "ReplicaSetUpdated"),
        *("NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused", "FailedCreate"),
    }


def test_no_credential_was_written_down() -> None:
    for name in ("errors", "answers"):
        assert not any(
            "authorization" in json.dumps(entry["request"]).lower().split('"') for entry in recorded(name).values()
        )


def test_writing_the_same_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "one.json.gz", {"word": "hello"})
    write(tmp_path / "two.json.gz", {"word": "hello"})
    assert (tmp_path / "one.json.gz").read_bytes() == (tmp_path / "two.json.gz").read_bytes()
