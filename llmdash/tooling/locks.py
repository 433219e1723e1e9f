"""`python -m llmdash.tooling.locks`: whether the lock files are in step with pyproject.toml and with each other.

Nothing is asked of a registry, so this cannot say whether a newer version exists; `make lock` writes the locks anew.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Pins = dict[str, str]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)


def main() -> int:
    """Print each thing that is out of step; 1 when there is any."""
    found = list(out_of_step(Path()))
    for line in found:
        print(line)
    return 1 if found else 0


def out_of_step(root: Path) -> Iterator[str]:
    """One line for each dependency that no lock meets, and for each lock that says more than versions and hashes."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    texts = {
        name: (root / name).read_text(encoding="utf-8")
        for name in ("requirements.lock", "requirements-dev.lock", "llmdash/tooling/bootstrap.lock")
    }
    release, development, bootstrap = (pins(text) for text in texts.values())
    needed = project["project"]["dependencies"]
    yield from unmet(needed, release, "requirements.lock")
    yield from unmet(needed + project["dependency-groups"]["dev"], development, "requirements-dev.lock")
    yield from differing(release, development, "requirements.lock")
    yield from differing({"uv": bootstrap.get("uv", "")}, development, "llmdash/tooling/bootstrap.lock")
    for name, text in texts.items():
        yield from addresses(name, text)


def pins(text: str) -> Pins:
    """Version by canonical name."""
    return {canonicalize_name(match["name"]): match["version"] for match in PIN.finditer(text)}


def unmet(needed: list[str], locked: Pins, lock: str) -> Iterator[str]:
    """Dependencies that the lock lacks, or pins to a version outside their bounds."""
    for requirement in map(Requirement, needed):
        version = locked.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"{lock}: {requirement.name} is missing; `make lock`"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"{lock}: {requirement.name} {version} is not {requirement.specifier}; `make lock`"


def differing(lock: Pins, development: Pins, name: str) -> Iterator[str]:
    """The development lock holds everything of the other, in the same versions."""
    for package, version in lock.items():
        if development.get(package) != version:
            yield f"{name}: {package} {version}, but requirements-dev.lock has {development.get(package)}; `make lock`"


def addresses(name: str, text: str) -> Iterator[str]:
    """Lines that would tell where somebody downloads from."""
    for number, line in enumerate(text.splitlines(), 1):
        if "://" in line or line.startswith(("--index-url", "--extra-index-url", "--find-links", "-i ", "-f ")):
            yield f"{name}:{number}: a lock names no address"


if __name__ == "__main__":
    sys.exit(main())
