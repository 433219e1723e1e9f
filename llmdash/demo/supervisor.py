"""honcho's Manager, with what a start in a terminal needs on top."""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from honcho.compat import ProcessManager
from honcho.manager import Manager
from honcho.process import Process

PR_SET_PDEATHSIG = 1
WORD_SECONDS = 1.0


class Child(Process):  # type: ignore[misc]  # honcho has no types
    """The helper process that honcho puts between itself and a program."""

    def run(self, *arguments: Any, **named: Any) -> None:
        """Die with the supervisor, however that comes about; the program then gets SIGTERM (see `Program.line`)."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        super().run(*arguments, **named)


class Signals(ProcessManager):  # type: ignore[misc]  # honcho has no types
    """How programs are told to stop."""

    def terminate(self, pid: int) -> None:
        """Tell the program alone, not its children as honcho would: a worker would lose its pool."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class Supervisor(Manager):  # type: ignore[misc]  # honcho has no types
    """Starts all, and stops all when asked or when one ends.

    `died` holds the exit codes of those that ended by themselves.
    """

    def __init__(self, printer: Any, *, when_started: Callable[[], None]) -> None:
        super().__init__(printer)
        self._process_ctor = Child
        self._procmgr = Signals()
        self._when_started = when_started
        self._asked_early = False
        self.died: dict[str, int] = {}

    def loop(self) -> None:
        """As honcho's; a closed terminal counts as Ctrl-C."""
        signal.signal(signal.SIGHUP, lambda *_: self.terminate())
        super().loop()

    def terminate(self) -> None:
        """Stop all. Asked while some have no pid yet, which honcho cannot do, it is done once they have."""
        if not super()._all_started():
            self._asked_early = True
            return
        if not self._terminating:
            ended = {name: process.get("returncode") for name, process in self._processes.items()}
            self.died = {name: code for name, code in ended.items() if code is not None}
        super().terminate()

    def _start(self) -> None:
        super()._start()
        self._when_started()  # a thread may be made only after the forks

    def _notice_dead(self) -> None:
        """A helper that was killed cannot tell that its program has ended: after a moment nobody waits for its word."""
        for process in self._processes.values():
            helper = process.get("process")
            if process.get("returncode") is None and helper is not None and helper.exitcode is not None:
                since = process.setdefault("dead_since", time.monotonic())
                if time.monotonic() - since > WORD_SECONDS:
                    process["returncode"] = helper.exitcode

    def _all_started(self) -> bool:
        self._notice_dead()
        started = bool(super()._all_started())
        if started and self._asked_early and not self._terminating:
            self.terminate()
        return started
