"""The queue in a folder, with another process at its other end."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from kombu.connection import Connection

from llmdash.celery import app
from llmdash.folderqueue import Transport

MESSAGES = 1500
SEND = """
import sys
from tests.llmdash.test_folderqueue import MESSAGES, queue
with queue(sys.argv[1]) as simple:
    for number in range(MESSAGES):
        simple.put({"number": number, "text": "x" * 2000})
"""


def queue(folder: str) -> Any:
    """A queue in this folder."""
    places = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": f"{folder}/control"}
    options = places | {"polling_interval": 0.001}
    connection = Connection("folder://", transport_options=options)  # type: ignore[no-untyped-call]
    return connection.SimpleQueue("work")  # type: ignore[no-untyped-call]


def test_the_program_uses_it() -> None:
    with app.connection("folder://localhost") as connection:
        assert isinstance(connection.transport, Transport)


def test_a_reader_sees_whole_messages_only(tmp_path: Path) -> None:
    """Thousands of looks while another process writes: kombu's own transport hands out an empty one soon."""
    with queue(str(tmp_path)) as simple:
        sender = subprocess.Popen([sys.executable, "-c", SEND, str(tmp_path)])
        got = set()
        for _ in range(MESSAGES):
            message = simple.get(timeout=20)
            got.add(message.payload["number"])
            message.ack()
        assert sender.wait(20) == 0
    assert got == set(range(MESSAGES))
    assert not [path for path in tmp_path.iterdir() if path.is_file()]
