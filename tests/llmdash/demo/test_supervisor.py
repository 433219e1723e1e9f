"""All start, and all stop: when asked, when one dies, and when the supervisor itself is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmdash.demo.place import ROOT

PATIENCE = 20.0
# A supervisor of `steady`, which runs until it is stopped, and of what is given as `other`.
PROGRAM = """
import sys
from pathlib import Path
from llmdash.demo.processes import Program
from llmdash.demo.screen import Screen
from llmdash.demo.supervisor import Supervisor

folder = Path(sys.argv[1])
steady = "import os, time; open({!r}, 'w').write(str(os.getpid())); time.sleep(600)"
screen = Screen(folder, verbose=False)
supervisor = Supervisor(screen, when_started=lambda: (folder / "started").touch())
for name in ("one", "two"):
    command = (sys.executable, "-c", steady.format(str(folder / f"{name}.pid")))
    supervisor.add_process(name, Program(name, command).line)
if len(sys.argv) > 2:
    supervisor.add_process("other", Program("other", (sys.executable, "-c", sys.argv[2])).line)
supervisor.loop()
print(supervisor.died, list(screen.last.get("other", []))[-1:])
"""


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Run:
    """A supervisor in a process of its own."""

    def __init__(self, folder: Path, *other: str) -> None:
        self.folder = folder
        command = [sys.executable, "-c", PROGRAM, str(folder), *other]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)

    def children(self) -> list[int]:
        """The pids of the steady programs, once they run."""
        files = [self.folder / "one.pid", self.folder / "two.pid"]
        until(lambda: all(file.exists() and file.read_text() for file in files))
        return [int(file.read_text()) for file in files]

    def said(self) -> str:
        return self.process.communicate(timeout=PATIENCE)[0].strip()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def begin(*other: str) -> Run:
        runs.append(Run(tmp_path, *other))
        return runs[-1]

    yield begin
    for run in runs:
        run.process.kill()
        run.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_all_stop_when_asked(start: Callable[..., Run], number: int) -> None:
    run = start()
    children = run.children()
    run.process.send_signal(number)
    assert run.said() == "{} []"
    assert not any(map(lives, children))


def test_ctrl_c_reaches_the_whole_terminal_and_still_all_stop(start: Callable[..., Run]) -> None:
    run = start()
    children = run.children()
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.said() == "{} []"
    assert not any(map(lives, children))


def test_ctrl_c_during_the_start_leaves_nothing(start: Callable[..., Run], tmp_path: Path) -> None:
    run = start()
    until((tmp_path / "started").exists)
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.said() == "{} []"
    assert not any(lives(int(file.read_text())) for file in tmp_path.glob("*.pid") if file.read_text())


def test_when_one_dies_all_stop_and_its_last_words_are_kept(start: Callable[..., Run], tmp_path: Path) -> None:
    run = start("import sys, time; time.sleep(1); print('my last words'); sys.exit(3)")
    children = run.children()
    assert run.said() == "{'other': 3} ['my last words']"
    assert not any(map(lives, children))
    assert (tmp_path / "other.log").read_text() == "my last words\n"


def test_a_program_that_is_killed_counts_as_dead(start: Callable[..., Run]) -> None:
    run = start()
    first, second = run.children()
    os.kill(first, signal.SIGKILL)
    assert run.said() == "{'one': -9} []"
    assert not lives(second)


def test_a_killed_supervisor_takes_all_with_it(start: Callable[..., Run]) -> None:
    run = start()
    children = run.children()
    run.process.kill()
    until(lambda: not any(map(lives, children)))


def test_when_a_helper_is_killed_that_cannot_tell_so_all_stop(start: Callable[..., Run]) -> None:
    run = start()
    first, second = run.children()
    helper = int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[1])
    assert helper != run.process.pid
    os.kill(helper, signal.SIGKILL)
    assert run.said() == "{'one': -9} []"
    assert not any(map(lives, (first, second)))
