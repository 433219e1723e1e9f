"""One part of the control plane as a process that never outlives the Python that started it."""

import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

# The kernel's parent-death signal is sent when the *thread* that started a process ends. One thread that lives as long
# as the interpreter starts them all, so that a plane may be started from a thread that ends.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="controlplane-starter")
LINES_SHOWN = 20


class PartFailed(Exception):
    """A part of the control plane ended or did not become ready; the message ends with the last lines of its log."""


@dataclass
class Part:
    """A program, its arguments, its log file, and its process while it has one."""

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process, its output appended to the log; nothing happens when it runs already."""
        if not self.running:
            self.process = _starter.submit(self._spawn).result()

    def signal(self, number: int) -> None:
        """Send a signal; a process that is gone gets none."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End the process at once, a suspended one too, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def terminate(self, patience: float) -> None:
        """Ask the process to end; end it when it has not after so many seconds."""
        self.signal(signal.SIGTERM)
        if self.process is not None:
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()

    def check(self) -> None:
        """Refuse a part that has ended."""
        if self.process is not None and not self.running:
            raise self.failure(f"ended with {self.process.returncode}")

    def failure(self, what: str) -> PartFailed:
        return PartFailed(f"{self.name} {what}; the end of {self.log}:\n{self.last_lines()}")

    def last_lines(self, count: int = LINES_SHOWN) -> str:
        """The end of the log, whatever bytes it holds."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            log.write(f"--- {time.strftime('%Y-%m-%dT%H:%M:%S')} {' '.join(self.command)}\n".encode())
            log.flush()
            return subprocess.Popen(
                [*_dies_with_parent(), *self.command],
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Its own session: Ctrl-C in a terminal reaches Python, which then stops the parts in the right order.
                start_new_session=True,
            )


def _dies_with_parent() -> list[str]:
    """A prefix that has the kernel kill the process when this one dies, however that comes about.

    util-linux' `setpriv` sets the signal and becomes the program, which saves running Python between fork and exec.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
