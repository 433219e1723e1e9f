"""What decides whether anything is installed. The installing itself is what `make test` begins with."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmdash.tooling import install

SCRIPT = install.ROOT / "llmdash" / "tooling" / "install.py"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with locks and a .venv that was filled from none."""
    for name in (*install.LOCKS.values(), "bootstrap.lock"):
        (tmp_path / name).write_text(name)
    python = tmp_path / "python"
    python.touch()
    for name, value in {"ROOT": tmp_path, "PYTHON": python, "STAMP": tmp_path / "stamp"}.items():
        monkeypatch.setattr(install, name, value)
    monkeypatch.setattr(install, "BOOTSTRAP", tmp_path / "bootstrap.lock")
    return tmp_path


def filled_from(lock: str) -> None:
    install.STAMP.write_text(json.dumps({lock: install.digest(lock)}))


def test_an_unfilled_venv_is_filled(tree: Path) -> None:
    assert not install.is_current("demo")
    assert not install.is_current("test")


def test_a_venv_filled_from_the_lock_is_left_alone(tree: Path) -> None:
    filled_from("requirements.lock")
    assert install.is_current("demo")
    assert not install.is_current("test"), "the tests need more than the demo"


def test_the_development_venv_serves_the_demo_too(tree: Path) -> None:
    filled_from("requirements-dev.lock")
    assert install.is_current("test")
    assert install.is_current("demo")


@pytest.mark.parametrize("changed", ["requirements.lock", "bootstrap.lock"])
def test_a_lock_that_changed_is_installed_again(tree: Path, changed: str) -> None:
    filled_from("requirements.lock")
    (tree / changed).write_text("another")
    assert not install.is_current("demo")


def test_a_damaged_stamp_or_a_vanished_venv_is_made_again(tree: Path) -> None:
    install.STAMP.write_text("{")
    assert not install.is_current("demo")
    filled_from("requirements.lock")
    install.PYTHON.unlink()
    assert not install.is_current("demo")


def test_the_file_runs_without_anything_installed(tmp_path: Path) -> None:
    """With the standard library alone (-S -I): importing it must not need .venv."""
    code = f"import runpy; runpy.run_path({str(SCRIPT)!r})"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd=tmp_path)


def test_postgres_is_found_where_debian_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = install.find("initdb")
    assert found is not None
    assert found.startswith("/usr/lib/postgresql/")
    assert install.find("no-such-program") is None


def test_without_root_the_missing_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not install.apt_get(["chromium", "redis-server"])
    said = capsys.readouterr().err
    assert "Missing here: chromium, redis-server." in said
    assert "apt-get install" in said


def test_the_file_that_keeps_services_from_starting_is_ours_only_when_none_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "POLICY", tmp_path / "policy-rc.d")
    assert install.forbid_starting()
    assert subprocess.run([install.POLICY], check=False).returncode == 101
    assert not install.forbid_starting(), "somebody else's is left in place"
