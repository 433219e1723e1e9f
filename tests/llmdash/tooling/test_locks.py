"""Locks that are out of step with pyproject.toml, or say more than they should, are named."""

from pathlib import Path

import pytest

from llmdash.tooling import locks

PROJECT = """
[project]
dependencies = ["Django>=5.2,<5.3", "redis[hiredis]>=6"]
[dependency-groups]
dev = ["pytest>=9"]
"""
RELEASE = "django==5.2.19 \\\n    --hash=sha256:00\nredis==6.1 ; python_version > '3'\n"
FILES = {
    "pyproject.toml": PROJECT,
    "requirements.lock": RELEASE,
    "requirements-dev.lock": RELEASE + "pytest==9.0\nuv==0.13\n",
    "llmdash/tooling/bootstrap.lock": "uv==0.13\n",
}


def found(root: Path, **changed: str) -> list[str]:
    """What is out of step when files differ from FILES."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(path.stem.replace("-", "_"), text))
    return list(locks.out_of_step(root))


def test_the_locks_of_this_project_are_in_step() -> None:
    assert list(locks.out_of_step(Path(__file__).parents[3])) == []


def test_locks_in_step_are_passed(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_a_dependency_that_is_not_locked_is_named(tmp_path: Path) -> None:
    more = PROJECT.replace('"redis', '"celery", "redis')
    assert found(tmp_path, pyproject=more) == [
        "requirements.lock: celery is missing; `make lock`",
        "requirements-dev.lock: celery is missing; `make lock`",
    ]


def test_a_lock_outside_the_bounds_is_named(tmp_path: Path) -> None:
    (first, second) = found(tmp_path, pyproject=PROJECT.replace("<5.3", "<5.2.10"))
    assert first.startswith("requirements.lock: Django 5.2.19 is not ")
    assert second.startswith("requirements-dev.lock: Django 5.2.19 is not ")


def test_two_versions_of_one_package_are_named(tmp_path: Path) -> None:
    assert found(tmp_path, requirements=RELEASE.replace("6.1", "6.2")) == [
        "requirements.lock: redis 6.2, but requirements-dev.lock has 6.1; `make lock`"
    ]


@pytest.mark.parametrize("line", ["--index-url https://example.org/simple", "--find-links folder", "-f folder"])
def test_a_lock_that_tells_an_address_is_named(tmp_path: Path, line: str) -> None:
    assert found(tmp_path, requirements=f"{line}\n{RELEASE}") == ["requirements.lock:1: a lock names no address"]
