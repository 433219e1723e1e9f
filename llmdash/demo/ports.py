"""Loopback ports, the same at each start, so that addresses kept elsewhere stay good."""

import json
import random
import socket
from collections.abc import Collection
from pathlib import Path

# Below the range that Linux takes ports of outgoing connections from (32768 on).
FIRST, LAST = 16000, 32000


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def kept(file: Path, names: Collection[str]) -> dict[str, int]:
    """A free port for each name: the one of the last start where it is still free. Writes the file."""
    before: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    ports = {name: port for name, port in before.items() if name in names and is_free(port)}
    for name in names:
        ports.setdefault(name, free(ports.values()))
    file.write_text(json.dumps(before | ports, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return ports


def free(taken: Collection[int]) -> int:
    """A port that nobody listens on and that is not among those taken."""
    while True:
        port = random.randint(FIRST, LAST)  # noqa: S311  (no secret)
        if port not in taken and is_free(port):
            return port
