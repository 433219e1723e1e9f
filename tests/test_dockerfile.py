"""The Dockerfile keeps its promises. Its commands run here, without containers."""

import json
import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from deployments.crypto import new_key_line
from tests.containers import PROGRAMS, ROOT, Container, secrets
from tests.services import (  # noqa: F401  (fixtures)
    postgres,
    postgres_server,
    redis_instance,
    redis_server,
)

Line = tuple[str, str]


def stages() -> list[list[Line]]:
    """The instructions of each stage, as (word, rest)."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[list[Line]] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def of(stage: list[Line], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


BUILD, LAST = stages()


def variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in " ".join(of(LAST, "ENV")).split())


def test_it_runs_as_a_number_and_ends_without_tools_to_build_with() -> None:
    assert of(LAST, "USER") == ["10001:10001"]
    assert not any("apt-get" in line or "pip install" in line for line in of(LAST, "RUN"))
    assert any("pip uninstall" in line for line in of(LAST, "RUN"))
    assert "--without-pip" in of(BUILD, "RUN")[0]
    assert any("--require-hashes" in line for line in of(BUILD, "RUN"))
    assert of(LAST, "COPY") == ["--from=build /venv /venv", "--from=build /app /app"]


def test_state_is_in_the_volume_and_static_files_in_the_image() -> None:
    assert of(LAST, "VOLUME") == [variables()["LLMDASH_STATE_DIR"]]
    assert variables()["LLMDASH_STATIC_DIR"].startswith("/app/")
    assert f"LLMDASH_STATIC_DIR={variables()['LLMDASH_STATIC_DIR']} " in "\n".join(of(BUILD, "RUN"))


def test_what_is_copied_is_there_and_is_let_through_by_dockerignore() -> None:
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [name for line in of(BUILD, "COPY") for name in line.split()[:-1]]
    assert sorted(let_through) == sorted(copied)
    assert all((ROOT / name).exists() for name in copied)
    packages = [name for name in os.listdir(ROOT) if (ROOT / name / "__init__.py").exists() and name != "tests"]
    assert set(packages) <= set(copied)


@pytest.mark.postgres
def test_the_image_as_it_comes_serves_pages_with_their_files(
    tmp_path: Path,
    postgres: str,  # noqa: F811
    redis_server: str,  # noqa: F811
) -> None:
    secrets(tmp_path, secret_key="s" * 50, encryption_key=new_key_line())
    [collect] = [line for line in of(BUILD, "RUN") if "collectstatic" in line]
    words = collect.partition(" && ")[0].replace("/app/staticfiles", str(tmp_path / "static"))
    shell = words.replace("/venv/bin/", f"{PROGRAMS}/")
    subprocess.run(["sh", "-c", shell], cwd=ROOT, env={"PATH": os.environ["PATH"]}, check=True, capture_output=True)
    environment = variables() | {
        "SECRET_KEY_FILE": "/run/secrets/secret_key",
        "LLMDASH_ENCRYPTION_KEY_FILE": "/run/secrets/encryption_key",
        "DATABASE_URL": postgres,
        "REDIS_URL": redis_server,
        "LLMDASH_STATIC_DIR": str(tmp_path / "static"),
        "LLMDASH_STATE_DIR": "/nonexistent",
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    del environment["PATH"], environment["PYTHONPATH"]
    Container(tmp_path, "migrate", ["python", "manage.py", "upgrade_database"], environment).run()
    web = Container(tmp_path, "web", json.loads(of(LAST, "CMD")[0]), environment)
    web.start()
    try:
        assert web.answers("/readyz") == "ready\n"
        check = json.loads(of(LAST, "HEALTHCHECK")[0].partition("CMD ")[2])
        asked = web.probe(check)
        assert (asked.returncode, asked.stdout) == (0, "ok\n"), asked.stderr
        page = httpx.get(f"http://127.0.0.1:{web.port}/accounts/login/", trust_env=False, timeout=20)
        sheets = re.findall(r'href="(/static/[^"]+\.[0-9a-f]{12}\.[a-z]+)"', page.text)
        assert sheets
        for sheet in sheets:
            assert httpx.get(f"http://127.0.0.1:{web.port}{sheet}", trust_env=False).status_code == 200, sheet
    finally:
        web.part.kill()
    assert web.probe(check).returncode == 1
