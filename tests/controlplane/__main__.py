"""`python -m tests.controlplane build|run|record`: what the Makefile and the demo call."""

import argparse
import signal
import sys
import time
from pathlib import Path

from tests.controlplane.build import ControlPlaneUnavailable, build
from tests.controlplane.parts import Options
from tests.controlplane.plane import ControlPlane
from tests.controlplane.processes import PartFailed
from tests.controlplane.recording import record

RESTART_PAUSE = 3.0


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand; 1 when the plane cannot be had or fails, with the reason on the error output."""
    options = _parser().parse_args(arguments)
    # SIGINT too: a shell that starts a job in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        build()
        if options.command == "run":
            run(options.directory, options.port, options.kubeconfig)
        elif options.command == "record":
            record(options.out)
    except (ControlPlaneUnavailable, PartFailed) as error:
        print(f"control plane: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if options.command == "run" else 130
    return 0


def run(directory: Path, port: int | None, kubeconfig: Path) -> None:
    """Run a plane until SIGINT or SIGTERM. A part that dies comes back after a pause, as static pods do."""
    plane = ControlPlane(directory, port=port, options=Options(durable=True))
    try:
        plane.start()
        kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(plane.kubeconfig.read_text(encoding="utf-8"), encoding="utf-8")
        print(f"control plane ready: {plane.url} kubeconfig={kubeconfig}", flush=True)
        while True:
            time.sleep(1)
            _restart_dead(plane)
    finally:
        plane.stop()


def _restart_dead(plane: ControlPlane) -> None:
    dead = [name for name in plane.parts if name not in plane.running()]
    if dead:
        print(f"control plane: {', '.join(dead)} ended; starting again in {RESTART_PAUSE:.0f} s", flush=True)
        time.sleep(RESTART_PAUSE)
        plane.start()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.controlplane", description="A real control plane.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the programs, once for each version of the sources")
    run_parser = commands.add_parser("run", help="run a control plane in the foreground")
    run_parser.add_argument("--directory", type=Path, required=True, help="kept: the next run goes on with its objects")
    run_parser.add_argument("--port", type=int, help="the API server's port; a free one when not given")
    run_parser.add_argument("--kubeconfig", type=Path, required=True, help="where to write the admin's kubeconfig")
    record_parser = commands.add_parser("record", help="record what the sandbox's imitation answers")
    record_parser.add_argument("out", type=Path, help="the folder to write to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
