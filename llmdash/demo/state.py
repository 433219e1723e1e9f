"""`python -m llmdash.demo.state FOLDER`: keys and folders of an installation. What is there stays as it is."""

import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deployments.crypto import new_key_line

FOLDERS = ("broker/queue", "broker/control", "log", "prometheus", "staticfiles")


def ensure(state: Path) -> None:
    """Make what is missing, readable by this user alone."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in FOLDERS:
        (state / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    for message in (state / FOLDERS[0]).glob("*.unfinished"):  # by a sender that died
        if time.time() - message.stat().st_mtime > 60:
            message.unlink(missing_ok=True)
    write_once(state / "secret_key", lambda: secrets.token_urlsafe(50) + "\n")
    write_once(state / "encryption_key", new_key_line)


def write_once(path: Path, make: Callable[[], str]) -> None:
    """A private file that is never overwritten: losing a key loses what it sealed."""
    if not path.exists():
        write_private(path, make())


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by this user alone."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    beside.rename(path)


if __name__ == "__main__":
    ensure(Path(sys.argv[1]).absolute())
