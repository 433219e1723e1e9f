"""Ports on loopback that stay free until a process takes them."""

import random
import socket
from collections.abc import Collection

# Below the range that Linux takes ports of outgoing connections from (32768 on), so that none of the many connections
# of a test run lands on a port between its choice and its use.
FIRST, LAST = 16000, 32000
# Its numbers differ between processes whatever they are seeded with: those of one test run begin alike.
DICE = random.SystemRandom()


def free_ports(count: int, taken: Collection[int] = ()) -> list[int]:
    """So many ports that nobody listens on, none of them among those taken."""
    found: list[int] = []
    while len(found) < count:
        port = DICE.randint(FIRST, LAST)
        if port not in found and port not in taken and is_free(port):
            found.append(port)
    return found


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Whether a server accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
