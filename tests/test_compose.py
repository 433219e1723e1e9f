"""docker-compose.yml keeps its promises. Its processes run here without containers."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deployments.crypto import new_key_line
from tests.controlplane.ports import free_ports
from tests.controlplane.processes import Part
from tests.llmdash.test_settings import documented
from tests.services import (  # noqa: F401  (fixtures)
    postgres,
    postgres_server,
    redis_instance,
    redis_server,
    until,
)

ROOT = Path(__file__).parents[1]
OURS = {"migrate", "web", "worker", "watcher"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def test_only_the_web_publishes_a_port_and_only_on_loopback(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_everything_waits_for_the_migration_and_that_for_healthy_servers(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in OURS - {"migrate"}:
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert set(services["migrate"]["depends_on"]) == {"postgres", "redis"}
    assert {name for name in services if "healthcheck" in services[name]} == {"postgres", "redis", "web"}


def test_our_containers_have_no_rights_to_spare(compose: dict[str, Any]) -> None:
    for name in OURS:
        service = compose["services"][name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "USER 10001:10001" in (ROOT / "Dockerfile").read_text()


def test_no_secret_stands_in_the_file_or_in_the_environment(compose: dict[str, Any]) -> None:
    assert all(secret.keys() == {"file"} for secret in compose["secrets"].values())
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if {"SECRET", "PASSWORD", "KEY", "DATABASE"} & set(name.split("_")):
                assert str(value).startswith("/run/secrets/"), name


def test_every_variable_is_a_setting(compose: dict[str, Any]) -> None:
    for name in OURS:
        for variable in compose["services"][name]["environment"]:
            assert {variable, variable.removesuffix("_FILE")} & documented().keys(), variable


@pytest.fixture
def environment(compose: dict[str, Any], tmp_path: Path, postgres: str, redis_server: str) -> dict[str, str]:  # noqa: F811
    """That of the web, with secrets in a folder of the test and servers on loopback."""
    secrets = {"secret_key": "s" * 50, "encryption_key": new_key_line(), "database_url": postgres + "\n"}
    for name, text in secrets.items():
        (tmp_path / name).write_text(text)
    given = compose["services"]["web"]["environment"] | {"REDIS_URL": redis_server, "ALLOWED_HOSTS": "127.0.0.1,"}
    taken = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    placed = {name: str(value).replace("/run/secrets", str(tmp_path)) for name, value in given.items()}
    off = {"CSRF_TRUSTED_ORIGINS": "", "LLMDASH_HTTPS": "0", "LLMDASH_STATE_DIR": str(tmp_path / "read-only")}
    return taken | placed | off


@pytest.mark.postgres
def test_the_web_is_ready_after_the_migration_and_not_before(
    compose: dict[str, Any], environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_ports(1)[0]
    command = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), sys.executable, "-m"]
    web = Part("web", [*command, "uvicorn", "llmdash.asgi:application", "--port", str(port)], tmp_path / "web.log")
    web.command = [*web.command, "--app-dir", str(ROOT)]
    web.start()
    try:
        url = f"http://127.0.0.1:{port}/readyz"
        until("the web answered", lambda: httpx.get(url, trust_env=False), web)
        assert httpx.get(url, trust_env=False).text == "migrations\n"
        migrate = [sys.executable, *compose["services"]["migrate"]["command"][1:]]
        subprocess.run(migrate, env=environment, cwd=ROOT, check=True, capture_output=True)
        assert httpx.get(url, trust_env=False).text == "ready\n"
        check = [sys.executable, "manage.py", "check", "--fail-level", "WARNING"]
        subprocess.run(check, env=environment, cwd=ROOT, check=True, capture_output=True)
        web.signal(signal.SIGTERM)
        assert web.process is not None
        assert web.process.wait(10) in (0, -signal.SIGTERM)
    finally:
        web.kill()
