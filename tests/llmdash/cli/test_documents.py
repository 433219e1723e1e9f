"""Documents as people write them, and what is refused before a server is asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmdash.cli import documents
from llmdash.cli.server import Failed

GOOD: dict[str, Any] = {
    "apiVersion": "llmdash.io/v1", "kind": "LLMDeployment", "metadata": {"name": "a"}, "spec": {"llm": "a/b"},
}  # fmt: skip


def read(folder: Path, text: str | bytes) -> list[dict[str, Any]]:
    file = folder / "file.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return documents.read(str(file))


def test_yaml_json_and_several_documents_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps(GOOD)) == [GOOD]
    assert read(tmp_path, f"---\n{json.dumps(GOOD)}\n---\n---\n{json.dumps(GOOD)}\n") == [GOOD, GOOD]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no document"),
        ("- a", "document 1 is no mapping"),
        ("just words", "document 1 is no mapping"),
        ("a: 1\nb: [}", "This is not YAML. Look at line 2."),
        ("a: &x 1\nb: *x", "aliases are not taken"),
        ("kind: a\nkind: b", "'kind' stands twice"),
        ("[" * 100, "nested too deeply"),
        (b"\xff\xfe", "is not UTF-8"),
        ("a: \x00", "This is not YAML"),
        (json.dumps(GOOD | {"kind": "Deployment"}), "apiVersion llmdash.io/v1 and kind LLMDeployment or Project"),
        (json.dumps(GOOD | {"kind": ["x"]}), "is not of apiVersion"),
        (json.dumps(GOOD | {"apiVersion": "v1"}), "is not of apiVersion"),
        (json.dumps(GOOD | {"metadata": {}}), "needs metadata with a name"),
        (json.dumps(GOOD | {"metadata": {"name": 3}}), "needs metadata with a name"),
        (json.dumps(GOOD | {"spec": None}), "and a spec"),
        (json.dumps(GOOD | {"status": {}}), "holds status, which is not known there"),
        (json.dumps(GOOD | {"metadata": {"name": "a", "labels": {}}}), "holds labels"),
        (json.dumps(GOOD) + "\n---\n- b", "document 2 is no mapping"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused_with_its_place(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(Failed) as refused:
        read(tmp_path, text)
    assert said in refused.value.message


def test_a_file_that_is_not_there_or_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot be read: No such file"):
        documents.read(str(tmp_path / "nothing.yaml"))
    with pytest.raises(Failed, match="longer than 5 MiB"):
        read(tmp_path, b"#" * (documents.MAX_BYTES + 1))


def test_what_is_not_said_in_a_spec_is_left_out_and_secrets_stand_by_name() -> None:
    spec = {
        "llm": "a/b", "gpus": 0, "running": True, "image": "", "args": [], "labels": {}, "restarted_at": "2026-11-26",
        "env": [
            {"name": "A", "value": "", "secret": None}, {"name": "B", "secret": "id-1"}, {"name": "C", "secret": "?"},
        ],
    }  # fmt: skip
    assert documents.with_names(spec, {"id-1": "hf"}) == {
        "llm": "a/b", "gpus": 0, "running": True,
        "env": [
            {"name": "A", "value": ""}, {"name": "B", "secret": {"name": "hf"}}, {"name": "C", "secret": {"name": "?"}},
        ],
    }  # fmt: skip
