"""What tests of the chart share."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane.fixtures import plane
from tests.helm.build import helm_or_skip
from tests.services import postgres, postgres_server, redis_instance, redis_server

__all__ = ["plane", "postgres", "postgres_server", "redis_instance", "redis_server"]
CHART = Path(__file__).resolve().parents[2] / "charts" / "llmdash"
Helm = Callable[..., subprocess.CompletedProcess[str]]
Objects = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Run helm with a home of its own; the answer is not checked."""
    program, home = helm_or_skip(), tmp_path_factory.mktemp("helm")

    def run(*arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "NO_PROXY": "*"}
        return subprocess.run(
            [str(program), *arguments], input=input, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def render(helm: Helm) -> Callable[..., Objects]:
    """`render(values)`: what the chart makes of them, by kind and name; in a namespace if there is one."""

    def rendered(values: dict[str, Any] | None = None, release: str = "llmdash") -> Objects:
        arguments = ["template", release, str(CHART), "-n", "home", "-f", "-"]
        done = helm(*arguments, input=json.dumps(values or {}))
        assert done.returncode == 0, done.stderr
        found = [one for one in yaml.safe_load_all(done.stdout) if one]
        return {(one["kind"], where(one)): one for one in found}

    return rendered


def where(manifest: dict[str, Any]) -> str:
    """Its name, after its namespace when that is another than the release's."""
    meta = manifest["metadata"]
    namespace = meta.get("namespace", "home")
    return str(meta["name"]) if namespace == "home" else f"{namespace}/{meta['name']}"
