"""How `llmdash apply` tells a difference."""

import pytest

from llmdash.cli.apply import tell


def test_a_difference_is_told_as_the_document_would_have_it(capsys: pytest.CaptureFixture[str]) -> None:
    tell([
        {"field": "running", "before": False, "after": True},
        {"field": "llm", "before": None, "after": "Qwen/Qwen3-8B"},
        {"field": "env[0]", "before": {"name": "A", "value": "ü"}, "after": None},
    ])  # fmt: skip
    assert capsys.readouterr().out.splitlines() == [
        "- running: false",
        "+ running: true",
        "+ llm: Qwen/Qwen3-8B",
        '- env[0]: {"name": "A", "value": "ü"}',
    ]
