"""The `helm` program, built from its Go modules once for each go.sum and kept beside the control plane.

`python -m tests.helm.build` builds it: some three minutes of two cores, once; `make controlplane` does so, too.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.controlplane.build import ControlPlaneUnavailable, find_go
from tests.controlplane.fixtures import shared_or_skip

SOURCE = Path(__file__).parent
SOURCE_FILES = ("go.mod", "go.sum")
PACKAGE = "helm.sh/helm/v4/cmd/helm"  # a `tool` of go.mod, so that it and all it needs are pinned


def program_path() -> Path:
    """Where the program of these sources is, or will be."""
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in SOURCE_FILES)).hexdigest()[:16]
    root = Path(os.environ.get("LLMDASH_CACHE_DIR") or Path.home() / ".cache" / "llmdash")
    return root / "helm" / digest


def build() -> Path:
    """The program, built when it is missing. Two builds at once: the second waits. Raises ControlPlaneUnavailable."""
    path = program_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            compile_to(path)
    return path


def compile_to(path: Path) -> None:
    """Build beside the path and rename, so that a file of that name is always whole."""
    go, needed = find_go()
    handle, beside = tempfile.mkstemp(prefix="helm.building-", dir=path.parent)
    os.close(handle)
    command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", beside, PACKAGE]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOGC": "400", **needed}
    print(f"building {PACKAGE}: minutes, once", flush=True)
    done = subprocess.run(command, cwd=SOURCE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        Path(beside).unlink()
        raise ControlPlaneUnavailable(f"helm cannot be built: {done.stderr[-2000:]}")
    Path(beside).chmod(0o755)
    Path(beside).rename(path)


def helm_or_skip() -> Path:
    """For tests: where it cannot be built they fail on CI, and are skipped elsewhere."""
    return shared_or_skip(build)


if __name__ == "__main__":
    try:
        print(build())
    except ControlPlaneUnavailable as missing:
        sys.exit(str(missing))
