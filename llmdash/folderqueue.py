"""Celery's queue in a folder, for one machine without Redis: kombu's transport, but a message appears as a whole.

kombu's own opens the file and then writes it; a worker that looks in between takes an empty one and ends.
"""

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """As kombu's, but for `_put`."""

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:  # type: ignore[override]
        """A file under a name that no reader asks for, renamed when it is written."""
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        unfinished = folder / f"{name}.unfinished"
        text: str = dumps(payload)  # type: ignore[no-untyped-call]
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(folder / name)


class Transport(filesystem.Transport):
    """That of addresses which begin with folder://."""

    Channel = Channel


TRANSPORT_ALIASES["folder"] = f"{__name__}:Transport"
