"""`python -m llmdash.demo.after FILE PROGRAM …`: become a program once a file is there.

Everything starts at once; what needs another's file waits here, and has the pid that its supervisor knows.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PAUSE = 0.1


def main(arguments: Sequence[str]) -> None:
    """Wait as long as it takes: the supervisor gives up for all."""
    file, *command = arguments
    while not filled(Path(file)):
        time.sleep(PAUSE)
    os.execvp(command[0], command)  # noqa: S606  (no shell is wanted)


def filled(path: Path) -> bool:
    """Whether the file is there with its text."""
    return path.exists() and path.stat().st_size > 0


if __name__ == "__main__":
    main(sys.argv[1:])
