"""Where the processes' lines go: a file for each, and the last ones kept in memory to be shown when it dies."""

import contextlib
import logging
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path

from honcho.printer import Message, Printer

LAST_LINES = 20
FILE_BYTES = 5 * 1024 * 1024  # then it becomes NAME.log.1, which takes the place of the one before


def say(text: str) -> None:
    """Print for the person. A terminal that was closed must not keep the processes from being stopped."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


class Screen:
    """In the shape of honcho's Printer. Shows the lines on the terminal too when asked."""

    width = 0  # honcho sets it

    def __init__(self, folder: Path, *, verbose: bool) -> None:
        self.folder = folder
        self.printer = Printer() if verbose else None
        self.last: dict[str, deque[str]] = {}
        self.files: dict[str, logging.Handler] = {}

    def write(self, message: Message) -> None:
        """Take one line of a process, or of honcho itself."""
        line = message.data.decode("utf-8", "replace") if isinstance(message.data, bytes) else str(message.data)
        self.last.setdefault(message.name, deque(maxlen=LAST_LINES)).append(line.rstrip())
        self._file(message.name).emit(logging.makeLogRecord({"msg": line.rstrip()}))
        if self.printer:
            self.printer.width = self.width
            with contextlib.suppress(OSError):
                self.printer.write(message)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _file(self, name: str) -> logging.Handler:
        if name not in self.files:
            self.path(name).unlink(missing_ok=True)
            self.files[name] = RotatingFileHandler(self.path(name), maxBytes=FILE_BYTES, backupCount=1)
        return self.files[name]
