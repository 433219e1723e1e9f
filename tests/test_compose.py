"""docker-compose.yml keeps its promises. Its processes run here without containers."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from deployments.crypto import new_key_line
from tests.containers import Container, secrets
from tests.controlplane.ports import free_ports
from tests.controlplane.processes import Part
from tests.llmdash.test_settings import documented
from tests.services import (  # noqa: F401  (fixtures)
    postgres,
    postgres_server,
    program,
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
    assert {name for name in services if "healthcheck" in services[name]} == set(services)
    for name in ("migrate", "demo"):
        assert services[name]["healthcheck"] == {"disable": True}


def test_a_profile_starts_only_when_it_is_asked_for(compose: dict[str, Any]) -> None:
    profiles = {name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service}
    assert profiles == {"prometheus": ["monitoring"], "sandbox": ["demo"], "demo": ["demo"]}


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
def place(tmp_path: Path, postgres: str, redis_server: str) -> Path:  # noqa: F811
    """Secrets as the head of the file has them made, with servers on loopback."""
    fresh = fresh_database(postgres)
    secrets(tmp_path, secret_key="s" * 50, encryption_key=new_key_line(), database_url=fresh + "\n", metrics_token="m")
    return tmp_path


def fresh_database(url: str) -> str:
    """An empty one on the same server."""
    server = url.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS compose WITH (FORCE)")
        connection.execute("CREATE DATABASE compose")
    return f"{server}/compose"


def contained(compose: dict[str, Any], name: str, place: Path, redis: str, as_name: str = "") -> Container:
    """A service of the file as a process, with what a shell without variables gives."""
    service = compose["services"][name]
    given = {variable: str(value) for variable, value in service["environment"].items()}
    for variable, value in given.items():
        head, _, rest = value.partition("${")
        given[variable] = head + (rest.partition(":-")[2].rstrip("}") if rest else "")
    command = service.get("command") or image_command()
    return Container(place, as_name or name, command, given | {"REDIS_URL": redis})


def image_command() -> list[str]:
    [line] = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("CMD ")]
    found: list[str] = yaml.safe_load(line.removeprefix("CMD "))
    return found


@pytest.mark.postgres
def test_all_processes_of_the_file_work_and_their_probes_say_so(
    compose: dict[str, Any],
    place: Path,
    redis_server: str,  # noqa: F811
) -> None:
    parts = {name: contained(compose, name, place, redis_server) for name in ("web", "worker", "watcher")}
    try:
        parts["web"].start()
        until(
            "the web lives",
            lambda: parts["web"].probe(["python", "-m", "llmdash.probe"]).returncode == 0,
            parts["web"].part,
        )
        early = parts["web"].probe(compose["services"]["web"]["healthcheck"]["test"][1:])
        assert (early.returncode, early.stdout) == (1, "migrations\n")
        contained(compose, "migrate", place, redis_server).run()
        for part in parts.values():
            part.start()
        for name, part in parts.items():
            probe = compose["services"][name]["healthcheck"]["test"]
            assert probe[0] == "CMD"
            part.answers("/healthz")
            asked = part.probe(probe[1:])
            assert asked.returncode == 0, asked.stdout + asked.stderr
        for name, part in parts.items():
            headers = {"Authorization": "Bearer m"} if name == "web" else {}
            told = httpx.get(f"http://127.0.0.1:{part.port}/metrics", headers=headers, trust_env=False, timeout=10)
            assert f"llmdash_{name}_" in told.text
        check = contained(compose, "migrate", place, redis_server, "check")
        check.command[-2:] = ["manage.py", "check", "--fail-level", "WARNING"]
        check.run()
        for part in parts.values():
            part.part.terminate(30)
            assert part.part.process is not None
            assert part.part.process.returncode in (0, -15), part.part.last_lines()
    finally:
        for part in parts.values():
            part.part.kill()


@pytest.mark.postgres
def test_two_migrations_at_once_wait_for_each_other(
    compose: dict[str, Any],
    place: Path,
    redis_server: str,  # noqa: F811
) -> None:
    both = [contained(compose, "migrate", place, redis_server, f"migrate-{number}") for number in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        outputs = [done.stdout for done in pool.map(Container.run, both)]
    assert sorted("No migrations to apply" in text for text in outputs) == [False, True]


@pytest.mark.postgres
def test_the_demo_has_a_cluster_and_people(
    compose: dict[str, Any],
    place: Path,
    redis_server: str,  # noqa: F811
) -> None:
    sandbox, demo = compose["services"]["sandbox"], compose["services"]["demo"]
    assert sandbox["networks"]["default"]["aliases"] == [sandbox["command"][sandbox["command"].index("--host") + 1]]
    [port] = free_ports(1)
    state = place / "sandbox" / "tmp"

    def here(command: list[str]) -> list[str]:
        """Nobody resolves the alias here, but the certificate has this name as well."""
        named = ["localhost" if word == "kubernetes" else str(port) if word == "6443" else word for word in command]
        return [word.replace("/state", str(state)) for word in named]

    cluster = Container(place, "sandbox", here(sandbox["command"]), {})
    cluster.start()
    try:
        probe = here(sandbox["healthcheck"]["test"])
        assert probe[0] == "CMD"
        until("the sandbox is healthy", lambda: cluster.probe(probe[1:]).returncode == 0, cluster.part)
        assert f"https://localhost:{port}" in (state / "kubeconfig").read_text()
        contained(compose, "migrate", place, redis_server).run()
        service = contained(compose, "demo", place, redis_server)
        service.command[-1] = here([demo["command"][-1]])[0]
        told = service.run().stdout
        assert all(person in told for person in ("admin", "project-admin", "operator", "viewer"))
        assert httpx.get(f"https://localhost:{port}/healthz", verify=False, trust_env=False).status_code == 200
    finally:
        cluster.part.kill()


def test_prometheus_gets_a_configuration_that_it_takes(compose: dict[str, Any], tmp_path: Path) -> None:
    [mounted] = [path for path in compose["services"]["prometheus"]["volumes"] if path.startswith("./")]
    text = (ROOT / mounted.partition(":")[0]).read_text()
    (tmp_path / "token").write_text("m")
    moved = tmp_path / "prometheus.yml"
    moved.write_text(text.replace("/run/secrets/metrics_token", str(tmp_path / "token")))
    subprocess.run([program("promtool"), "check", "config", str(moved)], check=True, capture_output=True)
    targets = [
        target for job in yaml.safe_load(text)["scrape_configs"] for target in job["static_configs"][0]["targets"]
    ]
    ports = {name: compose["services"][name]["environment"].get("LLMDASH_METRICS_PORT", "8000") for name in OURS}
    assert targets == [f"{name}:{ports[name]}" for name in ("web", "worker", "watcher")]


def test_prometheus_answers_the_probe_that_is_named(compose: dict[str, Any], tmp_path: Path) -> None:
    service = compose["services"]["prometheus"]
    [port] = free_ports(1)
    config = tmp_path / "prometheus.yml"
    config.write_text((ROOT / "prometheus.yml").read_text().replace("/run/secrets/metrics_token", str(config)))
    arguments = [word.replace("/etc/prometheus/prometheus.yml", str(config)) for word in service["command"]]
    arguments = [word.replace("=/prometheus", f"={tmp_path / 'data'}") for word in arguments]
    command = [program("prometheus"), *arguments, f"--web.listen-address=127.0.0.1:{port}"]
    part = Part("prometheus", command, tmp_path / "log")
    part.start()
    url = service["healthcheck"]["test"][-1].replace(":9090", f":{port}")
    try:
        until("Prometheus was ready", lambda: httpx.get(url, trust_env=False).is_success, part)
    finally:
        part.kill()
