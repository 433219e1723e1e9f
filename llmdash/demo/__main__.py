"""`python -m llmdash.demo [--cluster sandbox|real] [--port N] [--verbose] [--reset]`"""

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from llmdash.demo import ports
from llmdash.demo.place import ROOT, Place
from llmdash.demo.run import Demo
from llmdash.demo.screen import say

OUR_FILES = ("demo.lock", "secret_key", "ports.json")


class NotStarted(Exception):
    """Why nothing was started."""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo, or remove its data; 1 with the reason when it does not start."""
    options = _parser().parse_args(arguments)
    folder = Path(os.environ.get("LLMDASH_STATE_DIR") or ROOT / "var").absolute()
    try:
        if options.reset:
            return reset(folder)
        return demo_of(options, folder, os.environ).run()
    except NotStarted as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0


def demo_of(options: argparse.Namespace, folder: Path, shell: Mapping[str, str]) -> Demo:
    """The demo that is asked for. Raises NotStarted."""
    kubeconfig = own_kubeconfig(shell.get("KUBECONFIG", ""))
    if folder.is_dir():
        only_one(folder)
    port = free_port(options.port or shell.get("PORT") or "8000")
    place = Place(folder, port, "own" if kubeconfig else options.cluster)
    if not folder.is_dir():
        folder.mkdir(parents=True, mode=0o700)
        only_one(folder)
    if kubeconfig:
        say(f"KUBECONFIG is set: no sandbox is started, llmdash works on the current context of {kubeconfig}.")
    return Demo(place, kubeconfig, shell.get("PROMETHEUS_URL", ""), verbose=options.verbose)


def own_kubeconfig(value: str) -> Path | None:
    """The file that KUBECONFIG names, if any."""
    if not value:
        return None
    path = Path(value).expanduser().absolute()
    if os.pathsep in value:
        raise NotStarted(f"KUBECONFIG names several files ({value}). Name the one whose current context is meant.")
    if not path.is_file():
        raise NotStarted(f"KUBECONFIG: {path} is no file. `KUBECONFIG= make demo` starts a cluster to try things out.")
    return path


def free_port(text: str) -> int:
    """The port of the pages."""
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) < 65536:
        raise NotStarted(f"PORT: {text!r} is not a port.")
    if not ports.is_free(int(text)):
        raise NotStarted(f"Port {text} is taken by another program. Choose another: PORT=8001 make demo")
    return int(text)


_held: list[IO[str]] = []  # open for as long as this process lives: the lock is the open file


def only_one(folder: Path) -> None:
    """Two demos in one folder would undo each other's work."""
    file = (folder / "demo.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotStarted(f"Another demo runs in {folder}. Stop it, or set LLMDASH_STATE_DIR.") from None
    _held.append(file)


def reset(folder: Path) -> int:
    """Remove the state folder, if a demo made it and none runs there."""
    if not folder.exists():
        return 0
    if not any((folder / name).exists() for name in OUR_FILES):
        raise NotStarted(f"{folder} is not a demo's folder: nothing was removed.")
    only_one(folder)
    shutil.rmtree(folder)
    say(f"Removed {folder}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m llmdash.demo", description="llmdash with everything around it.")
    parser.add_argument("--cluster", choices=["sandbox", "real"], default="sandbox", help="what to play with")
    parser.add_argument("--port", help="of the pages; default $PORT, then 8000")
    parser.add_argument("--verbose", action="store_true", help="show every process's lines")
    parser.add_argument("--reset", action="store_true", help="remove all data instead")
    return parser


if __name__ == "__main__":
    sys.exit(main())
