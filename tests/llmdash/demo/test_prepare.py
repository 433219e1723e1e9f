"""Static files are collected when they changed, and only then."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from llmdash.demo import people, prepare, state


@pytest.fixture
def source(settings: Any, tmp_path: Path) -> Path:
    """A folder with one static file."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "a.css").write_text("a {}")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [folder], tmp_path / "collected"
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    return folder


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time that files were collected."""
    times: list[str] = []

    def count(name: str, **options: Any) -> None:
        times.append(name)
        call_command(name, **options)

    monkeypatch.setattr(prepare, "call_command", count)
    return times


def test_files_that_did_not_change_are_not_collected_again(source: Path, collected: list[str]) -> None:
    prepare.collect_static_files()
    prepare.collect_static_files()
    assert collected == ["collectstatic"]


def test_a_changed_file_is_collected(source: Path, collected: list[str], settings: Any) -> None:
    prepare.collect_static_files()
    (source / "a.css").write_text("a { color: red }")
    prepare.collect_static_files()
    assert collected == ["collectstatic", "collectstatic"]
    assert (settings.STATIC_ROOT / "a.css").read_text() == "a { color: red }"


def test_passwords_are_shown_with_what_each_may_do(capsys: pytest.CaptureFixture[str]) -> None:
    prepare.show([(people.PEOPLE[0], "the-password")])
    said = capsys.readouterr().out
    assert "admin          the-password" in said
    assert "platform admin" in said
    prepare.show([])
    assert capsys.readouterr().out == ""


def test_messages_of_a_sender_that_died_are_swept_up(tmp_path: Path) -> None:
    state.ensure(tmp_path)
    old, new, whole = (tmp_path / "broker/queue" / name for name in ("1.msg.unfinished", "2.msg.unfinished", "3.msg"))
    for path in (old, new, whole):
        path.touch()
    for path in (old, whole):
        os.utime(path, (time.time() - 120,) * 2)
    state.ensure(tmp_path)
    assert [path.exists() for path in (old, new, whole)] == [False, True, True]
