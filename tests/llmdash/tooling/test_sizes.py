"""What has outgrown one screen is named."""

import subprocess
from pathlib import Path

import pytest

from llmdash.tooling import sizes


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return Path(name)


def function(lines: int) -> str:
    return "\n".join(["def long(a):", *["    a += 1"] * (lines - 1)]) + "\n"


def test_a_function_of_60_lines_is_passed_and_one_of_61_is_named(tmp_path: Path) -> None:
    short, long = write(tmp_path, "short.py", function(60)), write(tmp_path, "long.py", "\n" + function(61))
    assert list(sizes.too_long(tmp_path, [short])) == []
    assert list(sizes.too_long(tmp_path, [long])) == ["long.py:2: long has 61 lines, at most 60"]


def test_methods_and_coroutines_count_too(tmp_path: Path) -> None:
    body = "\n".join(["class A:", "    async def slow(self):", *["        self.a = 1"] * 60])
    assert list(sizes.too_long(tmp_path, [write(tmp_path, "a.py", body)])) == ["a.py:2: slow has 61 lines, at most 60"]


@pytest.mark.parametrize("name", ["a.py", "static/js/a.js", "static/css/a.css", "templates/a.html"])
def test_a_file_of_400_lines_is_passed_and_one_of_401_is_named(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, "#\n" * 400)
    assert list(sizes.too_long(tmp_path, [path])) == []
    path = write(tmp_path, name, "#\n" * 401)
    assert list(sizes.too_long(tmp_path, [path])) == [f"{name}: 401 lines, at most 400"]


@pytest.mark.parametrize(
    "name", ["a/migrations/0001.py", "static/vendor/a.js", "tests/data/a.html", "requirements.lock"]
)
def test_data_generated_and_foreign_files_are_excepted(tmp_path: Path, name: str) -> None:
    assert list(sizes.too_long(tmp_path, [write(tmp_path, name, "#\n" * 401)])) == []


def test_files_that_git_ignores_are_not_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    write(tmp_path, ".gitignore", "var/\n")
    write(tmp_path, "var/a.py", "#\n" * 401)
    assert sizes.main([str(tmp_path)]) == 0
    write(tmp_path, "new.py", "#\n" * 401)
    assert sizes.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == "new.py: 401 lines, at most 400\n"
