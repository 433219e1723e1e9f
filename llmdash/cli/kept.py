"""The server and token that `llmdash login` remembers, in a file that only its owner reads."""

import json
import os
from pathlib import Path


def place() -> Path:
    """~/.config/llmdash/login.json, by the XDG base directory specification."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "llmdash" / "login.json"


def read() -> dict[str, str]:
    """{"server", "token", "ca_file"}; empty when nobody has logged in."""
    try:
        found: dict[str, str] = json.loads(place().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(values: dict[str, str]) -> None:
    """Write the file anew, readable by its owner only from its first byte on."""
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(values, file)
    new.replace(path)
