"""`python3 llmdash/tooling/install.py demo|test`: get what is missing, and no more when nothing is.

Packages of Debian come from apt-get, Python's from the lock files with their hashes into .venv. This file runs before
anything is installed, so it uses the standard library only.
"""

from __future__ import annotations  # so that an old Python reaches the line that says it is too old

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = Path(os.environ.get("LLMDASH_VENV") or ROOT / ".venv")
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "llmdash-installed.json"
BOOTSTRAP = ROOT / "llmdash" / "tooling" / "bootstrap.lock"
# The development lock holds everything of the other one, in the same versions (`make check` compares them).
LOCKS = {"demo": "requirements.lock", "test": "requirements-dev.lock"}
# Program -> Debian's package.
PROGRAMS = {
    "demo": {"prometheus": "prometheus"},
    "test": {
        "chromium": "chromium",
        "faketime": "faketime",
        "postgres": "postgresql",
        "prometheus": "prometheus",
        "redis-server": "redis-server",
    },
}
SERVICES = {"postgresql", "prometheus", "redis-server"}
POLICY = Path("/usr/sbin/policy-rc.d")


def main(kind: str) -> int:
    """Install for the demo or for the tests; 1 with the reason when something cannot be had."""
    if sys.version_info < (3, 11):
        return complain(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}.")
    try:
        missing = [package for program, package in PROGRAMS[kind].items() if not find(program)]
        if missing and not apt_get(missing) and kind == "test":
            return 1
        if not is_current(kind):
            make_venv()
            install(kind)
    except subprocess.CalledProcessError as error:
        return complain(f"This failed (exit code {error.returncode}): {' '.join(map(str, error.cmd))}")
    return 0


def complain(text: str) -> int:
    print(text, file=sys.stderr, flush=True)
    return 1


def find(program: str) -> str | None:
    """The program on PATH; Debian keeps PostgreSQL's servers in folders by version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, versions)]))


# ---- Debian's packages


def apt_get(packages: list[str]) -> bool:
    """Install packages without starting what is in them; False, with what to do, where that is not possible."""
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        complain(f"Missing here: {', '.join(packages)}. As root on Debian: {' '.join(command)}")
        return False
    print(f"Installing from Debian: {', '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    kept_out = forbid_starting()
    try:
        subprocess.run(["apt-get", "update", "-q"], env=environment, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    finally:
        if kept_out:
            POLICY.unlink()
    for service in SERVICES.intersection(packages):
        disable(service)
    return True


def forbid_starting() -> bool:
    """Debian asks this file before a package starts its service; True when it is ours to remove again."""
    if POLICY.exists():
        return False
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    return True


def disable(service: str) -> None:
    """Not at the next boot either: llmdash starts its own, on free ports."""
    command = ["systemctl", "disable", service] if shutil.which("systemctl") else ["update-rc.d", service, "disable"]
    if shutil.which(command[0]):
        subprocess.run(command, check=False, capture_output=True)


# ---- Python's packages


def digest(name: str) -> str:
    """What a lock and the bootstrap's lock hold, in one figure."""
    return hashlib.sha256((ROOT / name).read_bytes() + BOOTSTRAP.read_bytes()).hexdigest()


def is_current(kind: str) -> bool:
    """Whether .venv was filled from this very lock, or from the development lock, which holds more."""
    try:
        installed = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    enough = {LOCKS[kind], LOCKS["test"]}
    return PYTHON.exists() and any(installed.get(name) == digest(name) for name in enough)


def make_venv() -> None:
    """Make .venv, or make it anew when a stopped run left half of one."""
    if PYTHON.exists() and is_whole():
        return
    try:
        import ensurepip  # noqa: F401, PLC0415  (Debian's python3 has it only with its venv package)
    except ImportError:
        apt_get([f"python{sys.version_info.major}.{sys.version_info.minor}-venv"])
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)


def is_whole() -> bool:
    """Whether .venv has its pip."""
    return subprocess.run([PYTHON, "-m", "pip", "-V"], check=False, capture_output=True).returncode == 0


def install(kind: str) -> None:
    """Fill .venv from the lock; every archive's hash is checked."""
    lock = LOCKS[kind]
    print(f"Installing from {lock}", flush=True)
    STAMP.unlink(missing_ok=True)
    pip("--require-hashes", "--no-deps", "-r", BOOTSTRAP)
    quick = [VENV / "bin" / "uv", "pip", "install", "-q", "--python", PYTHON, "--compile-bytecode", "--require-hashes"]
    done = subprocess.run(
        [*map(str, quick), "-r", str(ROOT / lock)], check=False, env={**os.environ, "UV_LINK_MODE": "copy"}
    )
    if done.returncode != 0:
        # uv does not read pip's settings: an index or a proxy may be known to pip alone.
        print("uv could not; pip goes on, which takes longer", flush=True)
        pip("--require-hashes", "-r", ROOT / lock)
    pip("--no-deps", "--no-build-isolation", "-e", ROOT)
    STAMP.write_text(json.dumps({lock: digest(lock)}), encoding="utf-8")


def pip(*arguments: object) -> None:
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run([PYTHON, "-m", "pip", "install", "-q", *map(str, arguments)], check=True, env=quiet)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
