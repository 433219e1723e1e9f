"""Set up, start, say when the page answers, wait, and say what died."""

import http
import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llmdash.demo import ports, processes, state
from llmdash.demo.after import filled
from llmdash.demo.place import ROOT, Place
from llmdash.demo.screen import Screen, say
from llmdash.demo.supervisor import Supervisor

PATIENCE = 120.0  # seconds, from the start of the processes, for the cluster and the page to come up
PAUSE = 0.1
PORTS = ("cluster", "kubelet", "plane", "prometheus", "runtime")


@dataclass
class Demo:
    """One run, from set-up to end."""

    place: Place
    kubeconfig: Path | None = None  # of the person's own cluster
    prometheus_url: str = ""  # of the person's own cluster
    verbose: bool = False
    failure: str = ""
    started: float = field(default_factory=time.monotonic)
    deadline: float = 0.0  # set when the processes are started: setting up may take minutes on a busy machine

    def run(self) -> int:
        """Run until stopped; 0 when the person asked for the end, 1 when something failed."""
        state.ensure(self.place.state)
        self.ports = ports.kept(self.place.ports_file, PORTS)
        if not self.set_up():
            return 1
        screen = Screen(self.place.logs, verbose=self.verbose)
        self.supervisor = Supervisor(screen, when_started=threading.Thread(target=self.announce, daemon=True).start)
        programs = processes.table(self.place, self.ports)
        for program in programs:
            self.supervisor.add_process(program.name, program.line, env=self.place.environment(), cwd=str(ROOT))
        say(f"Starting {', '.join(program.name for program in programs)}")
        self.supervisor.loop()
        return self.end(screen)

    def set_up(self) -> bool:
        """Database, static files, people, and the person's own cluster."""
        if self.kubeconfig and not self.step("read", str(self.kubeconfig)):
            return False  # before anything is made
        if not self.step("prepare"):
            return False
        if self.kubeconfig:
            return self.step("own", str(self.kubeconfig), self.prometheus_url)
        self.place.kubeconfig.unlink(missing_ok=True)  # that of the last start would be taken for ready
        processes.write_configurations(self.place, self.ports)
        return True

    def step(self, *arguments: str) -> bool:
        """Run a step that needs Django; it prints by itself."""
        command = [sys.executable, "-m", "llmdash.demo.step", *arguments]
        # A session of its own: Ctrl-C reaches this process only, which then ends the step.
        done = subprocess.run(command, env=self.place.environment(), cwd=ROOT, check=False, start_new_session=True)
        return done.returncode == 0

    def announce(self) -> None:
        """In a thread: register the cluster when it is there, and print the address when the page answers."""
        self.deadline = time.monotonic() + PATIENCE
        if not self.wait_for_cluster() or not self.wait_for_page():
            self.supervisor.terminate()
            return
        seconds = time.monotonic() - self.started
        if not processes.has_prometheus(self.place) and not self.kubeconfig:
            say("Prometheus is not installed, so charts stay empty.")
        say(f"\nllmdash is ready: {self.place.url}   ({seconds:.1f} s; Ctrl-C stops it; logs: {self.place.logs})")
        self.step("look")

    def wait_for_cluster(self) -> bool:
        """Wait for the kubeconfig of the cluster that was started, and register it."""
        if self.kubeconfig:
            return True
        if not self.wait(lambda: filled(self.place.kubeconfig)):
            self.failure = too_late(f"The {self.place.cluster} cluster", f"write {self.place.kubeconfig}")
            return False
        watched = processes.has_prometheus(self.place)
        url = f"http://127.0.0.1:{self.ports['prometheus']}" if watched else ""
        if not self.step(self.place.cluster, str(self.place.kubeconfig), url):
            self.failure = "The cluster could not be registered."
            return False
        return True

    def wait_for_page(self) -> bool:
        """Wait until the sign-in page answers."""
        if self.wait(lambda: answers(self.place.port, "/accounts/login/")):
            return True
        self.failure = too_late("The page", f"answer at {self.place.url}accounts/login/")
        return False

    def wait(self, done: Callable[[], bool]) -> bool:
        """Ask again and again, at least once, until the patience with the processes is over."""
        while not done():
            if time.monotonic() >= self.deadline:
                return False
            time.sleep(PAUSE)
        return True

    def end(self, screen: Screen) -> int:
        """Say why it ended."""
        for name, code in self.supervisor.died.items():
            say(f"\n{name} ended by itself (exit code {code}), so everything was stopped. Its last lines:")
            say("\n".join(f"  {line}" for line in screen.last.get(name, [])) or "  (it wrote nothing)")
        if self.failure:
            say(f"\n{self.failure} What the processes said is in {self.place.logs}.")
        if self.supervisor.died or self.failure:
            return 1
        say("\nStopped. The data stays; `make demo-reset` removes it.")
        return 0


def too_late(who: str, what: str) -> str:
    """What was missing when the patience was over, and what to do."""
    return (
        f"{who} did not {what} within {PATIENCE:.0f} s of the start of the processes. On a busy machine, start again: "
        "the data stays."
    )


def answers(port: int, path: str) -> bool:
    """Whether a page comes back as it should."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
